package dev.corral.gateway.dialect.openai;

import dev.corral.gateway.dialect.DialectException;
import dev.corral.gateway.dialect.Fields;
import dev.corral.gateway.dialect.GatewayError;
import dev.corral.gateway.dialect.StrictJson;
import dev.corral.gateway.dialect.Verdict;
import dev.corral.gateway.dialect.VerdictDialect;
import dev.corral.gateway.dialect.VerdictRequest;
import dev.corral.gateway.dialect.WireResponse;
import dev.corral.gateway.dialect.Words;
import dev.corral.guardmodels.conversation.Conversation;
import dev.corral.guardmodels.conversation.Part;
import dev.corral.guardmodels.conversation.Role;
import dev.corral.guardmodels.conversation.Turn;
import dev.corral.policies.assessment.Assessment;
import dev.corral.policies.assessment.Coverage;
import dev.corral.policies.assessment.Probability;
import dev.corral.policies.policy.Direction;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/**
 * OpenAI's moderations: judges texts on behalf of others. Several texts have a result each; a list of parts is one
 * input and has one. Categories are the guard's hazards by their names, or OpenAI's where the request has {@code ?taxonomy=openai}.
 */
public final class OpenAiModerations implements VerdictDialect {

    /** So many texts may be judged in one request. */
    public static final int MAX_INPUTS = 64;

    private static final Set<String> PATHS = Set.of("/v1/moderations", "/v1/openai/v1/moderations");

    private static final JsonNodeFactory JSON = JsonNodeFactory.instance;

    /** {@code /v1/moderations}, with or without a slash at its end; Llama Stack has it at another path, too. */
    @Override
    public boolean serves(String path) {
        return PATHS.contains(path.endsWith("/") ? path.substring(0, path.length() - 1) : path);
    }

    /** Reads a request; fields that are not known are ignored, since nothing is passed on here. */
    @Override
    public VerdictRequest read(byte[] body, String query) {
        Fields fields = new Fields(StrictJson.request(body), "");
        String model = Settings.model(fields);
        isOpenAi(query);
        return new VerdictRequest(model, Direction.PROMPT, inputs(fields.take("input")), query);
    }

    @Override
    public WireResponse write(VerdictRequest request, String exchangeId, String guard, List<Verdict> verdicts) {
        ObjectNode response = JSON.objectNode().put("id", "modr-" + exchangeId).put("model", guard);
        var list = response.putArray("results");
        boolean openAi = isOpenAi(request.query());
        verdicts.forEach(verdict -> list.add(result(verdict, openAi)));
        return WireResponse.json(200, Map.of(), response);
    }

    @Override
    public WireResponse error(GatewayError error) {
        return ErrorEnvelope.whole(error);
    }

    private static ObjectNode result(Verdict verdict, boolean openAi) {
        ObjectNode written = JSON.objectNode().put("flagged", verdict.flagged());
        ObjectNode categories = written.putObject("categories");
        ObjectNode scores = written.putObject("category_scores");
        ObjectNode types = written.putObject("category_applied_input_types");
        Assessment.Scored assessment = verdict.assessment();
        List<String> inputTypes = inputTypes(assessment.coverage());
        if (openAi) {
            for (OpenAiCategory category : OpenAiCategory.ALL) {
                categories.put(category.word(), verdict.present().stream().anyMatch(category.hazards()::contains));
                scores.put(
                        category.word(),
                        Math.min(
                                1,
                                category.hazards().stream()
                                        .mapToDouble(hazard -> assessment
                                                .hazards()
                                                .getOrDefault(hazard, Probability.ZERO)
                                                .value())
                                        .sum()));
                ArrayNode applied = types.putArray(category.word());
                if (!category.hazards().isEmpty()) {
                    inputTypes.forEach(applied::add);
                }
            }
        }
        written.put("unsafe_score", assessment.unsafe().value());
        ObjectNode codes = written.putObject("hazards");
        assessment.hazards().forEach((hazard, probability) -> {
            codes.put(hazard.code(), probability.value());
            if (!openAi) {
                categories.put(hazard.displayName(), verdict.present().contains(hazard));
                scores.put(hazard.displayName(), probability.value());
                ArrayNode applied = types.putArray(hazard.displayName());
                inputTypes.forEach(applied::add);
            }
        });
        if (!assessment.coverage().unscanned().isEmpty()) {
            ArrayNode unscanned = written.putArray("unscanned");
            assessment
                    .coverage()
                    .unscanned()
                    .forEach(part -> unscanned
                            .addObject()
                            .put("what", part.what())
                            .put("where", part.where())
                            .put("why", part.why()));
        }
        return written;
    }

    /** The kinds of input that the guard read. */
    private static List<String> inputTypes(Coverage coverage) {
        return coverage.images().scanned() == 0
                ? List.of("text")
                : coverage.characters().total() == 0 ? List.of("image") : List.of("text", "image");
    }

    /** Whether the categories are to be OpenAI's: {@code ?taxonomy=openai}. */
    private static boolean isOpenAi(String query) {
        String taxonomy = "hazards";
        for (String parameter : query.split("&", -1)) {
            if (parameter.startsWith("taxonomy=")) {
                taxonomy = parameter.substring("taxonomy=".length());
            }
        }
        return switch (taxonomy) {
            case "openai" -> true;
            case "hazards" -> false;
            default ->
                throw refused(
                        "taxonomy",
                        "the parameter 'taxonomy' must be hazards or openai, but is '" + Words.shortened(taxonomy)
                                + "'");
        };
    }

    private static List<Conversation> inputs(@Nullable JsonNode input) {
        if (input != null && input.isString()) {
            return List.of(input(List.of(new Part.TextPart(input.stringValue(), "input"))));
        }
        if (input == null || !input.isArray() || input.isEmpty()) {
            throw refused("input", "'input' must be a text, a list of texts or a list of text parts, and not empty");
        }
        if (input.size() > MAX_INPUTS) {
            throw refused(
                    "input",
                    "'input' has " + input.size() + " items, but at most " + MAX_INPUTS
                            + " are judged in one request; send several requests");
        }
        boolean texts = input.get(0).isString();
        List<Part> parts = new ArrayList<>();
        for (int i = 0; i < input.size(); i++) {
            String where = "input[" + i + "]";
            if (input.get(i).isString() != texts) {
                throw refused(where, "'input' must hold either texts or parts, not both");
            }
            parts.add(texts ? new Part.TextPart(input.get(i).stringValue(), where) : part(input.get(i), where));
        }
        return texts ? parts.stream().map(text -> input(List.of(text))).toList() : List.of(input(parts));
    }

    private static Part part(JsonNode part, String where) {
        String type = part.path("type").asString("");
        JsonNode text = part.path("text");
        if (type.equals("text") && text.isString()) {
            return new Part.TextPart(text.stringValue(), where + ".text");
        }
        JsonNode image = part.path("image_url");
        JsonNode url = image.isObject() ? image.path("url") : image;
        if (type.equals("image_url") && url.isString()) {
            return new Part.ImagePart(url.stringValue(), where + ".image_url");
        }
        throw refused(
                where,
                "'" + where
                        + "' must be a text, a part of type text with a text, or a part of type image_url with a url");
    }

    private static Conversation input(List<? extends Part> parts) {
        return new Conversation(List.of(new Turn(Role.USER, List.copyOf(parts))));
    }

    private static DialectException refused(String param, String message) {
        return DialectException.invalidRequest(param, message);
    }
}
