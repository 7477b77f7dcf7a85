package dev.corral.clients;

import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;

/**
 * Llama Stack's client library for Python. Version 0.7 is the first that knows the {@code [DONE]} at the end of OpenAI's streams;
 * older ones take it for JSON, whatever the server is. It wants Python 3.12 or newer.
 */
@Tag("slow")
class LlamaStackSdkTests extends ClientContract {

    @TempDir
    static Path folder;

    private static Sdk python;

    @BeforeAll
    static void install() throws Exception {
        python = Sdk.python(
                List.of("python3.14", "python3.13", "python3.12", "python3"),
                folder,
                List.of("llama-stack-client==0.7.5"));
    }

    static Stream<Client> clients() {
        return Stream.of(new Client(
                "Llama Stack's for Python",
                Backend.OPENAI,
                python.of("llama_stack"),
                "content_filter",
                "BadRequestError"));
    }
}
