package dev.corral.gateway.server;

import dev.corral.gateway.configuration.CorralProperties;
import dev.corral.gateway.moderation.Eyes;
import dev.corral.gateway.moderation.ModerateGatewayFilterFactory;
import dev.corral.gateway.moderation.ReactiveGuard;
import dev.corral.gateway.upstream.Upstream;
import dev.corral.gateway.upstream.Upstreams;
import dev.corral.guardmodels.guard.Guard;
import dev.corral.guardmodels.guard.GuardProfile;
import dev.corral.policies.assessment.Meaning;
import dev.corral.policies.policy.CompiledPolicy;
import java.net.InetAddress;
import java.time.Duration;
import java.util.List;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.boot.context.event.ApplicationReadyEvent;
import org.springframework.boot.diagnostics.FailureAnalyzedException;
import org.springframework.boot.web.server.context.WebServerApplicationContext;
import org.springframework.cloud.gateway.route.Route;
import org.springframework.cloud.gateway.route.RouteLocator;
import org.springframework.context.ApplicationListener;
import org.springframework.context.SmartLifecycle;

/**
 * Looks at all routes before anything is served, so that a route that cannot work stops the start, and says what was
 * started: where, by which policy, judged by whom and how good that is.
 */
final class StartReport implements SmartLifecycle, ApplicationListener<ApplicationReadyEvent> {

    private static final Logger log = LoggerFactory.getLogger(StartReport.class);

    private static final Duration ROUTES_TIMEOUT = Duration.ofSeconds(30);

    private final RouteLocator routes;
    private final CorralProperties properties;
    private final Upstreams upstreams;
    private final ReactiveGuard guard;
    private final Eyes eyes;
    private final CompiledPolicy defaultPolicy;
    private volatile boolean running;

    StartReport(
            RouteLocator routes,
            CorralProperties properties,
            Upstreams upstreams,
            ReactiveGuard guard,
            Eyes eyes,
            CompiledPolicy defaultPolicy) {
        this.routes = routes;
        this.properties = properties;
        this.upstreams = upstreams;
        this.guard = guard;
        this.eyes = eyes;
        this.defaultPolicy = defaultPolicy;
    }

    /** Before the web server. */
    @Override
    public int getPhase() {
        return 0;
    }

    @Override
    public void start() {
        List<Route> all =
                routes.getRoutes().collectList().blockOptional(ROUTES_TIMEOUT).orElseThrow();
        all.stream()
                .filter(route -> route.getFilters().stream().noneMatch(ModerateGatewayFilterFactory::isModeration))
                .forEach(route -> log.warn(
                        "route '{}' has no Moderate filter: what takes it is passed on unseen", route.getId()));
        all.stream()
                .filter(route -> !upstreams.knows(route.getUri()))
                .findFirst()
                .ifPresent(route -> {
                    throw new FailureAnalyzedException(
                            "The route '" + route.getId() + "' leads to " + route.getUri()
                                    + ", and there is no such upstream.",
                            "Write upstream://" + CorralProperties.BY_MODEL + ", or one of "
                                    + upstreams.all().stream()
                                            .map(upstream -> "upstream://" + upstream.name())
                                            .collect(Collectors.joining(", "))
                                    + ".");
                });
        running = true;
    }

    @Override
    public void stop() {
        running = false;
    }

    @Override
    public boolean isRunning() {
        return running;
    }

    @Override
    public void onApplicationEvent(ApplicationReadyEvent event) {
        if (!(event.getApplicationContext() instanceof WebServerApplicationContext context)
                || context.getWebServer() == null) {
            return;
        }
        InetAddress address = properties.address();
        log.info(
                "listening on http://{}:{}/v1{}, in front of {}",
                address.getHostAddress(),
                context.getWebServer().getPort(),
                address.isLoopbackAddress() ? " (this machine only; --address 0.0.0.0 for all)" : "",
                upstreams.all().stream()
                        .map(upstream -> upstream.base().toString())
                        .collect(Collectors.joining(", ")));
        upstreams.all().forEach(this::report);
        log.info("policy {}{}", defaultPolicy.revision(), properties.policy().file() == null ? " (built in)" : "");
        GuardProfile profile = guard.profile();
        log.info("guard {} ({}, {}): {}", profile.id(), profile.precision(), profile.licence(), profile.quality());
        log.info("its probabilities: {}", meaning(profile.meaning()));
        eyes.guard()
                .map(Guard::profile)
                .ifPresentOrElse(
                        sees -> log.info("guard for images {} ({}): {}", sees.id(), sees.precision(), sees.quality()),
                        () -> log.info("no guard for images: they are unscanned, which the built-in policy blocks"
                                + " (corral.guard.vision.directory)"));
        eyes.further()
                .forEach((name, guard) -> log.info(
                        "guard for images of policies that use {}: {} ({}): {}",
                        name,
                        guard.profile().id(),
                        guard.profile().precision(),
                        guard.profile().quality()));
        if (properties.guard().directory() == null && properties.guard().remote() == null) {
            log.info("for Llama Guard 3 1B instead: ./corral quantize --from DIR --to DIR --precision int4, then"
                    + " ./corral run --guard DIR");
        }
    }

    private void report(Upstream upstream) {
        if (upstreams.all().size() == 1) {
            log.info("upstream {}, {}", upstream.preset().title(), upstream.access());
            return;
        }
        log.info(
                "upstream {}: {} at {}, models {}, weight {}, {}",
                upstream.name(),
                upstream.preset().title(),
                upstream.base(),
                String.join(", ", upstream.models()),
                upstream.weight(),
                upstream.access());
    }

    private static String meaning(Meaning meaning) {
        return switch (meaning) {
            case FIRST_HAZARD -> "of the hazard that is named first (corral.guard.hazards: all for every one)";
            case ALL_HAZARDS -> "of every hazard that is named";
            case VERDICT -> "none, 1 is what the guard said; thresholds make no difference";
        };
    }
}
