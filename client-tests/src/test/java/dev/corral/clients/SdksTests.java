package dev.corral.clients;

import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;

/** The client libraries of Python and Node, installed into a temporary folder. */
@Tag("slow")
class SdksTests extends ClientContract {

    @TempDir
    static Path folder;

    private static Sdk python;
    private static Sdk node;

    @BeforeAll
    static void install() throws Exception {
        python = Sdk.python(
                Installation.PYTHON,
                folder.resolve("python"),
                List.of("openai==3.54.0", "anthropic==2.12.0", "ollama==0.6.3"));
        node = Sdk.node(folder.resolve("node"), List.of("openai@7.57.0", "ollama@0.6.4", "llama-stack-client@0.7.3"));
    }

    static Stream<Client> clients() {
        return Stream.of(
                new Client(
                        "openai for Python", Backend.OPENAI, python.of("openai"), "content_filter", "BadRequestError"),
                new Client(
                        "anthropic for Python",
                        Backend.ANTHROPIC,
                        python.of("anthropic"),
                        "refusal",
                        "BadRequestError"),
                new Client("ollama for Python", Backend.OLLAMA, python.of("ollama"), "content_filter", "ResponseError"),
                new Client("openai for Node", Backend.OPENAI, node.of("openai"), "content_filter", "BadRequestError"),
                new Client(
                        "Llama Stack's for Node",
                        Backend.OPENAI,
                        node.of("llama_stack"),
                        "content_filter",
                        "BadRequestError"),
                new Client("ollama for Node", Backend.OLLAMA, node.of("ollama"), "content_filter", "ResponseError"));
    }
}
