package dev.corral.gateway.upstream;

import dev.corral.gateway.configuration.CorralProperties;
import dev.corral.gateway.dialect.DialectException;
import dev.corral.gateway.dialect.GatewayError;
import java.net.URI;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.DoubleSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.web.server.ServerWebExchange;

/** All backends, and which of them a request may go to. */
public final class Upstreams implements AutoCloseable {

    /*
     * A model belongs to those upstreams whose patterns name it most exactly: a name before any pattern, a pattern with more
     * letters before one with fewer. So "*" is what takes the rest, not one more server for everything. Those that name it
     * equally share its requests by weight and stand in for each other; weight 0 is for standing in alone.
     */

    private static final Logger log = LoggerFactory.getLogger(Upstreams.class);
    /** Of addresses of routes that lead to upstreams. */
    static final String SCHEME = "upstream";

    private static final String MODEL = Upstreams.class.getName() + ".model";
    private static final Duration INTERVAL = Duration.ofSeconds(10);

    private final List<Upstream> all;
    private final DoubleSupplier dice;
    private final ScheduledExecutorService watch;

    /**
     * These upstreams.
     *
     * @param all at least one, in the order of their names
     * @param dice numbers from 0 to below 1, by which the weights are played out
     */
    Upstreams(List<Upstream> all, DoubleSupplier dice) {
        this.all = List.copyOf(all);
        this.dice = dice;
        this.watch = Executors.newSingleThreadScheduledExecutor(
                Thread.ofPlatform().name("credential-watch").daemon().factory());
        if (all.stream().flatMap(upstream -> upstream.credential().stream()).anyMatch(Credential::isInFile)) {
            var _ = watch.scheduleWithFixedDelay(
                    this::look, INTERVAL.toMillis(), INTERVAL.toMillis(), TimeUnit.MILLISECONDS);
        }
    }

    /** In the order of their names. */
    public List<Upstream> all() {
        return all;
    }

    /** Reads the keys again that are in files. */
    void look() {
        try {
            all.forEach(upstream -> upstream.credential().ifPresent(Credential::look));
        } catch (RuntimeException e) {
            log.error("the keys of upstreams could not be looked at; those before are used on", e);
        }
    }

    /**
     * The upstreams that serve a model, in the order of their names.
     *
     * @param name of an upstream that is meant alone, or {@link CorralProperties#BY_MODEL}
     * @param model empty where a request names none
     * @throws DialectException with 404 where there is none
     */
    List<Upstream> serving(String name, String model) {
        if (!name.equals(CorralProperties.BY_MODEL)) {
            return all.stream().filter(upstream -> upstream.name().equals(name)).toList();
        }
        int best = best(model)
                .orElseThrow(() -> new DialectException(new GatewayError(
                        404,
                        "invalid_request_error",
                        "model_not_found",
                        "model",
                        model.isEmpty()
                                ? "the request names no model, and no upstream here takes such requests"
                                : "no upstream here serves the model '" + model
                                        + "'; GET /v1/models lists what there is",
                        null)));
        return all.stream()
                .filter(upstream -> upstream.exactness(model).equals(OptionalInt.of(best)))
                .toList();
    }

    /** Whether an upstream is among those that serve a model. */
    boolean serves(Upstream upstream, String model) {
        return upstream.exactness(model).isPresent()
                && upstream.exactness(model).equals(best(model));
    }

    private OptionalInt best(String model) {
        return all.stream()
                .map(upstream -> upstream.exactness(model))
                .flatMapToInt(OptionalInt::stream)
                .max();
    }

    /** Notes which model a request asks for, as whoever has read the request knows. */
    public static void asksFor(ServerWebExchange exchange, String model) {
        exchange.getAttributes().put(MODEL, model);
    }

    /** The model that a request asks for, where that was noted. */
    static Optional<String> askedFor(ServerWebExchange exchange) {
        return Optional.ofNullable(exchange.getAttribute(MODEL));
    }

    /**
     * Whether the address of a route leads to an upstream of which there is one.
     *
     * @param address such as {@code upstream://by-model}; any that leads elsewhere is none of our concern
     */
    public boolean knows(URI address) {
        return !SCHEME.equals(address.getScheme())
                || CorralProperties.BY_MODEL.equals(address.getHost())
                || all.stream().anyMatch(upstream -> upstream.name().equals(address.getHost()));
    }

    /** In the order in which they are tried: drawn by weight, then those without any in the order of their names. */
    List<Upstream> drawn(List<Upstream> candidates) {
        List<Upstream> left = new ArrayList<>(candidates);
        List<Upstream> drawn = new ArrayList<>();
        while (left.size() > 1) {
            int total = left.stream().mapToInt(Upstream::weight).sum();
            if (total == 0) {
                break;
            }
            drawn.add(left.remove(hit(left, dice.getAsDouble() * total)));
        }
        drawn.addAll(left);
        return drawn;
    }

    private static int hit(List<Upstream> candidates, double mark) {
        double passed = 0;
        for (int i = 0; i < candidates.size(); i++) {
            passed += candidates.get(i).weight();
            if (mark < passed) {
                return i;
            }
        }
        throw new IllegalArgumentException("the dice must be below 1: " + mark);
    }

    @Override
    public void close() {
        watch.shutdownNow();
    }
}
