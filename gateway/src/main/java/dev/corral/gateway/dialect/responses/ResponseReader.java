package dev.corral.gateway.dialect.responses;

import dev.corral.gateway.dialect.Answer;
import dev.corral.gateway.dialect.DialectException;
import dev.corral.gateway.dialect.Fields;
import dev.corral.gateway.dialect.ModeratedRequest;
import dev.corral.gateway.dialect.StrictJson;
import dev.corral.gateway.dialect.ToolCalls;
import dev.corral.gateway.dialect.Voices;
import dev.corral.gateway.dialect.Words;
import dev.corral.guardmodels.conversation.Part;
import dev.corral.guardmodels.conversation.Role;
import dev.corral.guardmodels.conversation.Turn;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/** Puts a response together, from one body or from the events of a stream. */
final class ResponseReader {

    /*
     * A stream says everything several times: word by word, once more when a text is complete, when its part is, when its
     * item is, and at the end with the whole response. Each text has one place, such as output[0].content[1].text. What is
     * said of a place again counts only where it is not what was said before: then a client may show either, and both are
     * judged.
     *
     * A response also repeats the request: instructions, tools, settings. What is word for word in the request was judged
     * there, as the application's words, and is not the assistant's.
     */

    private static final int MAX_ITEMS = 1_024;

    /** Identifiers, counts and settings. What is too long for that is judged as text. */
    private static final List<String> NEUTRAL = List.of(
            "id",
            "object",
            "status",
            "model",
            "usage",
            "incomplete_details",
            "tool_choice",
            "truncation",
            "reasoning",
            "service_tier",
            "user",
            "metadata",
            "safety_identifier",
            "prompt_cache_key",
            "prompt_cache_retention",
            "previous_response_id",
            "billing",
            "include");

    private static final Set<String> ITEM_IDENTIFIERS =
            Set.of("id", "call_id", "status", "role", "phase", "namespace", "server_label", "created_by");

    private final Map<String, StringBuilder> texts = new LinkedHashMap<>();
    private final Map<String, String> names = new HashMap<>();
    private final Map<String, String> named = new LinkedHashMap<>();
    private final Map<String, Map<String, Part>> known = new LinkedHashMap<>();
    private final Set<String> asked;

    /** Reads the answer to a request. */
    ResponseReader(ModeratedRequest request) {
        this.asked = request.conversation().turns().stream()
                .flatMap(turn -> turn.parts().stream())
                .flatMap(part -> switch (part) {
                    case Part.TextPart text -> Stream.of(text.text());
                    case Part.ToolDefinitionPart definition -> Stream.of(definition.text());
                    default -> Stream.<String>empty();
                })
                .collect(Collectors.toSet());
    }

    /** Everything up to now, as one turn. */
    Answer answer() {
        List<Part> said = new ArrayList<>();
        texts.forEach((where, text) -> {
            if (!text.isEmpty()) {
                said.addAll(parts(where, Words.wellFormed(text.toString())));
            }
        });
        named.forEach((where, name) -> {
            if (texts.entrySet().stream()
                    .noneMatch(text -> text.getKey().startsWith(where + ".")
                            && !text.getValue().isEmpty())) {
                said.addAll(ToolCalls.parts(name, "", where));
            }
        });
        known.values().forEach(parts -> said.addAll(parts.values()));
        return new Answer(said.isEmpty() ? List.of() : List.of(new Turn(Role.ASSISTANT, said)));
    }

    /**
     * Takes a response, whole or as far as it came.
     *
     * @return how much there is new to judge
     */
    int acceptResponse(JsonNode response) {
        if (!response.isObject()) {
            return opaque("response", "response");
        }
        Fields fields = new Fields(response, "");
        int added = 0;
        for (String name : NEUTRAL) {
            added += neutral(fields.take(name), name);
        }
        for (String name : List.of("error", "detail", "message")) {
            JsonNode error = fields.take(name);
            added += error == null ? 0 : once(name, error);
        }
        added += echo(fields.take("instructions"), "instructions");
        added += echo(fields.take("text"), "text");
        JsonNode tools = fields.take("tools");
        if (tools != null) {
            for (JsonNode tool : tools.isArray() ? tools.values() : List.of(tools)) {
                added += echo(tool, "tools");
            }
        }
        JsonNode output = fields.take("output");
        if (output != null && !output.isArray()) {
            throw DialectException.unreadable("its 'output' is not a list");
        }
        if (output != null) {
            for (int i = 0; i < output.size(); i++) {
                added += acceptItem(i, output.get(i));
            }
        }
        return added + unread(fields);
    }

    /** Takes an item, whole or as far as it came. */
    int acceptItem(int index, JsonNode item) {
        String where = item(index);
        if (!item.isObject()) {
            return opaque("item", where);
        }
        Fields fields = new Fields(item, where);
        String type = string(fields.take("type"));
        int added = 0;
        for (String name : ITEM_IDENTIFIERS) {
            added += neutral(fields.take(name), fields.at(name));
        }
        switch (type) {
            case "message" -> added += acceptParts(fields, "content");
            case "reasoning" -> {
                added += acceptParts(fields, "summary");
                added += acceptParts(fields, "content");
                if (fields.take("encrypted_content") != null) {
                    added += opaque("encrypted reasoning", fields.at("encrypted_content"));
                }
            }
            case "function_call", "custom_tool_call", "mcp_call", "code_interpreter_call" -> {
                String input = input(type);
                added += name(where, fields.take("name"), type);
                added += settle(fields.at(input), fields.take(input));
                added += rest(fields);
            }
            case "web_search_call",
                    "file_search_call",
                    "computer_call",
                    "local_shell_call",
                    "shell_call",
                    "apply_patch_call",
                    "mcp_list_tools",
                    "mcp_approval_request" -> {
                names.putIfAbsent(where, type);
                added += rest(fields);
            }
            default -> {
                fields.remaining().forEach(fields::take);
                added += opaque("item of type '" + Words.shortened(type) + "'", where);
            }
        }
        return added + unread(fields);
    }

    /** Takes a part of a message or of its reasoning. */
    int acceptPart(String where, JsonNode part) {
        if (!part.isObject()) {
            return opaque("part without a type", where);
        }
        Fields fields = new Fields(part, where);
        String type = string(fields.take("type"));
        String field = Items.textField(type);
        if (field == null) {
            return opaque("part of type '" + Words.shortened(type) + "'", where);
        }
        JsonNode text = fields.take(field);
        int added = settle(textPlace(where, type), text);
        JsonNode annotations = fields.take("annotations");
        added += annotations == null ? 0 : once(fields.at("annotations"), annotations);
        JsonNode logprobs = fields.take("logprobs");
        added += logprobs == null ? 0 : spelled(logprobs, string(text), fields.at("logprobs"));
        return added + unread(fields);
    }

    /** Takes more of a text. */
    int append(String where, @Nullable JsonNode delta) {
        if (delta == null) {
            return 0;
        }
        String text = text(delta);
        texts.computeIfAbsent(where, _ -> new StringBuilder()).append(text);
        return text.length();
    }

    /** Takes all of a text: what of it was not said yet is new. */
    int settle(String where, @Nullable JsonNode value) {
        if (value == null) {
            return 0;
        }
        String text = text(value);
        StringBuilder before = texts.computeIfAbsent(where, _ -> new StringBuilder());
        if (text.startsWith(before.toString())) {
            int added = text.length() - before.length();
            before.append(text, before.length(), text.length());
            return added;
        }
        // an item that has begun says its texts are empty; what was said of it since holds
        return text.isEmpty() ? 0 : once(where, value);
    }

    /** Tokens spell a text once more; they count only where they spell another one. */
    int spelled(JsonNode tokens, String text, String where) {
        boolean same = tokens.isArray()
                && (tokens.isEmpty()
                        || tokens.values().stream()
                                .map(token -> string(token.path("token")))
                                .collect(Collectors.joining())
                                .equals(text)
                        || bytes(tokens).equals(text))
                && tokens.values().stream().allMatch(token -> Words.isNeutral(token));
        return same ? 0 : once(where, tokens);
    }

    /** Takes something that is judged wherever it stands, once. */
    int once(String where, JsonNode value) {
        if (Words.isTextless(value)) {
            return 0;
        }
        Part part = Words.rendered(value, where);
        return keep(where, StrictJson.render(value), part) ? Words.size(part) : 0;
    }

    /** Takes something that nobody here can read. */
    int opaque(String what, String where) {
        return keep(where, what, new Part.OpaquePart(what, where)) ? 1 : 0;
    }

    /** Takes an identifier or a setting; what is too long for that is judged as text. */
    int neutral(@Nullable JsonNode value, String where) {
        return value == null || Words.isNeutralWithNames(value) ? 0 : echo(value, where);
    }

    /** What of an object nobody took. */
    int unread(Fields fields) {
        int added = 0;
        for (Part part : fields.unread(Words::isTextless)) {
            added += keep(part.where(), "unread", part) ? 1 : 0;
        }
        return added;
    }

    /** Whose an item is: a call of a tool is a voice of its own. */
    String voice(String item) {
        return names.containsKey(item) ? item : Voices.ONE;
    }

    /** The place of an item. */
    static String item(int index) {
        if (index < 0 || index >= MAX_ITEMS) {
            throw DialectException.unreadable("an item has a number that is not between 0 and " + (MAX_ITEMS - 1));
        }
        return "output[" + index + "]";
    }

    /** The place of the text of a part; that of reasoning says so at its end. */
    static String textPlace(String part, String type) {
        return switch (type) {
            case "summary_text", "reasoning_text" -> part + ".reasoning";
            case "refusal" -> part + ".refusal";
            default -> part + ".text";
        };
    }

    /** The field with the input of a call of this type. */
    private static String input(String type) {
        return switch (type) {
            case "custom_tool_call" -> "input";
            case "code_interpreter_call" -> "code";
            default -> "arguments";
        };
    }

    private int acceptParts(Fields fields, String name) {
        JsonNode list = fields.take(name);
        if (list == null) {
            return 0;
        }
        if (!list.isArray()) {
            return opaque("field '" + name + "'", fields.at(name));
        }
        int added = 0;
        for (int i = 0; i < list.size(); i++) {
            added += acceptPart(fields.at(name) + "[" + i + "]", list.get(i));
        }
        return added;
    }

    /** Everything else of a call that the upstream makes by itself: what it looks for, and what it found. */
    private int rest(Fields fields) {
        ObjectNode rest = JsonNodeFactory.instance.objectNode();
        fields.remaining().forEach(name -> {
            JsonNode value = fields.take(name);
            if (value != null && !Words.isTextless(value)) {
                rest.set(name, value);
            }
        });
        return rest.isEmpty() ? 0 : once(fields.where(), rest);
    }

    /** Names a call; a name is judged even where no arguments follow. */
    int name(String where, @Nullable JsonNode name, String otherwise) {
        if (name != null) {
            named.putIfAbsent(where, string(name));
        }
        String before = names.putIfAbsent(where, name == null ? otherwise : string(name));
        if (name == null || string(name).equals(before)) {
            return 0;
        }
        return before == null ? string(name).length() : once(where + ".name", name);
    }

    private List<Part> parts(String where, String text) {
        String name = names.get(where.substring(0, where.indexOf(']') + 1));
        return name == null ? List.of(new Part.TextPart(text, where)) : ToolCalls.parts(name, text, where);
    }

    private int echo(@Nullable JsonNode value, String where) {
        if (value == null || Words.isTextless(value)) {
            return 0;
        }
        return asked.contains(text(value)) || isPlain(value, where) ? 0 : once(where, value);
    }

    /** A setting of the text's form in which there are no words, or those of the request. */
    private boolean isPlain(JsonNode value, String where) {
        JsonNode format = value.path("format");
        return where.equals("text")
                && value.isObject()
                && (asked.contains(StrictJson.render(format))
                        || (Words.isNeutralWithNames(value) && format.size() <= 1));
    }

    private static String text(JsonNode value) {
        return value.isString() ? value.stringValue() : StrictJson.render(value);
    }

    private boolean keep(String where, String what, Part part) {
        return known.computeIfAbsent(where, _ -> new LinkedHashMap<>()).putIfAbsent(what, part) == null;
    }

    private static String bytes(JsonNode tokens) {
        ByteArrayOutputStream spelled = new ByteArrayOutputStream();
        for (JsonNode token : tokens.values()) {
            for (JsonNode each : token.path("bytes").values()) {
                spelled.write(each.asInt(0));
            }
        }
        return spelled.toString(StandardCharsets.UTF_8);
    }

    private static String string(@Nullable JsonNode value) {
        return value != null && value.isString() ? value.stringValue() : "";
    }
}
