package dev.corral.gateway.server;

import dev.corral.gateway.moderation.PolicyWatch;
import dev.corral.gateway.moderation.ReactiveGuard;
import dev.corral.gateway.moderation.Shadows;
import dev.corral.gateway.upstream.Upstream;
import dev.corral.gateway.upstream.Upstreams;
import dev.corral.guardmodels.guard.GuardProfile;
import dev.corral.policies.policy.CompiledPolicy;
import dev.corral.policies.policy.PolicyRegistry;
import org.springframework.boot.health.contributor.Health;
import org.springframework.boot.health.contributor.HealthIndicator;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;

/** The endpoints of Corral, and what {@code /actuator/health/readiness} asks: a gateway is ready when its guard is loaded and its policy compiled. */
@Configuration(proxyBeanMethods = false)
class Readiness {

    @Bean
    ShadowsEndpoint shadowsEndpoint(Shadows shadows) {
        return new ShadowsEndpoint(shadows);
    }

    @Bean
    HealthIndicator guardHealthIndicator(ReactiveGuard guard) {
        GuardProfile profile = guard.profile();
        return () -> Health.up()
                .withDetail("guard", profile.id())
                .withDetail("precision", profile.precision())
                .withDetail("fingerprint", profile.fingerprint())
                .build();
    }

    /** Beside readiness, not a part of it: a gateway whose upstreams are all down still has something to say to clients. */
    @Bean
    HealthIndicator upstreamsHealthIndicator(Upstreams upstreams) {
        return () -> {
            Health.Builder health =
                    upstreams.all().stream().anyMatch(Upstream::isAvailable) ? Health.up() : Health.outOfService();
            upstreams.all().forEach(upstream -> health.withDetail(upstream.name(), upstream.state()));
            return health.build();
        };
    }

    @Bean
    HealthIndicator policyHealthIndicator(PolicyRegistry policies, CompiledPolicy defaultPolicy, PolicyWatch watch) {
        return () -> {
            Health.Builder health = Health.up()
                    .withDetail("policy", policies.get(defaultPolicy.name()).revision());
            watch.problem().ifPresent(problem -> health.withDetail("changed files are not used", problem));
            return health.build();
        };
    }
}
