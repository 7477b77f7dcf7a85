package dev.corral.gateway.dialect.openai;

import dev.corral.gateway.dialect.DialectException;
import dev.corral.gateway.dialect.Fields;
import dev.corral.gateway.dialect.GatewayError;
import dev.corral.gateway.dialect.StrictJson;
import dev.corral.gateway.dialect.Verdict;
import dev.corral.gateway.dialect.VerdictDialect;
import dev.corral.gateway.dialect.VerdictRequest;
import dev.corral.gateway.dialect.WireResponse;
import dev.corral.guardmodels.conversation.Conversation;
import dev.corral.guardmodels.conversation.Part;
import dev.corral.guardmodels.conversation.Role;
import dev.corral.guardmodels.conversation.Turn;
import dev.corral.policies.policy.Direction;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/**
 * OpenAI's moderations: judges texts on behalf of others. Several texts have a result each; a list of parts is one
 * input and has one. Categories are the guard's hazards by their names.
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
        String model = fields.name("model", 256);
        return new VerdictRequest(model, Direction.PROMPT, inputs(fields.take("input")), query);
    }

    @Override
    public WireResponse write(VerdictRequest request, String exchangeId, String guard, List<Verdict> verdicts) {
        ObjectNode response = JSON.objectNode().put("id", "modr-" + exchangeId).put("model", guard);
        var list = response.putArray("results");
        verdicts.forEach(verdict -> list.add(result(verdict)));
        return WireResponse.json(200, Map.of(), response);
    }

    @Override
    public WireResponse error(GatewayError error) {
        return ChatWriter.error(error);
    }

    private static ObjectNode result(Verdict result) {
        ObjectNode written = JSON.objectNode().put("flagged", result.flagged());
        ObjectNode categories = written.putObject("categories");
        ObjectNode scores = written.putObject("category_scores");
        ObjectNode types = written.putObject("category_applied_input_types");
        written.put("unsafe_score", result.assessment().unsafe().value());
        ObjectNode codes = written.putObject("hazards");
        result.assessment().hazards().forEach((hazard, probability) -> {
            categories.put(hazard.displayName(), result.present().contains(hazard));
            scores.put(hazard.displayName(), probability.value());
            types.putArray(hazard.displayName()).add("text");
            codes.put(hazard.code(), probability.value());
        });
        return written;
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
        List<Part.TextPart> parts = new ArrayList<>();
        for (int i = 0; i < input.size(); i++) {
            String where = "input[" + i + "]";
            if (input.get(i).isString() != texts) {
                throw refused(where, "'input' must hold either texts or parts, not both");
            }
            parts.add(texts ? new Part.TextPart(input.get(i).stringValue(), where) : part(input.get(i), where));
        }
        return texts ? parts.stream().map(text -> input(List.of(text))).toList() : List.of(input(parts));
    }

    private static Part.TextPart part(JsonNode part, String where) {
        JsonNode type = part.path("type");
        if (type.isString() && type.stringValue().equals("image_url")) {
            throw refused(where, "'" + where + "' is an image, which needs a vision guard; this guard reads text only");
        }
        JsonNode text = part.path("text");
        if (!type.isString() || !type.stringValue().equals("text") || !text.isString()) {
            throw refused(where, "'" + where + "' must be a text, or a part of type text with a text");
        }
        return new Part.TextPart(text.stringValue(), where + ".text");
    }

    private static Conversation input(List<? extends Part> parts) {
        return new Conversation(List.of(new Turn(Role.USER, List.copyOf(parts))));
    }

    private static DialectException refused(String param, String message) {
        return DialectException.invalidRequest(param, message);
    }
}
