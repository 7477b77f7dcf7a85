package dev.corral.gateway.moderation;

import dev.corral.gateway.configuration.CorralProperties;
import dev.corral.guardmodels.guard.Guard;
import dev.corral.policies.policy.CompiledPolicy;
import dev.corral.policies.policy.PolicyException;
import dev.corral.policies.policy.PolicyRegistry;
import io.micrometer.core.instrument.MeterRegistry;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;
import org.springframework.boot.diagnostics.FailureAnalyzedException;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;

/** The policies: the default one, and those of a folder, for the hazards that the guard sees. */
@Configuration(proxyBeanMethods = false)
public class PolicyConfiguration {

    @Bean
    PolicyFiles policyFiles(Guard guard, Eyes eyes, CorralProperties properties) {
        return new PolicyFiles(properties.policy().file(), properties.policy().directory(), guard, eyes);
    }

    @Bean
    CompiledPolicy defaultPolicy(PolicyFiles files) {
        return loaded(
                files::loadDefault,
                "Correct the policy, or start without --policy (corral.policy.file) for the built-in one.");
    }

    @Bean
    PolicyRegistry policies(CompiledPolicy defaultPolicy, PolicyFiles files) {
        List<CompiledPolicy> policies = new ArrayList<>(List.of(defaultPolicy));
        String action = "Correct the file, or take it out of the folder that corral.policy.directory names.";
        policies.addAll(loaded(() -> further(files), action));
        return loaded(() -> new PolicyRegistry(policies), action);
    }

    @Bean
    PolicyWatch policyWatch(
            PolicyFiles files, PolicyRegistry policies, CompiledPolicy defaultPolicy, MeterRegistry metrics) {
        return new PolicyWatch(files, policies, defaultPolicy.name(), metrics);
    }

    private static List<CompiledPolicy> further(PolicyFiles files) {
        try {
            return files.loadFurther();
        } catch (IOException e) {
            throw new FailureAnalyzedException(
                    "The folder of policies cannot be read: " + e + ".",
                    "Correct corral.policy.directory, or leave it out.",
                    e);
        }
    }

    private static <T> T loaded(Supplier<T> loader, String action) {
        try {
            return loader.get();
        } catch (PolicyException | IllegalArgumentException e) {
            throw new FailureAnalyzedException(String.valueOf(e.getMessage()), action, e);
        }
    }
}
