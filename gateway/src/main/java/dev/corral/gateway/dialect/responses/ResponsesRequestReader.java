package dev.corral.gateway.dialect.responses;

import dev.corral.gateway.dialect.DialectException;
import dev.corral.gateway.dialect.Fields;
import dev.corral.gateway.dialect.GatewayError;
import dev.corral.gateway.dialect.ModeratedRequest;
import dev.corral.gateway.dialect.StrictJson;
import dev.corral.gateway.dialect.ToolNames;
import dev.corral.gateway.dialect.Words;
import dev.corral.guardmodels.conversation.Conversation;
import dev.corral.guardmodels.conversation.Part;
import dev.corral.guardmodels.conversation.Role;
import dev.corral.guardmodels.conversation.Turn;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/** Reads the body of a request for a response. Each item of its input is a turn. */
final class ResponsesRequestReader {

    static final int MAX_ITEMS = 1_024;

    private static final int MAX_MODEL_NAME = 256;

    private static final List<String> NUMBERS =
            List.of("temperature", "top_p", "top_k", "top_logprobs", "max_output_tokens", "max_tool_calls", "seed");

    private static final List<String> FLAGS = List.of("store", "parallel_tool_calls");

    /** Settings and identifiers; what is too long for that is judged as text. */
    private static final List<String> SETTINGS = List.of(
            "include",
            "reasoning",
            "service_tier",
            "stream_options",
            "tool_choice",
            "truncation",
            "user",
            "safety_identifier",
            "prompt_cache_key",
            "prompt_cache_retention");

    /** What names texts that an upstream holds. */
    private static final List<String> STORED = List.of("previous_response_id", "conversation", "prompt");

    private ResponsesRequestReader() {}

    static ModeratedRequest read(byte[] body) {
        Fields fields = new Fields(StrictJson.request(body), "");
        for (String name : STORED) {
            if (fields.take(name) != null) {
                throw stored(name, "'" + name + "'");
            }
        }
        if (fields.flag("background")) {
            throw DialectException.invalidRequest(
                    "background",
                    "'background' answers later, at a path that is not moderated; leave it out, and use 'stream'");
        }
        List<Part> application = new ArrayList<>(fields.words("instructions"));
        application.addAll(fields.definition("tools"));
        application.addAll(format(fields.take("text")));
        List<Turn> turns = input(fields.take("input"));
        String model = fields.name("model", MAX_MODEL_NAME);
        boolean stream = fields.flag("stream");
        NUMBERS.forEach(fields::number);
        FLAGS.forEach(fields::flag);
        SETTINGS.forEach(name -> application.addAll(fields.setting(name)));
        application.addAll(fields.phrases("metadata"));
        fields.refuseLookalikes();
        application.addAll(fields.unread(_ -> false));
        if (!application.isEmpty()) {
            turns.addFirst(new Turn(Role.SYSTEM, application));
        }
        return new ModeratedRequest(new Conversation(turns), model, stream);
    }

    private static List<Turn> input(@Nullable JsonNode input) {
        List<Turn> turns = new ArrayList<>();
        if (input == null) {
            throw refused("input", "'input' is missing or null; send a text, or a list of items");
        }
        if (input.isString()) {
            turns.add(new Turn(Role.USER, List.of(new Part.TextPart(input.stringValue(), "input"))));
            return turns;
        }
        if (!input.isArray()) {
            throw refused("input", "'input' must be a text or a list of items, not " + Fields.kind(input));
        }
        if (input.isEmpty() || input.size() > MAX_ITEMS) {
            throw refused(
                    "input",
                    "'input' has " + input.size() + " items, each of which is judged with those before it; send 1 to "
                            + MAX_ITEMS);
        }
        ToolNames tools = new ToolNames();
        for (int i = 0; i < input.size(); i++) {
            String where = "input[" + i + "]";
            if (!input.get(i).isObject()) {
                throw refused(
                        where, "'" + where + "' must be an item, which is an object, not " + Fields.kind(input.get(i)));
            }
            Fields item = new Fields(input.get(i), where);
            Turn turn = tools.named(Items.turn(item), input.get(i));
            item.refuseLookalikes();
            turns.add(turn);
            tools.learn(input.get(i));
        }
        return turns;
    }

    /** How the text of the answer must look; a schema has words of its own. */
    private static List<Part> format(@Nullable JsonNode text) {
        if (text == null) {
            return List.of();
        }
        if (!text.isObject()) {
            return List.of(Words.rendered(text, "text"));
        }
        Fields fields = new Fields(text, "text");
        JsonNode format = fields.take("format");
        List<Part> parts = new ArrayList<>();
        if (format != null && !isPlain(format)) {
            parts.add(Words.rendered(format, fields.at("format")));
        }
        parts.addAll(fields.setting("verbosity"));
        fields.refuseLookalikes();
        parts.addAll(fields.unread(_ -> false));
        return parts;
    }

    private static boolean isPlain(JsonNode format) {
        return format.size() == 1 && format.path("type").isString() && Words.isSetting(format);
    }

    /** Something is named that is not there to be judged. */
    static DialectException stored(String where, String what) {
        return new DialectException(new GatewayError(
                400,
                "invalid_request_error",
                "unseen_content",
                where,
                what + " names texts that the upstream holds and that were never judged here; send the items themselves"
                        + " in 'input', with 'store': false",
                null));
    }

    private static DialectException refused(String param, String message) {
        return DialectException.invalidRequest(param, message);
    }
}
