package dev.corral.clients;

import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.stream.Collectors;
import org.springframework.ai.chat.messages.AssistantMessage;
import org.springframework.ai.chat.messages.UserMessage;
import org.springframework.ai.chat.model.ChatModel;
import org.springframework.ai.chat.model.ChatResponse;
import org.springframework.ai.chat.model.Generation;
import org.springframework.ai.chat.prompt.ChatOptions;
import org.springframework.ai.chat.prompt.Prompt;
import org.springframework.ai.content.Media;
import org.springframework.ai.ollama.OllamaChatModel;
import org.springframework.ai.ollama.api.OllamaApi;
import org.springframework.ai.ollama.api.OllamaChatOptions;
import org.springframework.ai.openai.OpenAiChatModel;
import org.springframework.ai.openai.OpenAiChatOptions;
import org.springframework.ai.tool.ToolCallback;
import org.springframework.ai.tool.function.FunctionToolCallback;
import org.springframework.core.io.ByteArrayResource;
import org.springframework.util.MimeTypeUtils;

/** Spring AI's models. */
final class SpringAi implements Library {

    private final ChatModel model;
    private final ChatOptions withTool;

    private SpringAi(ChatModel model, ChatOptions withTool) {
        this.model = model;
        this.withTool = withTool;
    }

    static SpringAi openAi(int port) {
        return new SpringAi(
                OpenAiChatModel.builder().options(openAi(port, List.of())).build(), openAi(port, List.of(weather())));
    }

    static SpringAi ollama(int port) {
        return new SpringAi(
                OllamaChatModel.builder()
                        .ollamaApi(OllamaApi.builder()
                                .baseUrl("http://127.0.0.1:" + port)
                                .build())
                        .options(ollama(List.of()))
                        .build(),
                ollama(List.of(weather())));
    }

    private static OpenAiChatOptions openAi(int port, List<ToolCallback> tools) {
        return OpenAiChatOptions.builder()
                .baseUrl("http://127.0.0.1:" + port + "/v1")
                .apiKey("none")
                .model("llama")
                .toolCallbacks(tools)
                .build();
    }

    private static OllamaChatOptions ollama(List<ToolCallback> tools) {
        return OllamaChatOptions.builder().model("llama").toolCallbacks(tools).build();
    }

    private static ToolCallback weather() {
        return FunctionToolCallback.builder("weather", (Map<String, Object> arguments) -> "sunny")
                .description("The weather of a city")
                .inputType(Map.class)
                .build();
    }

    @Override
    public Reply ask(String prompt) {
        return reply(List.of(model.call(new Prompt(prompt))));
    }

    @Override
    public Reply stream(String prompt) {
        return reply(Objects.requireNonNull(
                model.stream(new Prompt(prompt)).collectList().block()));
    }

    @Override
    public Reply askWithTool(String prompt) {
        return reply(List.of(model.call(new Prompt(prompt, withTool))));
    }

    @Override
    public Reply askWithImage(String prompt) {
        return reply(List.of(model.call(new Prompt(UserMessage.builder()
                .text(prompt)
                .media(new Media(MimeTypeUtils.IMAGE_PNG, new ByteArrayResource(Pixel.bytes())))
                .build()))));
    }

    private static Reply reply(List<ChatResponse> responses) {
        List<Generation> generations = responses.stream()
                .flatMap(response -> response.getResults().stream())
                .toList();
        List<AssistantMessage> messages =
                generations.stream().map(Generation::getOutput).toList();
        return new Reply(
                messages.stream().map(SpringAi::text).collect(Collectors.joining()),
                messages.stream()
                        .flatMap(message -> message.getToolCalls().stream())
                        .map(AssistantMessage.ToolCall::arguments)
                        .toList(),
                generations.stream()
                        .map(generation -> generation.getMetadata().getFinishReason())
                        .filter(Objects::nonNull)
                        .filter(reason -> !reason.isEmpty())
                        .reduce("", (_, last) -> last));
    }

    private static String text(AssistantMessage message) {
        return Optional.ofNullable(message.getText())
                .filter(text -> !text.isEmpty())
                .or(() -> Optional.ofNullable(message.getMetadata().get("refusal"))
                        .map(Object::toString))
                .orElse("");
    }
}
