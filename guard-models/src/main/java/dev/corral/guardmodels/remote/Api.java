package dev.corral.guardmodels.remote;

/** How a server is asked. */
public enum Api {
    /**
     * {@code POST …/completions} with the prompt as this guard's family was trained with it: vLLM and llama.cpp. Not
     * Ollama, which puts such a prompt into the model's chat template once more.
     */
    COMPLETIONS("/completions"),

    /**
     * {@code POST …/chat/completions} with the turns of the conversation, to which the server applies the chat template of
     * the model: any server. The hazards are then those of the server's template.
     */
    CHAT("/chat/completions");

    private final String path;

    Api(String path) {
        this.path = path;
    }

    /** What follows the server's base address. */
    String path() {
        return path;
    }
}
