package dev.corral.gateway.dialect.openai;

import dev.corral.gateway.dialect.Fields;
import dev.corral.gateway.dialect.ToolCalls;
import dev.corral.gateway.dialect.Voices;
import dev.corral.gateway.dialect.Words;
import dev.corral.guardmodels.conversation.Part;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/** Calls of tools, whole or in fragments. What is no call in the dialect's form is kept as an opaque part. */
final class Calls {

    private static final class Call {
        private final String where;
        private final StringBuilder name = new StringBuilder();
        private final StringBuilder arguments = new StringBuilder();
        private String id = "";

        Call(String where) {
            this.where = where;
        }
    }

    private final Voices voices;
    private final List<Call> calls = new ArrayList<>();
    private final Map<Integer, Call> byIndex = new HashMap<>();
    private final List<Part> others = new ArrayList<>();
    private @Nullable Call function;

    Calls(Voices voices) {
        this.voices = voices;
    }

    /**
     * Takes a list of calls or of their fragments.
     *
     * @return how much there is new to judge
     */
    int acceptAll(@Nullable JsonNode list, String where) {
        if (list == null) {
            return 0;
        }
        if (!list.isArray()) {
            return other("calls of tools", where);
        }
        int added = 0;
        for (int i = 0; i < list.size(); i++) {
            added += accept(list.get(i), where, i);
        }
        return added;
    }

    /** Takes a call, or its fragment, in the form of before there were tools. */
    int acceptFunction(@Nullable JsonNode value, String where) {
        if (value == null) {
            return 0;
        }
        if (function == null) {
            function = new Call(where);
            calls.add(function);
        }
        return fill(function, value, "arguments", where);
    }

    /** All calls, then what was no call. */
    List<Part> parts() {
        List<Part> parts = new ArrayList<>();
        for (Call call : calls) {
            parts.addAll(ToolCalls.parts(call.name.toString(), call.arguments.toString(), call.where));
        }
        parts.addAll(others);
        return parts;
    }

    private int accept(JsonNode value, String list, int position) {
        String where = list + "[" + position + "]";
        if (!value.isObject()) {
            return other("call of a tool", where);
        }
        Fields fields = new Fields(value, where);
        JsonNode index = fields.take("index");
        JsonNode id = fields.take("id");
        JsonNode type = fields.take("type");
        JsonNode function = fields.take("function");
        JsonNode custom = fields.take("custom");
        Call call = call(
                index == null || !index.isIntegralNumber() || !index.canConvertToInt() ? null : index.asInt(),
                text(id),
                function,
                list);
        int added = voices.hear(
                call.where,
                () -> (function == null ? 0 : fill(call, function, "arguments", fields.at("function")))
                        + (custom == null ? 0 : fill(call, custom, "input", fields.at("custom"))));
        for (JsonNode identifier : Arrays.asList(id, type)) {
            added += identifier == null || Words.isSetting(identifier) ? 0 : text(identifier, where);
        }
        return added + unread(fields);
    }

    /**
     * The call that a fragment belongs to. Some servers send no index, and some send 0 for each of several calls: there a
     * new identifier, or a name where there is no identifier, starts a new call.
     */
    private Call call(@Nullable Integer index, String id, @Nullable JsonNode function, String list) {
        Call known = index != null ? byIndex.get(index) : calls.isEmpty() ? null : calls.getLast();
        boolean anotherId = known != null && !id.isEmpty() && !known.id.isEmpty() && !known.id.equals(id);
        boolean named = index == null && id.isEmpty() && function != null && function.has("name");
        Call call = known;
        if (call == null || anotherId || named) {
            call = new Call(list + "[" + calls.size() + "]");
            calls.add(call);
        }
        if (index != null) {
            byIndex.put(index, call);
        }
        if (!id.isEmpty()) {
            call.id = id;
        }
        return call;
    }

    private int fill(Call call, JsonNode value, String input, String where) {
        if (!value.isObject()) {
            return other("call of a tool", where);
        }
        Fields fields = new Fields(value, where);
        int added = append(call.name, fields.take("name")) + append(call.arguments, fields.take(input));
        return added + unread(fields);
    }

    private static int append(StringBuilder to, @Nullable JsonNode value) {
        if (value == null) {
            return 0;
        }
        String text = ToolCalls.arguments(value);
        to.append(text);
        return text.length();
    }

    private int unread(Fields fields) {
        List<Part> unread = fields.unread(Words::isTextless);
        others.addAll(unread);
        return unread.size();
    }

    private int text(JsonNode value, String where) {
        Part text = Words.rendered(value, where);
        others.add(text);
        return Words.size(text);
    }

    private int other(String what, String where) {
        others.add(new Part.OpaquePart(what, where));
        return 1;
    }

    private static String text(@Nullable JsonNode value) {
        return value != null && value.isString() ? value.stringValue() : "";
    }
}
