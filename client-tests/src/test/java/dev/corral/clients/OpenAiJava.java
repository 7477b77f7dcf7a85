package dev.corral.clients;

import com.openai.client.OpenAIClient;
import com.openai.client.okhttp.OpenAIOkHttpClient;
import com.openai.core.JsonValue;
import com.openai.core.http.StreamResponse;
import com.openai.models.FunctionDefinition;
import com.openai.models.FunctionParameters;
import com.openai.models.chat.completions.ChatCompletion;
import com.openai.models.chat.completions.ChatCompletionChunk;
import com.openai.models.chat.completions.ChatCompletionContentPart;
import com.openai.models.chat.completions.ChatCompletionContentPartImage;
import com.openai.models.chat.completions.ChatCompletionContentPartText;
import com.openai.models.chat.completions.ChatCompletionCreateParams;
import com.openai.models.chat.completions.ChatCompletionMessage;
import java.util.List;

/** OpenAI's own library for Java. */
final class OpenAiJava implements Library {

    private final OpenAIClient client;

    OpenAiJava(int port) {
        client = OpenAIOkHttpClient.builder()
                .baseUrl("http://127.0.0.1:" + port + "/v1")
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
        try (StreamResponse<ChatCompletionChunk> stream = client.chat()
                .completions()
                .createStreaming(request().addUserMessage(prompt).build())) {
            stream.stream().flatMap(chunk -> chunk.choices().stream()).forEach(choice -> {
                choice.delta().content().ifPresent(text::append);
                choice.delta().refusal().ifPresent(text::append);
                choice.finishReason().ifPresent(reason -> ending.append(reason.asString()));
            });
        }
        return new Reply(text.toString(), List.of(), ending.toString());
    }

    @Override
    public Reply askWithTool(String prompt) {
        return whole(request()
                .addUserMessage(prompt)
                .addFunctionTool(FunctionDefinition.builder()
                        .name("weather")
                        .parameters(FunctionParameters.builder()
                                .putAdditionalProperty("type", JsonValue.from("object"))
                                .build())
                        .build())
                .build());
    }

    @Override
    public Reply askWithImage(String prompt) {
        return whole(request()
                .addUserMessageOfArrayOfContentParts(List.of(
                        ChatCompletionContentPart.ofText(ChatCompletionContentPartText.builder()
                                .text(prompt)
                                .build()),
                        ChatCompletionContentPart.ofImageUrl(ChatCompletionContentPartImage.builder()
                                .imageUrl(ChatCompletionContentPartImage.ImageUrl.builder()
                                        .url("data:image/png;base64," + Pixel.BASE64)
                                        .build())
                                .build())))
                .build());
    }

    private static ChatCompletionCreateParams.Builder request() {
        return ChatCompletionCreateParams.builder().model("llama");
    }

    private Reply whole(ChatCompletionCreateParams request) {
        ChatCompletion.Choice choice =
                client.chat().completions().create(request).choices().getFirst();
        ChatCompletionMessage message = choice.message();
        return new Reply(
                message.content().or(message::refusal).orElse(""),
                message.toolCalls().stream()
                        .flatMap(List::stream)
                        .map(call -> call.asFunction().function().arguments())
                        .toList(),
                choice.finishReason().asString());
    }
}
