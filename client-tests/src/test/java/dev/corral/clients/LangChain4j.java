package dev.corral.clients;

import dev.langchain4j.agent.tool.ToolExecutionRequest;
import dev.langchain4j.agent.tool.ToolSpecification;
import dev.langchain4j.data.message.ImageContent;
import dev.langchain4j.data.message.TextContent;
import dev.langchain4j.data.message.UserMessage;
import dev.langchain4j.exception.ContentFilteredException;
import dev.langchain4j.model.anthropic.AnthropicChatModel;
import dev.langchain4j.model.anthropic.AnthropicStreamingChatModel;
import dev.langchain4j.model.chat.ChatModel;
import dev.langchain4j.model.chat.StreamingChatModel;
import dev.langchain4j.model.chat.request.ChatRequest;
import dev.langchain4j.model.chat.request.json.JsonObjectSchema;
import dev.langchain4j.model.chat.response.ChatResponse;
import dev.langchain4j.model.chat.response.StreamingChatResponseHandler;
import dev.langchain4j.model.ollama.OllamaChatModel;
import dev.langchain4j.model.ollama.OllamaStreamingChatModel;
import dev.langchain4j.model.openai.OpenAiChatModel;
import dev.langchain4j.model.openai.OpenAiStreamingChatModel;
import dev.langchain4j.model.output.FinishReason;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** LangChain4j's models. They tell OpenAI's refusals by an exception of their own. */
final class LangChain4j implements Library {

    private final ChatModel model;
    private final StreamingChatModel streaming;

    private LangChain4j(ChatModel model, StreamingChatModel streaming) {
        this.model = model;
        this.streaming = streaming;
    }

    static LangChain4j openAi(int port) {
        String url = "http://127.0.0.1:" + port + "/v1";
        return new LangChain4j(
                OpenAiChatModel.builder()
                        .baseUrl(url)
                        .apiKey("none")
                        .modelName("llama")
                        .build(),
                OpenAiStreamingChatModel.builder()
                        .baseUrl(url)
                        .apiKey("none")
                        .modelName("llama")
                        .build());
    }

    static LangChain4j anthropic(int port) {
        String url = "http://127.0.0.1:" + port + "/v1";
        return new LangChain4j(
                AnthropicChatModel.builder()
                        .baseUrl(url)
                        .apiKey("none")
                        .modelName("llama")
                        .build(),
                AnthropicStreamingChatModel.builder()
                        .baseUrl(url)
                        .apiKey("none")
                        .modelName("llama")
                        .build());
    }

    static LangChain4j ollama(int port) {
        String url = "http://127.0.0.1:" + port;
        return new LangChain4j(
                OllamaChatModel.builder().baseUrl(url).modelName("llama").build(),
                OllamaStreamingChatModel.builder()
                        .baseUrl(url)
                        .modelName("llama")
                        .build());
    }

    @Override
    public Reply ask(String prompt) {
        return answer(UserMessage.from(prompt));
    }

    @Override
    public Reply stream(String prompt) {
        CompletableFuture<ChatResponse> answer = new CompletableFuture<>();
        streaming.chat(prompt, new StreamingChatResponseHandler() {
            @Override
            public void onCompleteResponse(ChatResponse response) {
                answer.complete(response);
            }

            @Override
            public void onError(Throwable error) {
                answer.completeExceptionally(error);
            }
        });
        try {
            return reply(answer.get(20, TimeUnit.SECONDS));
        } catch (ExecutionException e) {
            throw e.getCause() instanceof RuntimeException own ? own : new IllegalStateException(e);
        } catch (InterruptedException | TimeoutException e) {
            throw new IllegalStateException("the stream did not end", e);
        }
    }

    @Override
    public Reply askWithTool(String prompt) {
        return answer(ChatRequest.builder()
                .messages(UserMessage.from(prompt))
                .toolSpecifications(ToolSpecification.builder()
                        .name("weather")
                        .parameters(JsonObjectSchema.builder()
                                .addStringProperty("city")
                                .build())
                        .build())
                .build());
    }

    @Override
    public Reply askWithImage(String prompt) {
        return answer(UserMessage.from(TextContent.from(prompt), ImageContent.from(Pixel.BASE64, "image/png")));
    }

    private Reply answer(UserMessage message) {
        return answer(ChatRequest.builder().messages(message).build());
    }

    private Reply answer(ChatRequest request) {
        try {
            return reply(model.chat(request));
        } catch (ContentFilteredException refused) {
            return new Reply(refused.getMessage(), List.of(), FinishReason.CONTENT_FILTER.name());
        }
    }

    private static Reply reply(ChatResponse response) {
        return new Reply(
                Optional.ofNullable(response.aiMessage().text()).orElse(""),
                response.aiMessage().toolExecutionRequests().stream()
                        .map(ToolExecutionRequest::arguments)
                        .toList(),
                Optional.ofNullable(response.finishReason()).map(Enum::name).orElse(""));
    }
}
