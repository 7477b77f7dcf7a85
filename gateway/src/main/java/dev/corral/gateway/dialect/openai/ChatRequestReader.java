package dev.corral.gateway.dialect.openai;

import dev.corral.gateway.dialect.DialectException;
import dev.corral.gateway.dialect.GatewayError;
import dev.corral.gateway.dialect.ModeratedRequest;
import dev.corral.gateway.dialect.StrictJson;
import dev.corral.guardmodels.conversation.Conversation;
import dev.corral.guardmodels.conversation.Part;
import dev.corral.guardmodels.conversation.Role;
import dev.corral.guardmodels.conversation.Turn;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/** Reads the body of a chat request. */
final class ChatRequestReader {

    /** So many answers may be asked for at once: each is judged, window by window. */
    static final int MAX_CHOICES = 8;

    static final int MAX_MESSAGES = 1024;

    private static final int MAX_MODEL_NAME = 256;

    private static final Map<String, Role> ROLES = Map.of(
            "system", Role.SYSTEM,
            "developer", Role.SYSTEM,
            "user", Role.USER,
            "assistant", Role.ASSISTANT,
            "tool", Role.TOOL,
            "function", Role.TOOL);

    /** Numbers that steer sampling, at OpenAI, vLLM, llama.cpp and Ollama. */
    private static final List<String> NUMBERS = List.of(
            "temperature",
            "top_p",
            "top_k",
            "top_a",
            "min_p",
            "typical_p",
            "max_tokens",
            "max_completion_tokens",
            "min_tokens",
            "presence_penalty",
            "frequency_penalty",
            "repetition_penalty",
            "repeat_penalty",
            "repeat_last_n",
            "length_penalty",
            "mirostat",
            "mirostat_eta",
            "mirostat_tau",
            "seed",
            "top_logprobs",
            "n_probs",
            "best_of",
            "num_ctx",
            "num_predict",
            "priority");

    private static final List<String> FLAGS = List.of(
            "logprobs",
            "store",
            "parallel_tool_calls",
            "ignore_eos",
            "include_stop_str_in_output",
            "skip_special_tokens",
            "spaces_between_special_tokens",
            "cache_prompt",
            "timings_per_token",
            "return_progress");

    /** Settings and identifiers; what is too long for that is judged as text. */
    private static final List<String> SETTINGS = List.of(
            "stop",
            "stop_token_ids",
            "user",
            "stream_options",
            "service_tier",
            "metadata",
            "logit_bias",
            "tool_choice",
            "function_call",
            "safety_identifier",
            "prompt_cache_key",
            "prompt_cache_retention",
            "reasoning_effort",
            "reasoning",
            "thinking",
            "think",
            "verbosity",
            "modalities",
            "keep_alive");

    /** What an upstream renders into the prompt, or holds the answer to: always judged, as the application's words. */
    private static final List<String> DEFINITIONS = List.of(
            "tools",
            "functions",
            "response_format",
            "chat_template_kwargs",
            "structured_outputs",
            "guided_json",
            "guided_regex",
            "guided_choice",
            "guided_grammar",
            "json_schema",
            "grammar");

    private ChatRequestReader() {}

    static ModeratedRequest read(byte[] body) {
        Fields fields = new Fields(object(body), "");
        List<Turn> turns = messages(fields.take("messages"));
        String model = model(fields.take("model"));
        boolean stream = flag(fields.take("stream"), "stream");
        choices(fields.take("n"));
        NUMBERS.forEach(name -> number(fields.take(name), name));
        FLAGS.forEach(name -> flag(fields.take(name), name));
        List<Part> parts = new ArrayList<>();
        DEFINITIONS.forEach(name -> parts.addAll(definition(fields.take(name), name)));
        SETTINGS.forEach(name -> parts.addAll(setting(fields.take(name), name)));
        fields.refuseLookalikes();
        parts.addAll(fields.unread(value -> false));
        if (!parts.isEmpty()) {
            turns.addFirst(new Turn(Role.SYSTEM, parts));
        }
        return new ModeratedRequest(new Conversation(turns), model, stream);
    }

    /** The body as an object in which every text is one that can be written down. */
    static JsonNode object(byte[] body) {
        JsonNode root;
        try {
            root = StrictJson.parse(body);
        } catch (StrictJson.Malformed e) {
            throw refused(null, "the body is not valid JSON: " + e.getMessage());
        }
        if (!root.isObject()) {
            throw refused(null, "the body must be a JSON object, not " + kind(root));
        }
        refuseLoneSurrogates(root, "");
        return root;
    }

    /**
     * JSON can escape half of a surrogate pair, which no UTF-8 can hold. Every reader makes something else of it: a
     * question mark, U+FFFD, nothing, an error. The guard and the upstream would see different texts, so it is refused.
     */
    private static void refuseLoneSurrogates(JsonNode value, String where) {
        if (value.isString() && Words.hasLoneSurrogate(value.stringValue())) {
            throw refused(
                    where,
                    "'" + where + "' has half of a surrogate pair (such as \\ud83d without \\ude00), which is no"
                            + " character; send the whole pair, or leave it out");
        }
        value.properties().forEach(field -> {
            if (Words.hasLoneSurrogate(field.getKey())) {
                throw refused(where.isEmpty() ? null : where, "the name of a field has half of a surrogate pair");
            }
            refuseLoneSurrogates(
                    field.getValue(),
                    where.isEmpty() ? Words.shortened(field.getKey()) : where + "." + Words.shortened(field.getKey()));
        });
        if (value.isArray()) {
            for (int i = 0; i < value.size(); i++) {
                refuseLoneSurrogates(value.get(i), where + "[" + i + "]");
            }
        }
    }

    private static List<Turn> messages(@Nullable JsonNode messages) {
        if (messages == null) {
            throw refused("messages", "'messages' is missing or null; send a list of at least one message");
        }
        if (!messages.isArray()) {
            throw refused("messages", "'messages' must be a list of messages, not " + kind(messages));
        }
        if (messages.size() > MAX_MESSAGES) {
            throw refused(
                    "messages",
                    "'messages' has " + messages.size()
                            + " messages, and each is judged with those before it; send at most " + MAX_MESSAGES);
        }
        if (messages.isEmpty()) {
            throw refused("messages", "'messages' is empty; send at least one message");
        }
        List<Turn> turns = new ArrayList<>();
        for (int i = 0; i < messages.size(); i++) {
            turns.add(message(messages.get(i), "messages[" + i + "]"));
        }
        return turns;
    }

    private static Turn message(JsonNode message, String where) {
        if (!message.isObject()) {
            throw refused(where, "'" + where + "' must be a message, which is an object, not " + kind(message));
        }
        Fields fields = new Fields(message, where);
        Role role = role(fields.take("role"), fields.at("role"));
        JsonNode content = fields.take("content");
        List<Part> named = new ArrayList<>(words(fields, "name"));
        List<Part> said = new ArrayList<>();
        said.addAll(words(fields, "reasoning_content"));
        said.addAll(words(fields, "reasoning"));
        said.addAll(words(fields, "thinking"));
        said.addAll(content(content, role, fields.at("content")));
        said.addAll(words(fields, "refusal"));
        Calls calls = new Calls();
        calls.acceptAll(fields.take("tool_calls"), fields.at("tool_calls"));
        calls.acceptFunction(fields.take("function_call"), fields.at("function_call"));
        said.addAll(calls.parts());
        said.addAll(words(fields, "annotations"));
        for (String identifier : List.of("id", "tool_call_id", "cache_control")) {
            said.addAll(setting(fields.take(identifier), fields.at(identifier)));
        }
        for (String flag : List.of("prefix", "partial")) {
            flag(fields.take(flag), fields.at(flag));
        }
        fields.refuseLookalikes();
        said.addAll(fields.unread(value -> false));
        if (content == null && (role != Role.ASSISTANT || said.isEmpty())) {
            throw refused(
                    fields.at("content"),
                    "'" + fields.at("content") + "' is missing or null; only an assistant's message that calls a tool,"
                            + " refuses or reasons may be without content");
        }
        named.addAll(said);
        return new Turn(role, named);
    }

    private static Role role(@Nullable JsonNode value, String where) {
        Role role = value != null && value.isString() ? ROLES.get(value.stringValue()) : null;
        if (role == null) {
            String given = value == null
                    ? "missing"
                    : value.isString() ? "'" + Words.shortened(value.stringValue()) + "'" : kind(value);
            throw refused(
                    where,
                    "'" + where + "' must be system, developer, user, assistant, tool or function, but is " + given);
        }
        return role;
    }

    private static List<Part> content(@Nullable JsonNode content, Role role, String where) {
        if (content == null) {
            return List.of();
        }
        if (content.isString()) {
            return said(content.stringValue(), role, where);
        }
        if (!content.isArray()) {
            throw refused(where, "'" + where + "' must be a text or a list of parts, not " + kind(content));
        }
        List<Part> parts = new ArrayList<>();
        for (int i = 0; i < content.size(); i++) {
            parts.addAll(part(content.get(i), role, where + "[" + i + "]"));
        }
        return parts;
    }

    private static List<Part> part(JsonNode part, Role role, String where) {
        if (part.isString()) {
            return said(part.stringValue(), role, where);
        }
        if (!part.isObject()) {
            throw refused(where, "'" + where + "' must be a part, which is an object with a type, not " + kind(part));
        }
        Fields fields = new Fields(part, where);
        JsonNode type = fields.take("type");
        if (type == null || !type.isString()) {
            throw refused(
                    fields.at("type"),
                    "'" + fields.at("type") + "' must be a text such as text or image_url, but is "
                            + (type == null ? "missing" : kind(type)));
        }
        List<Part> parts = new ArrayList<>();
        switch (type.stringValue()) {
            case "text" -> parts.addAll(said(text(fields, "text"), role, where));
            case "refusal" -> parts.addAll(said(text(fields, "refusal"), role, where));
            case "image_url" -> parts.addAll(image(fields));
            default -> {
                return List.of(opaque(type.stringValue(), where));
            }
        }
        parts.addAll(setting(fields.take("cache_control"), fields.at("cache_control")));
        fields.refuseLookalikes();
        parts.addAll(fields.unread(value -> false));
        return parts;
    }

    /** A part that no guard here reads, whatever its fields are. */
    static Part opaque(String type, String where) {
        return new Part.OpaquePart(
                switch (type) {
                    case "input_audio" -> "audio";
                    case "file" -> "file";
                    case "video_url" -> "video";
                    default -> "part of type '" + Words.shortened(type) + "'";
                },
                where);
    }

    private static List<Part> image(Fields part) {
        String where = part.at("image_url");
        JsonNode image = part.take("image_url");
        if (image != null && image.isString()) {
            return List.of(new Part.ImagePart(image.stringValue(), where));
        }
        if (image == null || !image.isObject()) {
            throw refused(
                    where,
                    "'" + where + "' must be an object with a url, but is "
                            + (image == null ? "missing" : kind(image)));
        }
        Fields fields = new Fields(image, where);
        List<Part> parts = new ArrayList<>();
        parts.add(new Part.ImagePart(text(fields, "url"), where));
        parts.addAll(setting(fields.take("detail"), fields.at("detail")));
        fields.refuseLookalikes();
        parts.addAll(fields.unread(value -> false));
        return parts;
    }

    private static List<Part> said(String text, Role role, String where) {
        return role == Role.TOOL
                ? Words.resolved(text).stream()
                        .<Part>map(result -> new Part.ToolResultPart(result, where))
                        .toList()
                : List.of(new Part.TextPart(text, where));
    }

    private static String text(Fields fields, String name) {
        JsonNode text = fields.take(name);
        if (text == null || !text.isString()) {
            throw refused(
                    fields.at(name),
                    "'" + fields.at(name) + "' must be a text, but is " + (text == null ? "missing" : kind(text)));
        }
        return text.stringValue();
    }

    /** Whatever is in a field, as text; numbers and the like have nothing to read. */
    private static List<Part> words(Fields fields, String name) {
        JsonNode value = fields.take(name);
        return value == null || Words.isTextless(value) ? List.of() : List.of(rendered(value, fields.at(name)));
    }

    private static String model(@Nullable JsonNode model) {
        if (model == null) {
            return "";
        }
        if (!model.isString()) {
            throw refused("model", "'model' must be a text, not " + kind(model));
        }
        if (model.stringValue().length() > MAX_MODEL_NAME) {
            throw refused("model", "'model' must have at most " + MAX_MODEL_NAME + " characters");
        }
        return model.stringValue();
    }

    private static void choices(@Nullable JsonNode n) {
        if (n != null
                && !(n.canConvertToExactIntegral()
                        && n.canConvertToLong()
                        && n.asLong() >= 1
                        && n.asLong() <= MAX_CHOICES)) {
            throw refused(
                    "n",
                    "'n' must be a whole number from 1 to " + MAX_CHOICES + ", because each answer is moderated;"
                            + " send several requests for more");
        }
    }

    private static void number(@Nullable JsonNode value, String name) {
        if (value != null && !value.isNumber()) {
            throw refused(name, "'" + name + "' must be a number, not " + kind(value));
        }
    }

    private static boolean flag(@Nullable JsonNode value, String name) {
        if (value != null && !value.isBoolean()) {
            throw refused(name, "'" + name + "' must be true or false, not " + kind(value));
        }
        return value != null && value.booleanValue();
    }

    private static List<Part> setting(@Nullable JsonNode value, String where) {
        return value == null || Words.isNeutralWithNames(value) ? List.of() : List.of(rendered(value, where));
    }

    private static List<Part> definition(@Nullable JsonNode value, String name) {
        if (value == null || Words.isTextless(value) || (name.equals("response_format") && isPlainFormat(value))) {
            return List.of();
        }
        if (!value.isArray()) {
            return List.of(rendered(value, name));
        }
        List<Part> parts = new ArrayList<>();
        for (int i = 0; i < value.size(); i++) {
            parts.add(rendered(value.get(i), name + "[" + i + "]"));
        }
        return parts;
    }

    private static boolean isPlainFormat(JsonNode format) {
        return format.size() == 1 && format.path("type").isString() && Words.isNeutral(format);
    }

    private static Part rendered(JsonNode value, String where) {
        return new Part.TextPart(value.isString() ? value.stringValue() : StrictJson.render(value), where);
    }

    private static String kind(JsonNode value) {
        return switch (value.getNodeType()) {
            case OBJECT -> "an object";
            case ARRAY -> "a list";
            case STRING -> "a text";
            case NUMBER -> "a number";
            case BOOLEAN -> "true or false";
            default -> "null";
        };
    }

    private static DialectException refused(@Nullable String param, String message) {
        return new DialectException(GatewayError.invalidRequest(param, message));
    }
}
