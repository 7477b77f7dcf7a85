package dev.corral.gateway.refusal;

import dev.corral.gateway.dialect.Dialect;
import dev.corral.gateway.dialect.StrictJson;
import dev.corral.gateway.dialect.WireResponse;
import dev.corral.policies.policy.Decision;
import dev.corral.policies.policy.Direction;
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
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/**
 * What was found, as Azure OpenAI tells it. Its four categories are fewer than a guard's hazards: what is in none of them is told
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
        inner.set("content_filter_result", ofPrompt(block));
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
            annotateChoices(body.path("choices"), block);
        } else if (body instanceof ObjectNode object) {
            object.putArray("content_filters").add(entry(Direction.COMPLETION, results(block), true));
        }
    }

    /** Each choice with what was found in the answer. */
    static void annotateChoices(JsonNode choices, Decision answer) {
        choices.values().forEach(choice -> {
            if (choice instanceof ObjectNode object) {
                object.set("content_filter_results", results(answer));
            }
        });
    }

    /** What was found in a prompt, in the form of completions. */
    static ArrayNode promptResults(Decision prompt) {
        ArrayNode results = JsonNodeFactory.instance.arrayNode();
        results.addObject().put("prompt_index", 0).set("content_filter_results", ofPrompt(prompt));
        return results;
    }

    /** What was found in a prompt and its answer, in the form of responses. */
    static ArrayNode contentFilters(Decision prompt, Decision answer) {
        ArrayNode filters = JsonNodeFactory.instance.arrayNode();
        filters.add(entry(Direction.PROMPT, ofPrompt(prompt), false));
        filters.add(entry(Direction.COMPLETION, results(answer), false));
        return filters;
    }

    private static ObjectNode entry(Direction direction, ObjectNode results, boolean blocked) {
        ObjectNode entry = JsonNodeFactory.instance
                .objectNode()
                .put("blocked", blocked)
                .put("source_type", direction == Direction.PROMPT ? "prompt" : "completion");
        entry.set("content_filter_results", results);
        return entry;
    }

    private static ObjectNode ofPrompt(Decision decision) {
        ObjectNode results = results(decision);
        results.putObject("jailbreak").put("filtered", false).put("detected", false);
        return results;
    }

    private static ObjectNode results(Decision decision) {
        boolean blocked = decision instanceof Decision.Block;
        Map<Category, Double> found = new EnumMap<>(Category.class);
        boolean others = false;
        for (Finding finding : decision.findings()) {
            Optional<Category> category = category(finding);
            category.ifPresent(known -> found.merge(known, finding.probability().value(), Math::max));
            others |= category.isEmpty();
        }
        ObjectNode results = JsonNodeFactory.instance.objectNode();
        Arrays.stream(Category.values())
                .forEach(category -> results.putObject(category.word())
                        .put("filtered", blocked && found.containsKey(category))
                        .put("severity", severity(found.getOrDefault(category, 0.0))));
        results.putObject("custom_blocklists")
                .put("filtered", blocked && (others || decision.findings().isEmpty()));
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
