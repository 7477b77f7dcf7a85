package dev.corral.gateway.moderation;

import dev.corral.gateway.configuration.CorralProperties;
import dev.corral.guardmodels.guard.Guard;
import dev.corral.guardmodels.guard.GuardProfile;
import dev.corral.policies.policy.CompiledPolicy;
import dev.corral.policies.policy.GuardSight;
import dev.corral.policies.policy.Policies;
import dev.corral.policies.policy.PolicyException;
import dev.corral.policies.policy.PolicyRegistry;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.diagnostics.FailureAnalyzedException;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;

/** The policies: the default one, and those of a folder, for the hazards that the guard sees. */
@Configuration(proxyBeanMethods = false)
public class PolicyConfiguration {

    @Bean
    CompiledPolicy defaultPolicy(Guard guard, CorralProperties properties) {
        GuardProfile profile = guard.profile();
        @Nullable Path file = properties.policy().file();
        return loaded(
                () -> file == null ? Policies.loadDefault(sight(profile)) : Policies.load(file, sight(profile)),
                "Correct the policy, or start without --policy (corral.policy.file) for the built-in one.");
    }

    @Bean
    PolicyRegistry policies(CompiledPolicy defaultPolicy, Guard guard, CorralProperties properties) {
        List<CompiledPolicy> policies = new ArrayList<>(List.of(defaultPolicy));
        @Nullable Path directory = properties.policy().directory();
        String action = "Correct the file, or take it out of the folder that corral.policy.directory names.";
        if (directory != null) {
            GuardProfile profile = guard.profile();
            for (Path file : files(directory, properties.policy().file())) {
                policies.add(loaded(() -> Policies.load(file, sight(profile)), action));
            }
        }
        return loaded(() -> new PolicyRegistry(policies), action);
    }

    private static List<Path> files(Path directory, @Nullable Path loadedAlready) {
        try (Stream<Path> files = Files.list(directory)) {
            List<Path> policies = new ArrayList<>();
            for (Path file : files.sorted().toList()) {
                if (file.getFileName().toString().endsWith(".yaml")
                        && (loadedAlready == null || !Files.isSameFile(file, loadedAlready))) {
                    policies.add(file);
                }
            }
            return policies;
        } catch (IOException e) {
            throw new FailureAnalyzedException(
                    "The folder of policies cannot be read: " + e + ".",
                    "Correct corral.policy.directory, or leave it out.",
                    e);
        }
    }

    /** What a policy may expect of this guard. */
    private static GuardSight sight(GuardProfile profile) {
        // until guards take categories, a policy with hazards of its own for them is refused
        return new GuardSight(profile.taxonomy(), profile.recommendedThreshold(), false);
    }

    private static <T> T loaded(Supplier<T> loader, String action) {
        try {
            return loader.get();
        } catch (PolicyException | IllegalArgumentException e) {
            throw new FailureAnalyzedException(String.valueOf(e.getMessage()), action, e);
        }
    }
}
