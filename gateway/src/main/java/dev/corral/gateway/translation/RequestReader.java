package dev.corral.gateway.translation;

import dev.corral.gateway.dialect.DialectException;
import dev.corral.gateway.dialect.Fields;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.function.BiFunction;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.JsonNodeFactory;

/** Reads requests of one API. What has no place in any other is refused, in the name of the upstream that it was for. */
abstract sealed class RequestReader permits OpenAiRequestReader, AnthropicRequestReader, OllamaRequestReader {

    static final JsonNodeFactory JSON = JsonNodeFactory.instance;

    private static final String BASE64 = ";base64,";

    final Target target;
    final Map<Setting, Given> settings = new EnumMap<>(Setting.class);

    RequestReader(Target target) {
        this.target = target;
    }

    static RequestReader of(ChatApi api, Target target) {
        return switch (api) {
            case OPENAI -> new OpenAiRequestReader(target);
            case ANTHROPIC -> new AnthropicRequestReader(target);
            case OLLAMA -> new OllamaRequestReader(target);
        };
    }

    /**
     * Reads a request, once.
     *
     * @throws DialectException where something in it can be carried nowhere
     */
    abstract ChatRequest read(JsonNode body);

    /** Takes a setting, if it is there. */
    final void take(Fields fields, String name, Setting setting) {
        JsonNode value = fields.take(name);
        if (value != null) {
            settings.put(setting, new Given(value, fields.at(name)));
        }
    }

    /** The same of texts that end an answer, one or a list. */
    final void takeStop(Fields fields, String name) {
        JsonNode value = fields.take(name);
        if (value == null || (value.isContainer() && value.isEmpty())) {
            return;
        }
        JsonNode list = value.isString() ? JSON.arrayNode().add(value) : value;
        if (!list.isArray() || !list.values().stream().allMatch(JsonNode::isString)) {
            throw DialectException.invalidRequest(
                    fields.at(name), "'" + fields.at(name) + "' must be a text or a list of texts");
        }
        settings.put(Setting.STOP, new Given(list, fields.at(name)));
    }

    final void think(Effort effort, String where) {
        settings.put(Setting.THINKING, new Given(JSON.stringNode(effort.word()), where));
    }

    final void oneCallAtATime(String where) {
        settings.put(Setting.PARALLEL_CALLS, new Given(JSON.booleanNode(false), where));
    }

    /** A text that may be missing. */
    static String text(Fields fields, String name) {
        JsonNode value = fields.take(name);
        if (value == null) {
            return "";
        }
        if (!value.isString()) {
            throw DialectException.invalidRequest(
                    fields.at(name), "'" + fields.at(name) + "' must be a text, not " + Fields.kind(value));
        }
        return value.stringValue();
    }

    /** A list that may be missing, of objects. */
    static List<Fields> objects(Fields fields, String name, String what) {
        JsonNode list = fields.take(name);
        if (list == null) {
            return List.of();
        }
        if (!list.isArray()) {
            throw DialectException.invalidRequest(
                    fields.at(name), "'" + fields.at(name) + "' must be a list, not " + Fields.kind(list));
        }
        List<Fields> objects = new ArrayList<>();
        for (int i = 0; i < list.size(); i++) {
            objects.add(Fields.of(list.get(i), fields.at(name) + "[" + i + "]", what));
        }
        return objects;
    }

    /** An object that may be missing. */
    static Fields object(Fields fields, String name) {
        JsonNode value = fields.take(name);
        return value == null
                ? new Fields(JSON.objectNode(), fields.at(name))
                : Fields.of(value, fields.at(name), "a group of settings");
    }

    /** What a message says: nothing, a text, or a list whose items {@code one} reads, each with its place. */
    static List<Content> contents(@Nullable JsonNode content, String where, BiFunction<JsonNode, String, Content> one) {
        if (content == null) {
            return List.of();
        }
        if (!content.isArray()) {
            return List.of(new Content.Text(content.asString("")));
        }
        List<Content> contents = new ArrayList<>();
        for (int i = 0; i < content.size(); i++) {
            contents.add(one.apply(content.get(i), where + "[" + i + "]"));
        }
        return contents;
    }

    /** The schema of a tool's arguments; that of no arguments where there is none. */
    static JsonNode schema(@Nullable JsonNode given) {
        if (given != null) {
            return given;
        }
        var none = JSON.objectNode().put("type", "object");
        none.putObject("properties");
        return none;
    }

    /** The function of a tool, as OpenAI and Ollama write it. */
    final Tool function(Fields tool) {
        Fields function = kind(tool, "function");
        Tool read = new Tool(
                function.text("name"),
                text(function, "description"),
                schema(function.take("parameters")),
                function.flag("strict"),
                function.where());
        target.refuseRest(function, Set.of());
        target.refuseRest(tool, Set.of("cache_control"));
        return read;
    }

    /** The object in a field that a type names, which is the only one that others have. */
    final Fields kind(Fields tagged, String type) {
        String given = text(tagged, "type");
        if (!given.isEmpty() && !given.equals(type)) {
            throw target.refusal(tagged.at("type"), "only '" + type + "' is known there");
        }
        JsonNode value = tagged.take(type);
        return Fields.of(value == null ? JSON.missingNode() : value, tagged.at(type), "a " + type);
    }

    /** An image by its address: inside of the request, or elsewhere. */
    final Content image(String url, String where) {
        if (!url.regionMatches(true, 0, "data:", 0, 5)) {
            return new Content.LinkedImage(url, where);
        }
        int data = url.indexOf(',') + 1;
        String head = url.substring(0, data).toLowerCase(Locale.ROOT);
        if (!head.endsWith(BASE64)) {
            throw target.refusal(where, "images are in base64 there, as in data:image/png;base64,…");
        }
        String type = head.substring("data:".length(), head.indexOf(';'));
        return new Content.InlineImage(type, url.substring(data), where);
    }
}
