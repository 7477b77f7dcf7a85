package dev.corral.clients;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.function.IntFunction;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * Client libraries of another language, and the script that uses them: it does one thing and prints a reply, or an error,
 * as a line of JSON.
 */
final class Sdk {

    private static final JsonMapper JSON = JsonMapper.builder().build();

    private final List<String> command;
    private final Path folder;

    private Sdk(List<String> command, Path folder) {
        this.command = command;
        this.folder = folder;
    }

    /**
     * Of Python.
     *
     * @param names by which it may be called
     */
    static Sdk python(List<String> names, Path folder, List<String> packages) throws IOException {
        Path python = Installation.python(names, folder, packages);
        return new Sdk(List.of(python.toString(), script(folder, "sdk.py")), folder);
    }

    /** Of Node. */
    static Sdk node(Path folder, List<String> packages) throws IOException {
        Installation.node(folder, packages);
        return new Sdk(List.of("node", script(folder, "sdk.mjs")), folder);
    }

    private static String script(Path folder, String name) throws IOException {
        Path file = folder.resolve(name);
        try (InputStream script = Objects.requireNonNull(Sdk.class.getResourceAsStream("/sdks/" + name))) {
            Files.copy(script, file);
        }
        return file.toString();
    }

    /** One library, by the name under which the language knows it. */
    IntFunction<Library> of(String name) {
        return port -> new Library() {
            @Override
            public Reply ask(String prompt) {
                return run(name, port, "ask", prompt);
            }

            @Override
            public Reply stream(String prompt) {
                return run(name, port, "stream", prompt);
            }

            @Override
            public Reply askWithTool(String prompt) {
                return run(name, port, "tool", prompt);
            }

            @Override
            public Reply askWithImage(String prompt) {
                return run(name, port, "image", prompt);
            }
        };
    }

    private Reply run(String name, int port, String action, String prompt) {
        List<String> line = new ArrayList<>(command);
        line.addAll(List.of(name, Integer.toString(port), action, prompt, Pixel.BASE64));
        try {
            Process process = new ProcessBuilder(line)
                    .directory(folder.toFile())
                    .redirectError(folder.resolve("error.log").toFile())
                    .start();
            String printed = new String(process.getInputStream().readAllBytes(), UTF_8);
            if (process.waitFor() != 0) {
                throw new IllegalStateException(Files.readString(folder.resolve("error.log")));
            }
            return reply(JSON.readTree(printed));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    private static Reply reply(JsonNode printed) {
        if (printed.has("error")) {
            throw new ScriptError(
                    printed.get("error").asString(), printed.path("message").asString(""));
        }
        return new Reply(
                printed.path("text").asString(""),
                printed.path("calls").values().stream().map(JsonNode::asString).toList(),
                printed.path("ending").asString(""));
    }
}
