package dev.corral.gateway.upstream;

import dev.corral.gateway.dialect.DialectException;
import dev.corral.gateway.dialect.GatewayError;
import dev.corral.gateway.dialect.StrictJson;
import dev.corral.gateway.dialect.WireResponse;
import dev.corral.gateway.exchange.HeapBytes;
import dev.corral.gateway.exchange.WireResponses;
import java.net.URI;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.http.HttpHeaders;
import org.springframework.http.MediaType;
import org.springframework.util.unit.DataSize;
import org.springframework.web.server.ServerWebExchange;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/**
 * One list of the models of several upstreams. A model is in it where a request for it would go to the upstream that lists
 * it; those that settings name are in it even where an upstream lists nothing.
 */
final class ModelLists {

    private static final Logger log = LoggerFactory.getLogger(ModelLists.class);

    /** A list that comes later is worth less than the others at once. */
    private static final Duration PATIENCE = Duration.ofSeconds(5);

    private final Upstreams upstreams;
    private final DataSize maxSize;

    ModelLists(Upstreams upstreams, DataSize maxSize) {
        this.upstreams = upstreams;
        this.maxSize = maxSize;
    }

    /** Asks all upstreams at once, and answers with what they say; without those that do not say anything in time. */
    Mono<Void> write(ServerWebExchange exchange, URI asked) {
        return Flux.fromIterable(upstreams.all())
                .flatMapSequential(
                        upstream -> list(upstream, exchange.getRequest().getHeaders(), asked))
                .collectList()
                .flatMap(lists -> lists.stream().allMatch(Optional::isEmpty)
                        ? Mono.error(nobody())
                        : WireResponses.write(
                                exchange.getResponse(),
                                new WireResponse(
                                        200,
                                        MediaType.APPLICATION_JSON,
                                        Map.of(),
                                        StrictJson.bytes(merged(lists.stream()
                                                .flatMap(Optional::stream)
                                                .toList())))));
    }

    /** The models of one upstream; empty where it cannot be asked. */
    private Mono<Optional<List<ObjectNode>>> list(Upstream upstream, HttpHeaders clients, URI asked) {
        List<ObjectNode> named = upstream.namedModels().stream()
                .map(model -> named(model, upstream))
                .toList();
        Optional<URI> target = upstream.target(asked.getRawPath(), asked.getRawQuery());
        if (!upstream.preset().listsModels() || target.isEmpty()) {
            return Mono.just(Optional.of(named));
        }
        if (!upstream.isAvailable()) {
            return Mono.just(known(named));
        }
        return upstream.client()
                .headers(sent -> {
                    sent.set(HttpHeaders.ACCEPT, MediaType.APPLICATION_JSON_VALUE);
                    upstream.introduction(clients).forEach(sent::set);
                })
                .get()
                .uri(target.get())
                .response((head, body) -> head.status().code() == 200
                        ? HeapBytes.join(body.asByteArray(), maxSize.toBytes(), tooLarge())
                                .map(bytes -> models(bytes, upstream))
                        : Mono.error(new DialectException(
                                GatewayError.upstream("status " + head.status().code()))))
                .single()
                .timeout(PATIENCE)
                .map(models -> Optional.of(
                        Stream.concat(models.stream(), named.stream()).toList()))
                .onErrorResume(failure -> {
                    log.warn(
                            "the upstream '{}' does not list its models: {}",
                            upstream.name(),
                            failure instanceof DialectException
                                    ? failure.getMessage()
                                    : failure.getClass().getSimpleName());
                    return Mono.just(known(named));
                });
    }

    private static Optional<List<ObjectNode>> known(List<ObjectNode> named) {
        return named.isEmpty() ? Optional.empty() : Optional.of(named);
    }

    /** What OpenAI puts into {@code data}, and Together into a bare array. */
    private List<ObjectNode> models(byte[] body, Upstream upstream) {
        JsonNode root;
        try {
            root = StrictJson.parse(body);
        } catch (StrictJson.Malformed e) {
            throw new DialectException(GatewayError.upstream("its list is not valid JSON: " + e.getMessage()));
        }
        JsonNode list = root.isArray() ? root : root.path("data");
        if (!list.isArray()) {
            throw new DialectException(GatewayError.upstream("its list has no 'data'"));
        }
        return list.valueStream()
                .filter(ObjectNode.class::isInstance)
                .map(ObjectNode.class::cast)
                .filter(model -> model.path("id").isString())
                .filter(model -> upstreams.serves(upstream, id(model)))
                .toList();
    }

    private static ObjectNode named(String model, Upstream upstream) {
        return JsonNodeFactory.instance
                .objectNode()
                .put("id", model)
                .put("object", "model")
                .put("created", 0)
                .put("owned_by", upstream.name());
    }

    /** Of a model that several list, the first counts. */
    private static ObjectNode merged(List<List<ObjectNode>> lists) {
        Map<String, ObjectNode> models = new LinkedHashMap<>();
        lists.forEach(list -> list.forEach(model -> models.putIfAbsent(id(model), model)));
        ObjectNode merged = JsonNodeFactory.instance.objectNode().put("object", "list");
        ArrayNode data = merged.putArray("data");
        models.values().forEach(data::add);
        return merged;
    }

    private static String id(JsonNode model) {
        return model.path("id").asString();
    }

    private GatewayError tooLarge() {
        return GatewayError.upstream(
                "its list is larger than " + maxSize.toBytes() + " bytes (corral.max-answer-size)");
    }

    private static DialectException nobody() {
        return new DialectException(new GatewayError(
                502,
                "upstream_error",
                "upstream_unreachable",
                null,
                "no upstream lists its models; the log says why",
                null));
    }
}
