package dev.corral.gateway.translation;

import dev.corral.gateway.dialect.Paths;
import java.util.List;
import java.util.Optional;
import org.springframework.http.HttpMethod;
import org.springframework.http.MediaType;

/** Whose API it is that a client or an upstream speaks, and where its chats are. */
public enum ChatApi {
    OPENAI("OpenAI's API", "/v1/chat/completions") {
        @Override
        boolean hasPath(String path) {
            return List.of("/chat/completions", "/completions", "/responses", "/embeddings").stream()
                    .anyMatch(ending -> Paths.ends(path, ending));
        }
    },
    ANTHROPIC("Anthropic's API", "/v1/messages") {
        @Override
        boolean hasPath(String path) {
            return List.of("/messages", "/messages/count_tokens").stream().anyMatch(ending -> Paths.ends(path, ending));
        }
    },
    OLLAMA("Ollama's API", "/api/chat") {
        @Override
        boolean hasPath(String path) {
            return path.startsWith("/api/");
        }
    };

    private final String title;
    private final String chatPath;

    ChatApi(String title, String chatPath) {
        this.title = title;
        this.chatPath = chatPath;
    }

    /** Whose request it is; empty where it is in none of these APIs, as a list of models is. */
    public static Optional<ChatApi> of(HttpMethod method, String path) {
        return method.equals(HttpMethod.POST)
                ? List.of(values()).stream().filter(api -> api.hasPath(path)).findFirst()
                : Optional.empty();
    }

    /** Whether a path is one of this API's. */
    abstract boolean hasPath(String path);

    /** Whether a chat is asked for at a path, which is what can be translated. */
    public boolean chatsAt(String path) {
        return Paths.ends(path, chatPath.replaceFirst("^/v1", ""));
    }

    /** For people. */
    public String title() {
        return title;
    }

    /** Where chats are asked for. */
    public String chatPath() {
        return chatPath;
    }

    /** The content type of streamed answers. */
    public MediaType streamType() {
        return this == OLLAMA ? MediaType.APPLICATION_NDJSON : MediaType.TEXT_EVENT_STREAM;
    }
}
