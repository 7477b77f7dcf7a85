package dev.corral.gateway.refusal;

import dev.corral.gateway.dialect.Dialect;
import dev.corral.gateway.dialect.StrictJson;
import dev.corral.gateway.dialect.WireResponse;
import dev.corral.policies.policy.Decision;
import dev.corral.policies.policy.Finding;
import dev.corral.policies.taxonomy.StandardHazard;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/**
 * A block as Azure OpenAI tells it. Its four categories are fewer than a guard's hazards: what is in none of them is told
 * as an entry of a customer's own list. Source: Azure's "content filter annotations".
 */
final class AzureFilter {

    private enum Category {
        HATE,
        SELF_HARM,
        SEXUAL,
        VIOLENCE;

        private String word() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    private static final double HIGH = 0.8;
    private static final double MEDIUM = 0.5;

    private AzureFilter() {}

    /** A prompt is refused by an error, of a stream, too. */
    static WireResponse error(Decision.Block block) {
        ObjectNode body = JsonNodeFactory.instance.objectNode();
        ObjectNode error = body.putObject("error")
                .put("message", block.message())
                .putNull("type")
                .put("param", "prompt")
                .put("code", "content_filter")
                .put("status", 400);
        ObjectNode inner = error.putObject("innererror").put("code", "ResponsibleAIPolicyViolation");
        ObjectNode results = results(block);
        results.putObject("jailbreak").put("filtered", false).put("detected", false);
        inner.set("content_filter_result", results);
        return WireResponse.json(400, Map.of(), body);
    }

    /** The dialect's own refusal of a whole answer, with annotations. */
    static WireResponse annotated(WireResponse refusal, Decision.Block block) {
        try {
            JsonNode body = StrictJson.parse(refusal.body());
            annotate(body, block);
            return WireResponse.json(refusal.status(), refusal.headers(), body);
        } catch (StrictJson.Malformed e) {
            throw new IllegalStateException("a dialect's own refusal is JSON", e);
        }
    }

    /** The dialect's own end of a stream, with annotations where its choices end, or else in its last frame. */
    static List<byte[]> annotated(Dialect dialect, List<byte[]> frames, Decision.Block block) {
        List<byte[]> annotated = new ArrayList<>();
        int last = -1;
        boolean chosen = false;
        for (byte[] frame : frames) {
            Optional<JsonNode> data = dialect.value(frame);
            boolean ends = data.stream()
                    .flatMap(value -> value.path("choices").values().stream())
                    .anyMatch(choice -> choice.path("finish_reason").isString());
            last = data.isPresent() ? annotated.size() : last;
            chosen |= ends;
            annotated.add(ends ? annotated(dialect, frame, block) : frame);
        }
        if (!chosen && last >= 0) {
            annotated.set(last, annotated(dialect, annotated.get(last), block));
        }
        return annotated;
    }

    private static byte[] annotated(Dialect dialect, byte[] frame, Decision.Block block) {
        JsonNode data = dialect.value(frame).orElseThrow();
        annotate(data, block);
        return dialect.frame(data);
    }

    private static void annotate(JsonNode body, Decision.Block block) {
        if (body.path("choices").isArray()) {
            body.path("choices").values().forEach(choice -> {
                if (choice instanceof ObjectNode object) {
                    object.set("content_filter_results", results(block));
                }
            });
        } else if (body instanceof ObjectNode object) {
            object.putArray("content_filters")
                    .addObject()
                    .put("blocked", true)
                    .put("source_type", "completion")
                    .set("content_filter_results", results(block));
        }
    }

    private static ObjectNode results(Decision.Block block) {
        Map<Category, Double> found = new EnumMap<>(Category.class);
        boolean others = false;
        for (Finding finding : block.findings()) {
            Optional<Category> category = category(finding);
            category.ifPresent(known -> found.merge(known, finding.probability().value(), Math::max));
            others |= category.isEmpty();
        }
        ObjectNode results = JsonNodeFactory.instance.objectNode();
        Arrays.stream(Category.values())
                .forEach(category -> results.putObject(category.word())
                        .put("filtered", found.containsKey(category))
                        .put("severity", severity(found.getOrDefault(category, 0.0))));
        results.putObject("custom_blocklists")
                .put("filtered", others || block.findings().isEmpty());
        return results;
    }

    private static String severity(double probability) {
        return probability >= HIGH ? "high" : probability >= MEDIUM ? "medium" : probability > 0 ? "low" : "safe";
    }

    private static Optional<Category> category(Finding finding) {
        return finding.hazard() instanceof StandardHazard hazard
                ? switch (hazard) {
                    case S1, S9 -> Optional.of(Category.VIOLENCE);
                    case S3, S4, S12 -> Optional.of(Category.SEXUAL);
                    case S10 -> Optional.of(Category.HATE);
                    case S11 -> Optional.of(Category.SELF_HARM);
                    default -> Optional.empty();
                }
                : Optional.empty();
    }
}
