package dev.corral.clients;

import com.anthropic.client.AnthropicClient;
import com.anthropic.client.okhttp.AnthropicOkHttpClient;
import com.anthropic.core.http.StreamResponse;
import com.anthropic.models.messages.Base64ImageSource;
import com.anthropic.models.messages.ContentBlock;
import com.anthropic.models.messages.ContentBlockParam;
import com.anthropic.models.messages.Message;
import com.anthropic.models.messages.MessageCreateParams;
import com.anthropic.models.messages.RawMessageStreamEvent;
import com.anthropic.models.messages.StopReason;
import com.anthropic.models.messages.TextBlock;
import com.anthropic.models.messages.Tool;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;

/** Anthropic's own library for Java. */
final class AnthropicJava implements Library {

    private final AnthropicClient client;

    AnthropicJava(int port) {
        client = AnthropicOkHttpClient.builder()
                .baseUrl("http://127.0.0.1:" + port)
                .apiKey("none")
                .build();
    }

    @Override
    public Reply ask(String prompt) {
        return whole(request().addUserMessage(prompt).build());
    }

    @Override
    public Reply stream(String prompt) {
        StringBuilder text = new StringBuilder();
        StringBuilder ending = new StringBuilder();
        try (StreamResponse<RawMessageStreamEvent> stream = client.messages()
                .createStreaming(request().addUserMessage(prompt).build())) {
            stream.stream().forEach(event -> {
                event.contentBlockDelta()
                        .flatMap(delta -> delta.delta().text())
                        .ifPresent(delta -> text.append(delta.text()));
                event.messageDelta()
                        .flatMap(delta -> delta.delta().stopReason())
                        .ifPresent(reason -> ending.append(reason.asString()));
            });
        }
        return new Reply(text.toString(), List.of(), ending.toString());
    }

    @Override
    public Reply askWithTool(String prompt) {
        return whole(request()
                .addUserMessage(prompt)
                .addTool(Tool.builder()
                        .name("weather")
                        .inputSchema(Tool.InputSchema.builder().build())
                        .build())
                .build());
    }

    @Override
    public Reply askWithImage(String prompt) {
        return whole(request()
                .addUserMessageOfContentBlockParams(List.of(
                        ContentBlockParam.ofText(prompt),
                        ContentBlockParam.ofImage(Base64ImageSource.builder()
                                .mediaType(Base64ImageSource.MediaType.IMAGE_PNG)
                                .data(Pixel.BASE64)
                                .build())))
                .build());
    }

    private static MessageCreateParams.Builder request() {
        return MessageCreateParams.builder().model("llama").maxTokens(100);
    }

    private Reply whole(MessageCreateParams request) {
        Message message = client.messages().create(request);
        return new Reply(
                message.content().stream()
                        .map(ContentBlock::text)
                        .flatMap(Optional::stream)
                        .map(TextBlock::text)
                        .collect(Collectors.joining()),
                message.content().stream()
                        .map(ContentBlock::toolUse)
                        .flatMap(Optional::stream)
                        .map(call -> call._input().toString())
                        .toList(),
                message.stopReason().map(StopReason::asString).orElse(""));
    }
}
