package dev.corral.gateway.policy;

import dev.corral.guardmodels.guard.Guard;
import dev.corral.guardmodels.guard.OnnxGuard;
import dev.corral.guardmodels.onnx.Resources;
import dev.corral.guardmodels.store.GuardDirectory;
import dev.corral.guardmodels.store.GuardManifest;
import dev.corral.guardmodels.store.GuardStore;
import dev.corral.policies.policy.GuardSight;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** The guard that a policy is for. */
final class GuardChoice {

    @Option(
            names = "--guard",
            paramLabel = "DIR",
            description = "Guard that the policy is for, as 'corral quantize' writes it (default: built in).")
    private @Nullable Path directory;

    /** What it sees; its weights are not loaded. */
    GuardSight sight() {
        GuardManifest manifest = open().manifest();
        return new GuardSight(manifest.taxonomy(), manifest.recommendedThreshold(), manifest.places());
    }

    /** The guard itself; this takes seconds. */
    Guard load() {
        return OnnxGuard.load(open(), Resources.oneLane(Runtime.getRuntime().availableProcessors()));
    }

    private GuardDirectory open() {
        return directory == null ? GuardStore.starter() : GuardStore.open(directory);
    }
}
