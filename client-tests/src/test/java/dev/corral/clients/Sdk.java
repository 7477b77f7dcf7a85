package dev.corral.clients;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
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

    /** Of Python, in a virtual environment; without one, or without a way to fetch them, the tests are skipped. */
    static Sdk python(Path folder, List<String> packages) throws IOException {
        Files.createDirectories(folder);
        String python = folder.resolve("bin/python").toString();
        assumeTrue(succeeds(folder, List.of("python3", "-m", "venv", ".")), "skipped: python3 makes no venv here");
        List<String> install = new ArrayList<>(List.of(python, "-m", "pip", "install", "--quiet"));
        install.addAll(packages);
        assumeTrue(succeeds(folder, install), "skipped: pip fetches no packages here");
        return new Sdk(List.of(python, script(folder, "sdk.py")), folder);
    }

    /** Of Node, in a folder of modules; without Node, or without a way to fetch them, the tests are skipped. */
    static Sdk node(Path folder, List<String> packages) throws IOException {
        Files.createDirectories(folder);
        assumeTrue(succeeds(folder, List.of("node", "--version")), "skipped: there is no Node here");
        List<String> install = new ArrayList<>(List.of("npm", "install", "--no-audit", "--no-fund", "--prefix", "."));
        install.addAll(packages);
        assumeTrue(succeeds(folder, install), "skipped: npm fetches no packages here");
        return new Sdk(List.of("node", script(folder, "sdk.mjs")), folder);
    }

    private static String script(Path folder, String name) throws IOException {
        Path file = folder.resolve(name);
        try (InputStream script = Objects.requireNonNull(Sdk.class.getResourceAsStream("/sdks/" + name))) {
            Files.copy(script, file);
        }
        return file.toString();
    }

    private static boolean succeeds(Path folder, List<String> command) {
        try {
            Process process = new ProcessBuilder(command)
                    .directory(folder.toFile())
                    .redirectErrorStream(true)
                    .redirectOutput(folder.resolve("install.log").toFile())
                    .start();
            if (!process.waitFor(5, TimeUnit.MINUTES)) {
                process.destroyForcibly();
                return false;
            }
            return process.exitValue() == 0;
        } catch (IOException _) {
            return false;
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
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
