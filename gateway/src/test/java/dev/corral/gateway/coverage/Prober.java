package dev.corral.gateway.coverage;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.corral.gateway.audit.AuditEvent;
import dev.corral.gateway.audit.AuditSink;
import dev.corral.gateway.exchange.ExchangeHeaders;
import dev.corral.gateway.testing.ScriptedGuard;
import dev.corral.gateway.testing.ScriptedUpstream;
import dev.corral.gateway.testing.TestGateway;
import dev.corral.policies.policy.Decision.Outcome;
import dev.corral.policies.policy.Direction;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import reactor.core.publisher.Mono;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.JsonNodeFactory;

/** Puts harmful texts into places, sends them through a whole gateway, and sees what becomes of them. */
final class Prober implements AutoCloseable {

    private static final String MARK = "<S9>harm";
    private static final JsonNode WORD = JsonNodeFactory.instance.stringNode(MARK);
    private static final JsonNode PHRASE = JsonNodeFactory.instance.stringNode("do " + MARK);
    private static final JsonNode LONG_WORD = JsonNodeFactory.instance.stringNode(MARK.repeat(40));
    private static final String PROBE = "x-probe";

    /** Something that an upstream is to send. */
    private record Script(int status, String contentType, byte[] body) {}

    /** What a client got, and what was decided on the way. */
    private record Seen(int status, String body, Optional<Outcome> decided) {

        /** A stream that has begun has no status to say so, but an event. */
        boolean isRefused() {
            return decided.isEmpty() && (status >= 400 || body.contains("\"error\""));
        }
    }

    private final Map<String, CompletableFuture<AuditEvent>> audited = new ConcurrentHashMap<>();
    private final Map<String, Script> scripts = new ConcurrentHashMap<>();
    private final AtomicLong probes = new AtomicLong();
    private final ScriptedUpstream upstream = new ScriptedUpstream();
    private final TestGateway gateway;

    /** Under a policy that blocks all that is found, and flags what nobody can read. */
    Prober(Path policy) {
        gateway = TestGateway.start(
                new ScriptedGuard(),
                new AuditSink() {
                    @Override
                    public boolean isOpen() {
                        return true;
                    }

                    @Override
                    public void record(AuditEvent event) {
                        audit(event.exchange()).complete(event);
                    }
                },
                Map.of("corral.upstream.url", upstream.url(), "corral.policy.file", policy.toString()));
        upstream.answer((received, _, response) -> {
            Script script = scripts.get(received.headers().get(PROBE));
            return response.status(script.status())
                    .header("Content-Type", script.contentType())
                    .sendByteArray(Mono.just(script.body()));
        });
    }

    /** What becomes of a text that harms in a place of a surface. */
    Treatment treatment(Surface surface, Place place) {
        Seen seen = send(surface, place, WORD);
        if (seen.isRefused()) {
            return send(surface, place, place.usual()).isRefused() ? Treatment.NOT_SERVED : Treatment.REFUSED;
        }
        return switch (decided(surface, place, seen)) {
            case BLOCK -> {
                if (seen.body().contains(MARK)) {
                    throw new AssertionError(surface.heading() + " " + place.name() + ": blocked, and yet seen");
                }
                yield Treatment.JUDGED;
            }
            case FLAG -> Treatment.UNSCANNED;
            default -> passing(surface, place);
        };
    }

    private Treatment passing(Surface surface, Place place) {
        Seen word = send(surface, place, LONG_WORD);
        if (word.isRefused()) {
            return Treatment.PASSES_NAME;
        }
        if (decided(surface, place, word) != Outcome.BLOCK) {
            return Treatment.PASSES;
        }
        return decided(surface, place, send(surface, place, PHRASE)) == Outcome.BLOCK
                ? Treatment.PASSES_WORD
                : Treatment.PASSES_SHORT;
    }

    /** Where there is nothing to judge, nothing is decided, and frames pass. */
    private static Outcome decided(Surface surface, Place place, Seen seen) {
        if (seen.decided().isEmpty() && seen.status() != 200) {
            throw new AssertionError(surface.heading() + " " + place.name() + ": nothing was decided, HTTP "
                    + seen.status() + " " + seen.body());
        }
        return seen.decided().orElse(Outcome.ALLOW);
    }

    private Seen send(Surface surface, Place place, JsonNode value) {
        String probe = Long.toString(probes.incrementAndGet());
        boolean asks = surface.way() == Surface.Way.REQUEST;
        byte[] body = asks ? surface.request(place, value) : surface.request().getBytes(UTF_8);
        scripts.put(
                probe,
                asks
                        ? new Script(200, "application/json", surface.answer().getBytes(UTF_8))
                        : new Script(
                                surface.way() == Surface.Way.ERROR ? 400 : 200,
                                surface.contentType(),
                                surface.sent(place, value)));
        HttpResponse<String> response = gateway.send(gateway.request(surface.path())
                .header("Content-Type", "application/json")
                .header(PROBE, probe)
                .POST(BodyPublishers.ofByteArray(body)));
        scripts.remove(probe);
        return new Seen(response.statusCode(), response.body(), decided(response, asks));
    }

    private Optional<Outcome> decided(HttpResponse<String> response, boolean ofRequest) {
        return response.headers()
                .firstValue(ExchangeHeaders.EXCHANGE)
                .map(this::event)
                .flatMap(event -> event.decided().stream()
                        .filter(each -> ofRequest || each.direction() == Direction.COMPLETION)
                        .map(AuditEvent.Decided::outcome)
                        .max(Comparator.naturalOrder()));
    }

    private AuditEvent event(String exchange) {
        try {
            return audit(exchange).get(20, TimeUnit.SECONDS);
        } catch (Exception e) {
            throw new IllegalStateException(exchange, e);
        } finally {
            audited.remove(exchange);
        }
    }

    private CompletableFuture<AuditEvent> audit(String exchange) {
        return audited.computeIfAbsent(exchange, _ -> new CompletableFuture<>());
    }

    @Override
    public void close() {
        gateway.close();
        upstream.close();
    }
}
