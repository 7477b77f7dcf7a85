package dev.corral.gateway.moderation;

import dev.corral.gateway.configuration.CorralProperties;
import dev.corral.guardmodels.guard.Guard;
import dev.corral.guardmodels.prompt.GuardFamily;
import dev.corral.guardmodels.remote.Api;
import dev.corral.guardmodels.remote.ApiKey;
import dev.corral.guardmodels.remote.RemoteGuard;
import dev.corral.guardmodels.remote.RemoteSettings;
import dev.corral.guardmodels.store.NamedHazards;
import dev.corral.guardmodels.store.OwnHazards;
import dev.corral.guardmodels.store.UnusableGuardException;
import dev.corral.policies.assessment.Probability;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.diagnostics.FailureAnalyzedException;

/** A guard on a server, as the settings describe it. */
final class RemoteGuardConfiguration {

    private RemoteGuardConfiguration() {}

    static Guard guard(CorralProperties.Remote remote, NamedHazards named) {
        try {
            GuardFamily family = GuardFamily.byId(remote.family())
                    .orElseThrow(() -> new IllegalArgumentException(
                            "corral.guard.remote.family must be llama-guard-3 or llama-guard-3-8b: "
                                    + remote.family()));
            return RemoteGuard.of(new RemoteSettings(
                    Objects.requireNonNull(remote.url()),
                    Objects.requireNonNull(remote.model()),
                    Objects.requireNonNull(remote.api()),
                    family,
                    hazards(remote.hazardsFile(), family),
                    named,
                    apiKey(remote),
                    remote.connectTimeout(),
                    remote.timeout(),
                    remote.connections(),
                    remote.contextTokens(),
                    remote.topLogprobs(),
                    new Probability(remote.threshold())));
        } catch (IllegalArgumentException | UnusableGuardException e) {
            throw unusable(String.valueOf(e.getMessage()), e);
        }
    }

    /** A guard that sees images. */
    static Guard vision(CorralProperties.Vision vision, String key, NamedHazards named) {
        CorralProperties.VisionRemote remote = Objects.requireNonNull(vision.remote());
        try {
            GuardFamily family = GuardFamily.byId(remote.family())
                    .orElseThrow(() -> new IllegalArgumentException(
                            key + ".remote.family must be llama-guard-3, or llama-guard-3-8b for Llama Guard 4, which"
                                    + " has its hazards: " + remote.family()));
            return RemoteGuard.seeing(new RemoteSettings(
                    Objects.requireNonNull(remote.url()),
                    Objects.requireNonNull(remote.model()),
                    Api.CHAT,
                    family,
                    OwnHazards.of(family),
                    named,
                    remote.apiKeyFile() == null
                            ? Optional.ofNullable(remote.apiKey())
                            : Optional.of(ApiKey.of(text(remote.apiKeyFile(), key + ".remote.api-key-file"))),
                    remote.connectTimeout(),
                    vision.timeout(),
                    remote.connections(),
                    remote.contextTokens(),
                    remote.topLogprobs(),
                    new Probability(remote.threshold())));
        } catch (IllegalArgumentException e) {
            throw unusable(String.valueOf(e.getMessage()), e);
        }
    }

    private static OwnHazards hazards(@Nullable Path file, GuardFamily family) {
        return file == null
                ? OwnHazards.of(family)
                : OwnHazards.parse(text(file, "corral.guard.remote.hazards-file"), file.toString(), family);
    }

    private static Optional<ApiKey> apiKey(CorralProperties.Remote remote) {
        Path file = remote.apiKeyFile();
        return file == null
                ? Optional.ofNullable(remote.apiKey())
                : Optional.of(ApiKey.of(text(file, "corral.guard.remote.api-key-file")));
    }

    private static String text(Path file, String setting) {
        try {
            return Files.readString(file);
        } catch (IOException e) {
            throw new IllegalArgumentException(
                    setting + " must be a file that can be read: " + file + " ("
                            + e.getClass().getSimpleName() + ")",
                    e);
        }
    }

    private static FailureAnalyzedException unusable(String why, Exception cause) {
        FailureAnalyzedException unusable = new FailureAnalyzedException(
                "The remote guard cannot be used: " + why + ".",
                "Correct the settings below corral.guard.remote or corral.guard.vision.remote, or leave them out for a guard"
                        + " on this machine.");
        unusable.initCause(cause);
        return unusable;
    }
}
