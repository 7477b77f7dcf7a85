package dev.corral.gateway.dialect.openai;

import dev.corral.gateway.dialect.DialectException;
import dev.corral.gateway.dialect.Fields;
import dev.corral.gateway.dialect.ModeratedRequest;
import dev.corral.gateway.dialect.StrictJson;
import dev.corral.guardmodels.conversation.Conversation;
import dev.corral.guardmodels.conversation.Part;
import dev.corral.guardmodels.conversation.Role;
import dev.corral.guardmodels.conversation.Turn;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/** Reads the body of a request to complete texts. Each prompt is a turn of the user. */
final class CompletionRequestReader {

    /** So many prompts may be in one request: each has answers of its own. */
    static final int MAX_PROMPTS = 16;

    private CompletionRequestReader() {}

    static ModeratedRequest read(byte[] body) {
        Fields fields = new Fields(StrictJson.request(body), "");
        List<Turn> turns = prompts(fields.take("prompt"));
        List<Part> suffix = fields.words("suffix");
        if (!suffix.isEmpty()) {
            List<Part> parts = new ArrayList<>(turns.removeLast().parts());
            parts.addAll(suffix);
            turns.add(new Turn(Role.USER, parts));
        }
        String model = Settings.model(fields);
        boolean stream = fields.flag("stream");
        fields.flag("echo");
        fields.number("logprobs");
        List<Part> settings = Settings.read(fields);
        fields.refuseLookalikes();
        settings.addAll(fields.unread(_ -> false));
        if (!settings.isEmpty()) {
            turns.addFirst(new Turn(Role.SYSTEM, settings));
        }
        return new ModeratedRequest(new Conversation(turns), model, stream, true);
    }

    /** Whether a field holds the user's words. */
    static boolean isPrompt(String field) {
        return field.equals("prompt") || field.equals("suffix");
    }

    private static List<Turn> prompts(@Nullable JsonNode prompt) {
        List<Turn> turns = new ArrayList<>();
        if (prompt == null) {
            throw refused("prompt", "'prompt' is missing or null; send a text, or a list of texts");
        }
        if (!prompt.isArray() || isTokens(prompt)) {
            turns.add(prompt(prompt, "prompt"));
            return turns;
        }
        if (prompt.isEmpty() || prompt.size() > MAX_PROMPTS) {
            throw refused(
                    "prompt",
                    "'prompt' has " + prompt.size() + " texts, each of which has its own answer; send 1 to "
                            + MAX_PROMPTS);
        }
        for (int i = 0; i < prompt.size(); i++) {
            turns.add(prompt(prompt.get(i), "prompt[" + i + "]"));
        }
        return turns;
    }

    private static Turn prompt(JsonNode prompt, String where) {
        if (prompt.isString()) {
            return new Turn(Role.USER, List.of(new Part.TextPart(prompt.stringValue(), where)));
        }
        if (isTokens(prompt)) {
            return new Turn(Role.USER, List.of(new Part.OpaquePart("prompt of tokens", where)));
        }
        throw refused(
                where,
                "'" + where + "' must be a text, a list of texts or a list of tokens, not " + Fields.kind(prompt));
    }

    /** A prompt in the upstream's own numbers: its text is known to the upstream's tokenizer only. */
    private static boolean isTokens(JsonNode prompt) {
        return prompt.isArray() && !prompt.isEmpty() && prompt.values().stream().allMatch(JsonNode::isIntegralNumber);
    }

    private static DialectException refused(String param, String message) {
        return DialectException.invalidRequest(param, message);
    }
}
