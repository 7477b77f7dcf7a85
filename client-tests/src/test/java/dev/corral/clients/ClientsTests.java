package dev.corral.clients;

import java.util.stream.Stream;

/** The client libraries of Java. */
class ClientsTests extends ClientContract {

    static Stream<Client> clients() {
        return Stream.of(
                new Client("openai-java", Backend.OPENAI, OpenAiJava::new, "content_filter", "BadRequestException"),
                new Client("anthropic-java", Backend.ANTHROPIC, AnthropicJava::new, "refusal", "BadRequestException"),
                new Client(
                        "Spring AI, OpenAI", Backend.OPENAI, SpringAi::openAi, "content_filter", "BadRequestException"),
                new Client(
                        "Spring AI, Ollama",
                        Backend.OLLAMA,
                        SpringAi::ollama,
                        "content_filter",
                        "NonTransientAiException"),
                new Client(
                        "LangChain4j, OpenAI",
                        Backend.OPENAI,
                        LangChain4j::openAi,
                        "CONTENT_FILTER",
                        "InvalidRequestException"),
                new Client(
                        "LangChain4j, Anthropic",
                        Backend.ANTHROPIC,
                        LangChain4j::anthropic,
                        "OTHER",
                        "InvalidRequestException"),
                new Client(
                        "LangChain4j, Ollama",
                        Backend.OLLAMA,
                        LangChain4j::ollama,
                        "OTHER",
                        "InvalidRequestException"));
    }
}
