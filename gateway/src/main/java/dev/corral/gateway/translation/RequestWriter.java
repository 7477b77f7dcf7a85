package dev.corral.gateway.translation;

import dev.corral.gateway.dialect.DialectException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/** Writes requests of one API. What has no place in it is refused. */
abstract sealed class RequestWriter permits OpenAiRequestWriter, AnthropicRequestWriter, OllamaRequestWriter {

    static final JsonNodeFactory JSON = JsonNodeFactory.instance;

    final Target target;

    RequestWriter(Target target) {
        this.target = target;
    }

    static RequestWriter of(Target target) {
        return switch (target.api()) {
            case OPENAI -> new OpenAiRequestWriter(target);
            case ANTHROPIC -> new AnthropicRequestWriter(target);
            case OLLAMA -> new OllamaRequestWriter(target);
        };
    }

    /**
     * Writes a request, once.
     *
     * @throws DialectException where something in it cannot be carried
     */
    abstract ObjectNode write(ChatRequest request);

    /** Writes a setting, if it was given. */
    static void put(ChatRequest request, Setting setting, ObjectNode to, String name) {
        given(request, setting).ifPresent(given -> to.set(name, given.value()));
    }

    static Optional<Given> given(ChatRequest request, Setting setting) {
        return Optional.ofNullable(request.settings().get(setting));
    }

    static Optional<Effort> effort(ChatRequest request) {
        return given(request, Setting.THINKING)
                .flatMap(given -> List.of(Effort.values()).stream()
                        .filter(effort -> effort.word().equals(given.value().stringValue()))
                        .findFirst());
    }

    /** Refuses a setting, unless it is zero. */
    final void refuse(ChatRequest request, Setting setting, String why) {
        given(request, setting)
                .filter(given -> !given.value().isNumber() || given.value().asDouble() != 0 || setting == Setting.SEED)
                .ifPresent(given -> {
                    throw target.refusal(given.where(), why);
                });
    }

    /** Texts of the assistant's, which are one text in pieces. */
    static String spoken(List<Content> content) {
        return content.stream()
                .filter(Content.Text.class::isInstance)
                .map(text -> ((Content.Text) text).text())
                .collect(Collectors.joining());
    }

    static String thoughts(List<Content> content) {
        return content.stream()
                .filter(Content.Thought.class::isInstance)
                .map(thought -> ((Content.Thought) thought).text())
                .collect(Collectors.joining());
    }

    static List<Content.Call> calls(List<Content> content) {
        return content.stream()
                .filter(Content.Call.class::isInstance)
                .map(Content.Call.class::cast)
                .toList();
    }

    /** A tool's result where only text is one. */
    final String resultText(Message.Result result) {
        List<String> texts = new ArrayList<>();
        for (Content content : result.content()) {
            if (!(content instanceof Content.Text text)) {
                throw target.refusal(result.where(), "the result of a tool is text there");
            }
            texts.add(text.text());
        }
        return (result.failed() ? "Error: " : "") + String.join("\n", texts);
    }

    /** The definition of a tool, as OpenAI and Ollama write it. */
    static ObjectNode function(Tool tool) {
        ObjectNode definition = JSON.objectNode().put("type", "function");
        ObjectNode function = definition.putObject("function").put("name", tool.name());
        if (!tool.description().isEmpty()) {
            function.put("description", tool.description());
        }
        function.set("parameters", tool.schema());
        return definition;
    }

    static JsonNode array(List<? extends JsonNode> items) {
        ArrayNode array = JSON.arrayNode();
        items.forEach(array::add);
        return array;
    }
}
