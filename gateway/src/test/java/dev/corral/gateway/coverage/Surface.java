package dev.corral.gateway.coverage;

import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.Set;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/**
 * One thing that is read: the requests of an API, its whole answers, or the events of its streams.
 *
 * @param title as the table names it
 * @param way which of them it is
 * @param path of the requests
 * @param places where texts may be in it
 * @param request for which an answer is read; for requests, what each of them needs beside what its schema demands
 * @param answer of an upstream that means no harm; for answers and events, the type of their content
 */
record Surface(String title, Way way, String path, List<Place> places, String request, String answer) {

    enum Way {
        REQUEST,
        ANSWER,
        EVENT,
        ERROR
    }

    private static final String SSE = "text/event-stream";
    private static final String NDJSON = "application/x-ndjson";
    private static final String JSON = "application/json";

    private static final Schema OPENAI = Schema.read("openai");
    private static final Schema ANTHROPIC = Schema.read("anthropic");
    private static final Schema OLLAMA = Schema.read("ollama");
    private static final Schema LLAMA_STACK = Schema.read("llama-stack");
    private static final Schema LITELLM = Schema.read("litellm");

    private static final String CHAT = "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"hello\"}]";
    private static final String SAID =
            "{\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":\"hi\"}}]}";

    Surface {
        places = List.copyOf(places);
    }

    static List<Surface> all() {
        return List.of(
                request("Chat completions", "/v1/chat/completions", OPENAI, "CreateChatCompletionRequest", "{}", SAID),
                answer("Chat completions", "/v1/chat/completions", OPENAI, "CreateChatCompletionResponse", CHAT + "}"),
                event(
                        "Chat completions",
                        "/v1/chat/completions",
                        OPENAI,
                        "CreateChatCompletionStreamResponse",
                        CHAT + ",\"stream\":true}",
                        SSE),
                error("OpenAI's APIs", "/v1/chat/completions", OPENAI, "ErrorResponse", CHAT + "}"),
                request(
                        "Completions",
                        "/v1/completions",
                        OPENAI,
                        "CreateCompletionRequest",
                        "{\"prompt\":\"hello\"}",
                        "{\"choices\":[{\"index\":0,\"text\":\"hi\"}]}"),
                answer(
                        "Completions",
                        "/v1/completions",
                        OPENAI,
                        "CreateCompletionResponse",
                        "{\"model\":\"m\",\"prompt\":\"hello\"}"),
                event(
                        "Completions",
                        "/v1/completions",
                        OPENAI,
                        "CreateCompletionResponse",
                        "{\"model\":\"m\",\"prompt\":\"hello\",\"stream\":true}",
                        SSE),
                request(
                        "Responses",
                        "/v1/responses",
                        OPENAI,
                        "CreateResponse",
                        "{\"model\":\"m\",\"input\":\"hello\"}",
                        "{\"output\":[]}"),
                answer("Responses", "/v1/responses", OPENAI, "Response", "{\"model\":\"m\",\"input\":\"hello\"}"),
                event(
                        "Responses",
                        "/v1/responses",
                        OPENAI,
                        "ResponseStreamEvent",
                        "{\"model\":\"m\",\"input\":\"hello\",\"stream\":true}",
                        SSE),
                request("Embeddings", "/v1/embeddings", OPENAI, "CreateEmbeddingRequest", "{}", "{\"data\":[]}"),
                answer(
                        "Embeddings",
                        "/v1/embeddings",
                        OPENAI,
                        "CreateEmbeddingResponse",
                        "{\"model\":\"m\",\"input\":\"hello\"}"),
                request("Moderations", "/v1/moderations", OPENAI, "CreateModerationRequest", "{}", ""),
                request(
                        "Anthropic's messages",
                        "/v1/messages",
                        ANTHROPIC,
                        "MessageCreateParams",
                        "{}",
                        "{\"content\":[{\"type\":\"text\",\"text\":\"hi\"}]}"),
                answer("Anthropic's messages", "/v1/messages", ANTHROPIC, "MessageAnswer", CHAT + ",\"max_tokens\":9}"),
                event(
                        "Anthropic's messages",
                        "/v1/messages",
                        ANTHROPIC,
                        "RawMessageStreamEvent",
                        CHAT + ",\"max_tokens\":9,\"stream\":true}",
                        SSE),
                request(
                        "Anthropic's count of tokens",
                        "/v1/messages/count_tokens",
                        ANTHROPIC,
                        "MessageCountTokensParams",
                        "{}",
                        "{\"input_tokens\":1}"),
                request(
                        "Ollama's chat",
                        "/api/chat",
                        OLLAMA,
                        "ChatRequest",
                        "{\"stream\":false}",
                        "{\"message\":{\"role\":\"assistant\",\"content\":\"hi\"}}"),
                answer("Ollama's chat", "/api/chat", OLLAMA, "ChatResponse", CHAT + ",\"stream\":false}"),
                event("Ollama's chat", "/api/chat", OLLAMA, "ChatResponse", CHAT + "}", NDJSON),
                error("Ollama's APIs", "/api/chat", OLLAMA, "Error", CHAT + ",\"stream\":false}"),
                request(
                        "Ollama's generate",
                        "/api/generate",
                        OLLAMA,
                        "GenerateRequest",
                        "{\"stream\":false}",
                        "{\"response\":\"hi\"}"),
                answer(
                        "Ollama's generate",
                        "/api/generate",
                        OLLAMA,
                        "GenerateResponse",
                        "{\"model\":\"m\",\"prompt\":\"hello\",\"stream\":false}"),
                event(
                        "Ollama's generate",
                        "/api/generate",
                        OLLAMA,
                        "GenerateResponse",
                        "{\"model\":\"m\",\"prompt\":\"hello\"}",
                        NDJSON),
                request("Ollama's embed", "/api/embed", OLLAMA, "EmbedRequest", "{}", "{\"embeddings\":[[1]]}"),
                request(
                        "Ollama's embeddings",
                        "/api/embeddings",
                        OLLAMA,
                        "EmbeddingsRequest",
                        "{}",
                        "{\"embedding\":[1]}"),
                answer(
                        "Ollama's embed",
                        "/api/embed",
                        OLLAMA,
                        "EmbedResponse",
                        "{\"model\":\"m\",\"input\":\"hello\"}"),
                request(
                        "Llama Stack's chat completion",
                        "/v1/inference/chat-completion",
                        LLAMA_STACK,
                        "ChatCompletionParams",
                        "{}",
                        "{\"completion_message\":{\"role\":\"assistant\",\"content\":\"hi\"}}"),
                answer(
                        "Llama Stack's chat completion",
                        "/v1/inference/chat-completion",
                        LLAMA_STACK,
                        "ChatCompletionAnswer",
                        CHAT.replace("model", "model_id") + "}"),
                event(
                        "Llama Stack's chat completion",
                        "/v1/inference/chat-completion",
                        LLAMA_STACK,
                        "ChatCompletionChunk",
                        CHAT.replace("model", "model_id") + ",\"stream\":true}",
                        SSE),
                request(
                        "Llama Stack's completion",
                        "/v1/inference/completion",
                        LLAMA_STACK,
                        "CompletionParams",
                        "{}",
                        "{\"content\":\"hi\"}"),
                answer(
                        "Llama Stack's completion",
                        "/v1/inference/completion",
                        LLAMA_STACK,
                        "CompletionAnswer",
                        "{\"model_id\":\"m\",\"content\":\"hello\"}"),
                request(
                        "Llama Stack's shields",
                        "/v1/safety/run-shield",
                        LLAMA_STACK,
                        "RunShieldParams",
                        "{\"shield_id\":\"llama-guard\"}",
                        ""),
                request(
                        "LiteLLM's guardrail",
                        "/beta/litellm_basic_guardrail_api",
                        LITELLM,
                        "GenericGuardrailAPIRequest",
                        "{}",
                        ""));
    }

    /** A request with something in a place. */
    byte[] request(Place place, JsonNode value) {
        ObjectNode body = (ObjectNode) place.with().apply(value);
        Set<String> own = Set.copyOf(place.path().subList(0, 1));
        JsonMapper.shared().readTree(request).properties().stream()
                .filter(field -> !own.contains(field.getKey()))
                .forEach(field -> body.set(field.getKey(), field.getValue()));
        return body.toString().getBytes(StandardCharsets.UTF_8);
    }

    /** What an upstream sends that has something in a place of its answer. */
    byte[] sent(Place place, JsonNode value) {
        JsonNode body = place.with().apply(value);
        String sent =
                way != Way.EVENT ? body.toString() : answer.equals(NDJSON) ? body + "\n" : "data: " + body + "\n\n";
        return sent.getBytes(StandardCharsets.UTF_8);
    }

    String contentType() {
        return way == Way.EVENT ? answer : JSON;
    }

    String heading() {
        return title
                + Map.of(
                                Way.REQUEST, ": requests",
                                Way.ANSWER, ": whole answers",
                                Way.EVENT, ": events of streams",
                                Way.ERROR, ": errors")
                        .get(way);
    }

    private static Surface request(
            String title, String path, Schema schema, String definition, String more, String answer) {
        return new Surface(title, Way.REQUEST, path, schema.places(definition), more, answer);
    }

    private static Surface answer(String title, String path, Schema schema, String definition, String request) {
        return new Surface(title, Way.ANSWER, path, schema.places(definition), request, JSON);
    }

    private static Surface error(String title, String path, Schema schema, String definition, String request) {
        return new Surface(title, Way.ERROR, path, schema.places(definition), request, JSON);
    }

    private static Surface event(
            String title, String path, Schema schema, String definition, String request, String type) {
        return new Surface(title, Way.EVENT, path, schema.places(definition), request, type);
    }
}
