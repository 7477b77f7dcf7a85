package dev.corral.gateway.translation;

import dev.corral.gateway.dialect.DialectException;
import dev.corral.gateway.dialect.Fields;
import dev.corral.gateway.dialect.ToolCalls;
import dev.corral.gateway.dialect.Words;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/** {@code POST /api/chat}. */
final class OllamaRequestReader extends RequestReader {

    /** How long Ollama is to keep a model loaded. */
    static final Set<String> MEANINGLESS = Set.of("keep_alive");

    /** How Ollama is to run a model on its machine. */
    static final Set<String> MEANINGLESS_OPTIONS = Set.of(
            "num_ctx",
            "num_batch",
            "num_gpu",
            "main_gpu",
            "num_thread",
            "num_keep",
            "numa",
            "low_vram",
            "f16_kv",
            "vocab_only",
            "use_mmap",
            "use_mlock");

    /** An image's kind is in its first bytes. */
    private static final Map<String, String> KINDS = Map.of(
            "/9j/", "image/jpeg",
            "iVBOR", "image/png",
            "R0lGOD", "image/gif",
            "UklGR", "image/webp");

    /** Calls whose results have not been read yet. */
    private final List<Content.Call> open = new ArrayList<>();

    OllamaRequestReader(Target target) {
        super(target);
    }

    @Override
    ChatRequest read(JsonNode body) {
        Fields fields = new Fields(body, "");
        List<Message> messages = new ArrayList<>();
        objects(fields, "messages", "a message").forEach(message -> messages.add(message(message, messages.size())));
        List<Tool> tools =
                objects(fields, "tools", "a tool").stream().map(this::function).toList();
        options(object(fields, "options"));
        thinking(fields);
        ChatRequest request = new ChatRequest(
                text(fields, "model"),
                body.path("stream").asBoolean(true),
                true,
                messages,
                tools,
                new ToolChoice.Auto(),
                format(fields),
                settings);
        fields.take("stream");
        target.refuseRest(fields, MEANINGLESS);
        return request;
    }

    private void options(Fields options) {
        take(options, "temperature", Setting.TEMPERATURE);
        take(options, "top_p", Setting.TOP_P);
        take(options, "top_k", Setting.TOP_K);
        take(options, "min_p", Setting.MIN_P);
        take(options, "num_predict", Setting.MAX_TOKENS);
        Given longest = settings.get(Setting.MAX_TOKENS);
        if (longest != null && longest.value().asLong(0) <= 0) {
            settings.remove(Setting.MAX_TOKENS); // as long as it likes, or as the context allows
        }
        takeStop(options, "stop");
        take(options, "seed", Setting.SEED);
        take(options, "presence_penalty", Setting.PRESENCE_PENALTY);
        take(options, "frequency_penalty", Setting.FREQUENCY_PENALTY);
        target.refuseRest(options, MEANINGLESS_OPTIONS);
    }

    private void thinking(Fields fields) {
        JsonNode think = fields.take("think");
        if (think == null) {
            return;
        }
        String where = fields.at("think");
        think(
                think.isBoolean()
                        ? think.booleanValue() ? Effort.ON : Effort.OFF
                        : Effort.graded(think.asString(""))
                                .orElseThrow(() -> target.refusal(
                                        where, "true, false, low, medium and high are what others know")),
                where);
    }

    private Optional<Format> format(Fields fields) {
        JsonNode format = fields.take("format");
        String where = fields.at("format");
        if (format == null || Words.isTextless(format)) {
            return Optional.empty();
        }
        if (format.isObject()) {
            return Optional.of(new Format.Schema("answer", format, true, where));
        }
        if (!format.asString("").equals("json")) {
            throw target.refusal(where, "'json' or a schema is what others know");
        }
        return Optional.of(new Format.Json(where));
    }

    private Message message(Fields message, int number) {
        String where = message.where();
        String role = message.text("role");
        String said = text(message, "content");
        List<Content> images = images(message);
        if (!images.isEmpty() && !role.equals("user")) {
            throw target.refusal(message.at("images"), "only a user's message may have images");
        }
        List<Content> content = new ArrayList<>(images);
        Message read = switch (role) {
            case "system", "developer" -> new Message.Instructions(List.of(said), where);
            case "user" -> {
                if (!said.isEmpty() || images.isEmpty()) {
                    content.add(new Content.Text(said));
                }
                yield new Message.Question(content, where);
            }
            case "assistant" -> reply(message, said, number);
            case "tool" -> result(message, said);
            default -> throw target.refusal(message.at("role"), "use system, user, assistant or tool");
        };
        target.refuseRest(message, Set.of());
        return read;
    }

    private Message reply(Fields message, String said, int number) {
        List<Content> content = new ArrayList<>();
        String thought = text(message, "thinking");
        if (!thought.isEmpty()) {
            content.add(new Content.Thought(thought, message.at("thinking")));
        }
        if (!said.isEmpty()) {
            content.add(new Content.Text(said));
        }
        open.clear();
        for (Fields call : objects(message, "tool_calls", "a call")) {
            Content.Call read = call(call, "call_" + number + "_" + open.size());
            open.add(read);
            content.add(read);
        }
        return new Message.Reply(content, message.where());
    }

    /** Ollama's calls have identifiers since 0.12 only; elsewhere each needs one, the same in every request. */
    private Content.Call call(Fields call, String made) {
        Fields function = kind(call, "function");
        JsonNode arguments = function.take("arguments");
        String id = text(call, "id");
        function.take("index");
        Content.Call read = new Content.Call(
                id.isEmpty() ? made : id,
                function.text("name"),
                arguments == null ? "" : ToolCalls.arguments(arguments),
                function.at("arguments"));
        target.refuseRest(function, Set.of());
        target.refuseRest(call, Set.of());
        return read;
    }

    /** A result belongs to the call that it names; otherwise to the first of that tool, or of any, that has none yet. */
    private Message result(Fields message, String said) {
        String id = text(message, "tool_call_id");
        String tool = text(message, "tool_name");
        Content.Call call = open.stream()
                .filter(each -> id.isEmpty()
                        ? tool.isEmpty() || each.name().equals(tool)
                        : each.id().equals(id))
                .findFirst()
                .orElse(null);
        if (call == null && id.isEmpty()) {
            throw target.refusal(
                    message.where(), "no call before it has no result yet, and there each result has a call");
        }
        open.remove(call);
        return new Message.Result(
                call == null ? id : call.id(),
                call == null ? tool : call.name(),
                List.of(new Content.Text(said)),
                false,
                message.where());
    }

    private List<Content> images(Fields message) {
        @Nullable JsonNode images = message.take("images");
        if (images == null) {
            return List.of();
        }
        List<Content> read = new ArrayList<>();
        for (int i = 0; i < images.size(); i++) {
            String where = message.at("images") + "[" + i + "]";
            if (!images.get(i).isString()) {
                throw DialectException.invalidRequest(where, "'" + where + "' must be an image in base64");
            }
            String base64 = images.get(i).stringValue();
            read.add(new Content.InlineImage(kind(base64, where), base64, where));
        }
        return read;
    }

    private String kind(String base64, String where) {
        return KINDS.entrySet().stream()
                .filter(kind -> base64.startsWith(kind.getKey()))
                .map(Map.Entry::getValue)
                .findFirst()
                .orElseThrow(() -> target.refusal(where, "it is no PNG, JPEG, GIF or WebP"));
    }
}
