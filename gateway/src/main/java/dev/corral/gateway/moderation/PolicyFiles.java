package dev.corral.gateway.moderation;

import dev.corral.guardmodels.guard.Guard;
import dev.corral.policies.policy.CompiledPolicy;
import dev.corral.policies.policy.GuardSight;
import dev.corral.policies.policy.GuardSight.GuardNames;
import dev.corral.policies.policy.Policies;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Where the policies of this gateway come from.
 *
 * @param file of the default policy; null for the built-in one
 * @param directory of further ones; null for none
 * @param guard who is to be asked for the hazards of each
 * @param eyes who sees images
 */
record PolicyFiles(@Nullable Path file, @Nullable Path directory, Guard guard, Eyes eyes) {

    /** The default policy. */
    CompiledPolicy loadDefault() {
        return file == null ? Policies.loadDefault(sight()) : load(file);
    }

    /** Those of the folder, in the order of their files' names. */
    List<CompiledPolicy> loadFurther() throws IOException {
        List<CompiledPolicy> policies = new ArrayList<>();
        for (Path each : further()) {
            policies.add(load(each));
        }
        return policies;
    }

    private CompiledPolicy load(Path each) {
        CompiledPolicy policy = Policies.load(each, sight());
        try {
            guard.asking(policy.asked());
            eyes.of(policy).ifPresent(sees -> sees.asking(policy.asked()));
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException(each + ": " + e.getMessage(), e);
        }
        return policy;
    }

    private GuardSight sight() {
        return new GuardSight(
                guard.profile().taxonomy(),
                guard.profile().recommendedThreshold(),
                guard.places(),
                Optional.of(new GuardNames(Set.of(guard.profile().id()), eyes.names())));
    }

    /**
     * Changes with every change of a file that policies may be made of, whatever the change did to dates and links: a
     * ConfigMap of Kubernetes is changed by turning a symbolic link.
     */
    String fingerprint() throws IOException {
        try {
            MessageDigest digest = MessageDigest.getInstance("SHA-256");
            for (Path folder : folders()) {
                try (Stream<Path> files = Files.list(folder)) {
                    for (Path each : files.filter(Files::isRegularFile).sorted().toList()) {
                        String name = each.getFileName().toString();
                        if (name.matches(".*\\.(yaml|yml|txt)")) {
                            digest.update(name.getBytes(StandardCharsets.UTF_8));
                            digest.update((byte) 0);
                            digest.update(Files.readAllBytes(each));
                        }
                    }
                }
            }
            return HexFormat.of().formatHex(digest.digest());
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every JDK has SHA-256", e);
        }
    }

    private List<Path> folders() {
        return Stream.of(file == null ? null : file.toAbsolutePath().getParent(), directory)
                .flatMap(Stream::ofNullable)
                .distinct()
                .toList();
    }

    private List<Path> further() throws IOException {
        if (directory == null) {
            return List.of();
        }
        try (Stream<Path> files = Files.list(directory)) {
            List<Path> policies = new ArrayList<>();
            for (Path each : files.sorted().toList()) {
                if (each.getFileName().toString().endsWith(".yaml")
                        && (file == null || !Files.isSameFile(each, file))) {
                    policies.add(each);
                }
            }
            return policies;
        }
    }
}
