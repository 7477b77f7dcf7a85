package dev.corral.clients;

import java.util.stream.Stream;

/** The client libraries of Java, in front of upstreams of their own API and of others, for which they are translated. */
class ClientsTests extends ClientContract {

    static Stream<Client> clients() {
        return Stream.of(
                        openAi(Backend.OPENAI),
                        openAi(Backend.ANTHROPIC),
                        openAi(Backend.OLLAMA),
                        anthropic(Backend.ANTHROPIC),
                        anthropic(Backend.OPENAI),
                        anthropic(Backend.OLLAMA),
                        ollama(Backend.OLLAMA),
                        ollama(Backend.OPENAI),
                        ollama(Backend.ANTHROPIC))
                .flatMap(clients -> clients);
    }

    private static Stream<Client> openAi(Backend backend) {
        return Stream.of(
                new Client("openai-java", backend, OpenAiJava::new, "content_filter", "BadRequestException"),
                new Client("Spring AI, OpenAI", backend, SpringAi::openAi, "content_filter", "BadRequestException"),
                new Client(
                        "LangChain4j, OpenAI",
                        backend,
                        LangChain4j::openAi,
                        "CONTENT_FILTER",
                        "InvalidRequestException"));
    }

    private static Stream<Client> anthropic(Backend backend) {
        return Stream.of(
                new Client("anthropic-java", backend, AnthropicJava::new, "refusal", "BadRequestException"),
                new Client(
                        "LangChain4j, Anthropic", backend, LangChain4j::anthropic, "OTHER", "InvalidRequestException"));
    }

    private static Stream<Client> ollama(Backend backend) {
        return Stream.of(
                new Client("Spring AI, Ollama", backend, SpringAi::ollama, "content_filter", "NonTransientAiException"),
                new Client("LangChain4j, Ollama", backend, LangChain4j::ollama, "OTHER", "InvalidRequestException"));
    }
}
