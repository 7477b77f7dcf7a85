package dev.corral.gateway.moderation;

import dev.corral.policies.policy.CompiledPolicy;
import dev.corral.policies.policy.PolicyRegistry;
import dev.corral.policies.policy.PolicyTester;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.MultiGauge;
import io.micrometer.core.instrument.Tags;
import java.io.IOException;
import java.nio.file.NoSuchFileException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Puts changed policies into force while traffic flows: {@code corral.policy.info} has the revision of each policy in
 * force, {@code corral.policy.stale} is 1 while files lie there that could not be used.
 */
public final class PolicyWatch implements AutoCloseable {

    /*
     * All or nothing: the new policies are read, compiled and tested beside the old ones. Where one has an error, where one
     * of its own tests fails, or where a policy in force is gone, all old ones stay, and the log, the health and the
     * metrics say so until the files are right.
     *
     * No mixture: files are compared by what is in them, before and after they are read. Where they changed meanwhile, such
     * as in the middle of Kubernetes' turning of a link, nothing is done until the next look. The registry changes all
     * policies at once, and an exchange keeps the one that it began with.
     */

    private static final Logger log = LoggerFactory.getLogger(PolicyWatch.class);
    private static final Duration INTERVAL = Duration.ofSeconds(2);

    private final PolicyFiles files;
    private final PolicyRegistry registry;
    private final String defaultName;
    private final MultiGauge info;
    private final MeterRegistry metrics;
    private final ScheduledExecutorService executor;
    private String seen;
    private volatile @Nullable String problem;

    /**
     * Watches files whose policies are in force.
     *
     * @param defaultName of the default policy, which cannot be renamed while the gateway runs
     */
    PolicyWatch(PolicyFiles files, PolicyRegistry registry, String defaultName, MeterRegistry metrics) {
        this.files = files;
        this.registry = registry;
        this.defaultName = defaultName;
        this.metrics = metrics;
        this.seen = fingerprint().orElse("");
        this.info = MultiGauge.builder("corral.policy.info")
                .description("Policies in force by their revision")
                .register(metrics);
        Gauge.builder("corral.policy.stale", this, watch -> watch.problem == null ? 0 : 1)
                .description("1 while changed policies could not be put into force")
                .register(metrics);
        describe();
        executor = Executors.newSingleThreadScheduledExecutor(
                Thread.ofPlatform().name("policy-watch").daemon().factory());
        var _ = executor.scheduleWithFixedDelay(
                this::look, INTERVAL.toMillis(), INTERVAL.toMillis(), TimeUnit.MILLISECONDS);
    }

    /** Why the files that lie there are not in force; empty where they are. */
    public Optional<String> problem() {
        return Optional.ofNullable(problem);
    }

    /** Looks once whether files changed, and puts them into force if they can be. */
    public synchronized void look() {
        try {
            String before = fingerprint().orElse("");
            if (before.equals(seen)) {
                return;
            }
            String inForce = revisions();
            Optional<RuntimeException> failure = registry.reload(this::load);
            if (!fingerprint().orElse("").equals(before)) {
                return;
            }
            seen = before;
            failure.ifPresentOrElse(this::keepOld, () -> putIntoForce(inForce));
        } catch (RuntimeException e) {
            log.error("The policies could not be looked at; those in force stay", e);
        }
    }

    private void keepOld(RuntimeException failure) {
        problem = String.valueOf(failure.getMessage());
        metrics.counter("corral.policy.reloads", "outcome", "rejected").increment();
        log.error("Changed policies are not used; those in force stay: {}", failure.getMessage());
    }

    /** Other files of the folder change, too: where they change no policy, there is nothing to tell. */
    private void putIntoForce(String before) {
        if (problem == null && revisions().equals(before)) {
            return;
        }
        problem = null;
        metrics.counter("corral.policy.reloads", "outcome", "accepted").increment();
        describe();
        log.info("Policies in force: {}", revisions());
    }

    private List<CompiledPolicy> load() {
        try {
            String before = files.fingerprint();
            List<CompiledPolicy> policies = new ArrayList<>(List.of(files.loadDefault()));
            policies.addAll(files.loadFurther());
            check(policies);
            if (!files.fingerprint().equals(before)) {
                throw new IllegalArgumentException("the files change while they are read");
            }
            return policies;
        } catch (NoSuchFileException e) {
            throw new IllegalArgumentException(
                    "the policies cannot be read: there is no such file any more: " + e.getFile() + "; put it back", e);
        } catch (IOException e) {
            throw new IllegalArgumentException("the policies cannot be read: " + e, e);
        }
    }

    private void check(List<CompiledPolicy> policies) {
        if (!policies.getFirst().name().equals(defaultName)) {
            throw new IllegalArgumentException("the default policy is called '"
                    + policies.getFirst().name() + "' now, and routes know it as '" + defaultName
                    + "'; give it its name back, or restart");
        }
        Set<String> gone = new TreeSet<>(registry.names());
        policies.forEach(policy -> gone.remove(policy.name()));
        if (!gone.isEmpty()) {
            throw new IllegalArgumentException("policies that routes may name are gone: " + String.join(", ", gone)
                    + "; put them back, or restart");
        }
        for (CompiledPolicy policy : policies) {
            PolicyTester.runGiven(policy).stream()
                    .filter(result -> !result.passed())
                    .findFirst()
                    .ifPresent(result -> {
                        throw new IllegalArgumentException("a test of policy '" + policy.name() + "' fails, at "
                                + result.test().location() + ": " + String.join("; ", result.failures()));
                    });
        }
    }

    private Optional<String> fingerprint() {
        try {
            return Optional.of(files.fingerprint());
        } catch (IOException e) {
            return Optional.empty();
        }
    }

    private void describe() {
        info.register(
                registry.names().stream()
                        .map(registry::get)
                        .map(policy ->
                                MultiGauge.Row.of(Tags.of("policy", policy.name(), "revision", policy.revision()), 1))
                        .<MultiGauge.Row<?>>map(row -> row)
                        .toList(),
                true);
    }

    private String revisions() {
        return registry.names().stream()
                .map(name -> registry.get(name).revision())
                .collect(Collectors.joining(", "));
    }

    @Override
    public void close() {
        executor.shutdownNow();
    }
}
