package dev.corral.gateway.dialect.ollama;

import dev.corral.gateway.dialect.ModeratedRequest;
import tools.jackson.databind.node.ObjectNode;

/** Which of Ollama's ways to ask for text. */
public enum OllamaApi {
    CHAT("/api/chat") {
        @Override
        ModeratedRequest read(byte[] body) {
            return OllamaRequests.chat(body);
        }

        @Override
        void say(ObjectNode line, String text) {
            line.putObject("message").put("role", "assistant").put("content", text);
        }
    },
    GENERATE("/api/generate") {
        @Override
        ModeratedRequest read(byte[] body) {
            return OllamaRequests.generate(body);
        }

        @Override
        void say(ObjectNode line, String text) {
            line.put("response", text);
        }
    };

    private final String path;

    OllamaApi(String path) {
        this.path = path;
    }

    String path() {
        return path;
    }

    abstract ModeratedRequest read(byte[] body);

    /** Puts a text into a line of an answer. */
    abstract void say(ObjectNode line, String text);
}
