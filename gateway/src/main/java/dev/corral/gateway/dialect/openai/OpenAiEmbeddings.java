package dev.corral.gateway.dialect.openai;

import dev.corral.gateway.dialect.Answer;
import dev.corral.gateway.dialect.DialectException;
import dev.corral.gateway.dialect.Fields;
import dev.corral.gateway.dialect.GatewayError;
import dev.corral.gateway.dialect.ModeratedRequest;
import dev.corral.gateway.dialect.Paths;
import dev.corral.gateway.dialect.Redactor;
import dev.corral.gateway.dialect.StrictJson;
import dev.corral.gateway.dialect.TextlessDialect;
import dev.corral.gateway.dialect.ToolCalls;
import dev.corral.gateway.dialect.WireResponse;
import dev.corral.gateway.dialect.Words;
import dev.corral.guardmodels.conversation.Conversation;
import dev.corral.guardmodels.conversation.Part;
import dev.corral.guardmodels.conversation.Role;
import dev.corral.guardmodels.conversation.Turn;
import dev.corral.policies.policy.ContentSource;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.springframework.http.HttpMethod;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/** OpenAI's embeddings. Texts are judged before they are embedded; the answer is numbers, and has no form of refusal. */
public final class OpenAiEmbeddings extends TextlessDialect {

    /** As many as OpenAI takes. */
    static final int MAX_INPUTS = 2_048;

    private static final Pattern BASE64 = Pattern.compile("[A-Za-z0-9+/]*={0,2}");

    public OpenAiEmbeddings() {
        super("input");
    }

    /** {@code POST …/embeddings}, with or without a slash at its end. */
    @Override
    public boolean serves(HttpMethod method, String path) {
        return Paths.isPost(method, path, "/embeddings");
    }

    @Override
    public ModeratedRequest read(byte[] body) {
        Fields fields = new Fields(StrictJson.request(body), "");
        List<Turn> turns = inputs(fields.take("input"));
        String model = Settings.model(fields);
        fields.number("dimensions");
        List<Part> settings = new ArrayList<>(fields.setting("encoding_format"));
        settings.addAll(fields.setting("user"));
        settings.addAll(fields.setting("input_type"));
        settings.addAll(fields.setting("truncate"));
        fields.refuseLookalikes();
        settings.addAll(fields.unread(_ -> false));
        if (!settings.isEmpty()) {
            turns.addFirst(new Turn(Role.SYSTEM, settings));
        }
        return new ModeratedRequest(new Conversation(turns), model, false, true);
    }

    @Override
    public Answer readAnswer(byte[] body) {
        JsonNode root = StrictJson.answer(body);
        if (!root.isObject()) {
            throw DialectException.unreadable("it is not a JSON object");
        }
        Fields fields = new Fields(root, "");
        JsonNode data = fields.take("data");
        AnswerReader rest = new AnswerReader(Form.TEXT.message());
        ObjectNode others = JsonNodeFactory.instance.objectNode();
        root.properties().stream()
                .filter(field -> !field.getKey().equals("data"))
                .forEach(field -> others.set(field.getKey(), field.getValue()));
        rest.accept(others);
        if (data != null) {
            rest.add(unknown(data));
        }
        Answer answer = rest.answer();
        if (data == null && answer.choices().isEmpty()) {
            throw DialectException.unreadable("it has neither 'data' nor an 'error'");
        }
        return answer;
    }

    @Override
    public byte[] redactRequest(byte[] body, Redactor redactor) {
        ObjectNode redacted = JsonNodeFactory.instance.objectNode();
        StrictJson.request(body)
                .properties()
                .forEach(field -> redacted.set(
                        field.getKey(),
                        ChatRedaction.FIELDS.redactField(
                                redacted,
                                field.getKey(),
                                field.getValue(),
                                field.getKey().equals("input")
                                        ? ContentSource.USER
                                        : ToolCalls.source(field.getKey(), ContentSource.SYSTEM),
                                redactor)));
        return StrictJson.bytes(redacted);
    }

    @Override
    public byte[] redactAnswer(byte[] body, Redactor redactor) {
        return StrictJson.bytes(ChatRedaction.answer(StrictJson.answer(body), redactor));
    }

    @Override
    public WireResponse error(GatewayError error) {
        return ErrorEnvelope.whole(error);
    }

    @Override
    public byte[] errorFrame(GatewayError error) {
        return ErrorEnvelope.frame(error);
    }

    private static List<Turn> inputs(@Nullable JsonNode input) {
        List<Turn> turns = new ArrayList<>();
        if (input == null) {
            throw refused("input", "'input' is missing or null; send a text, or a list of texts");
        }
        if (!input.isArray() || isTokens(input)) {
            turns.add(input(input, "input"));
            return turns;
        }
        if (input.isEmpty() || input.size() > MAX_INPUTS) {
            throw refused("input", "'input' has " + input.size() + " items; send 1 to " + MAX_INPUTS);
        }
        for (int i = 0; i < input.size(); i++) {
            turns.add(input(input.get(i), "input[" + i + "]"));
        }
        return turns;
    }

    private static Turn input(JsonNode input, String where) {
        if (input.isString()) {
            return new Turn(Role.USER, List.of(new Part.TextPart(input.stringValue(), where)));
        }
        if (isTokens(input)) {
            return new Turn(Role.USER, List.of(new Part.OpaquePart("input of tokens", where)));
        }
        if (input.isObject()) {
            return new Turn(Role.USER, List.of(new Part.OpaquePart("input that is an object", where)));
        }
        throw refused(
                where,
                "'" + where + "' must be a text, a list of texts or a list of tokens, not " + Fields.kind(input));
    }

    private static boolean isTokens(JsonNode input) {
        return input.isArray() && !input.isEmpty() && input.values().stream().allMatch(JsonNode::isIntegralNumber);
    }

    /** What is no embedding in a list of embeddings. */
    private static List<Part> unknown(JsonNode data) {
        if (!data.isArray()) {
            return List.of(new Part.OpaquePart("field 'data'", "data"));
        }
        List<Part> unknown = new ArrayList<>();
        for (int i = 0; i < data.size(); i++) {
            String where = "data[" + i + "]";
            if (!data.get(i).isObject()) {
                unknown.add(new Part.OpaquePart("embedding", where));
                continue;
            }
            Fields fields = new Fields(data.get(i), where);
            JsonNode embedding = fields.take("embedding");
            if (embedding == null || !isEmbedding(embedding)) {
                unknown.add(new Part.OpaquePart("embedding", fields.at("embedding")));
            }
            unknown.addAll(fields.setting("object"));
            fields.take("index");
            unknown.addAll(fields.unread(Words::isTextless));
        }
        return unknown;
    }

    private static boolean isEmbedding(JsonNode embedding) {
        return embedding.isString()
                ? BASE64.matcher(embedding.stringValue()).matches()
                : embedding.isArray() && embedding.values().stream().allMatch(JsonNode::isNumber);
    }

    private static DialectException refused(String param, String message) {
        return DialectException.invalidRequest(param, message);
    }
}
