package dev.corral.gateway.translation;

/** Why an answer ends, in the words of each API. */
enum Stop {
    END("stop", "end_turn", "stop"),
    LENGTH("length", "max_tokens", "length"),
    SEQUENCE("stop", "stop_sequence", "stop"),
    CALLS("tool_calls", "tool_use", "stop"),
    FILTERED("content_filter", "refusal", "content_filter");

    private final String openAi;
    private final String anthropic;
    private final String ollama;

    Stop(String openAi, String anthropic, String ollama) {
        this.openAi = openAi;
        this.anthropic = anthropic;
        this.ollama = ollama;
    }

    String openAi() {
        return openAi;
    }

    String anthropic() {
        return anthropic;
    }

    String ollama() {
        return ollama;
    }
}
