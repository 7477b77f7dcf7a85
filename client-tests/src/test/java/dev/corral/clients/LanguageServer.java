package dev.corral.clients;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.URI;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Predicate;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/**
 * An editor's side of a YAML language server, over the Language Server Protocol 3.17 on standard input and output: opens
 * texts, and asks for what can be written at a place. It reads until it has what it waits for, and answers what it is asked.
 */
final class LanguageServer implements AutoCloseable {

    private static final JsonMapper JSON = JsonMapper.builder().build();

    private final Process process;
    private final OutputStream out;
    private final InputStream in;
    private int requests;

    /** A mistake that the editor would underline; lines count from 1. */
    record Diagnostic(int line, String message) {}

    private LanguageServer(Process process) {
        this.process = process;
        this.out = process.getOutputStream();
        this.in = new BufferedInputStream(process.getInputStream());
    }

    /** Starts one for a folder of files. */
    static LanguageServer start(Path modules, Path folder) throws IOException {
        Path program = modules.resolve("yaml-language-server/bin/yaml-language-server");
        LanguageServer server = new LanguageServer(new ProcessBuilder("node", program.toString(), "--stdio")
                .redirectError(folder.resolve("server.log").toFile())
                .start());
        ObjectNode capabilities = JSON.createObjectNode();
        capabilities.putObject("workspace").put("configuration", true);
        capabilities.putObject("textDocument").putObject("completion").putObject("completionItem");
        ObjectNode parameters = JSON.createObjectNode();
        parameters.put("rootUri", folder.toUri().toString());
        parameters.set("capabilities", capabilities);
        server.ask("initialize", parameters);
        server.send("initialized", JSON.createObjectNode());
        return server;
    }

    /** Opens a text under a name that it does not have yet, and waits for what is wrong with it. */
    List<Diagnostic> open(URI file, String text) throws IOException {
        ObjectNode parameters = JSON.createObjectNode();
        parameters
                .putObject("textDocument")
                .put("uri", file.toString())
                .put("languageId", "yaml")
                .put("version", 1)
                .put("text", text);
        send("textDocument/didOpen", parameters);
        JsonNode published =
                await(message -> message.path("method").asString("").endsWith("/publishDiagnostics")
                        && message.at("/params/uri").asString("").equals(file.toString()));
        List<Diagnostic> diagnostics = new ArrayList<>();
        for (JsonNode diagnostic : published.at("/params/diagnostics")) {
            diagnostics.add(new Diagnostic(
                    diagnostic.at("/range/start/line").intValue() + 1,
                    diagnostic.path("message").asString("")));
        }
        return diagnostics;
    }

    /** What can be written at a place of an open text; lines and columns count from 1. */
    List<String> complete(URI file, int line, int column) throws IOException {
        ObjectNode parameters = JSON.createObjectNode();
        parameters.putObject("textDocument").put("uri", file.toString());
        parameters.putObject("position").put("line", line - 1).put("character", column - 1);
        return ask("textDocument/completion", parameters).at("/items").values().stream()
                .map(item -> item.path("label").asString(""))
                .toList();
    }

    private JsonNode ask(String method, JsonNode parameters) throws IOException {
        int id = ++requests;
        write(message().put("id", id).put("method", method).set("params", parameters));
        return await(message -> !message.has("method") && message.path("id").intValue(0) == id)
                .path("result");
    }

    private void send(String method, JsonNode parameters) throws IOException {
        write(message().put("method", method).set("params", parameters));
    }

    private JsonNode await(Predicate<JsonNode> wanted) throws IOException {
        while (true) {
            JsonNode message = read();
            if (message.has("method") && message.has("id")) {
                write(message().<ObjectNode>set("id", message.get("id")).set("result", answer(message)));
            } else if (wanted.test(message)) {
                return message;
            }
        }
    }

    /** The settings that it asks for; it is not to look for schemas in the internet. */
    private static JsonNode answer(JsonNode request) {
        if (!request.path("method").asString("").equals("workspace/configuration")) {
            return JSON.nullNode();
        }
        var answers = JSON.createArrayNode();
        for (JsonNode item : request.at("/params/items")) {
            ObjectNode settings = answers.addObject();
            if (item.path("section").asString("").equals("yaml")) {
                settings.put("validate", true).put("completion", true);
                settings.putObject("schemaStore").put("enable", false);
            }
        }
        return answers;
    }

    private static ObjectNode message() {
        return JSON.createObjectNode().put("jsonrpc", "2.0");
    }

    private void write(JsonNode message) throws IOException {
        byte[] body = JSON.writeValueAsBytes(message);
        out.write(("Content-Length: " + body.length + "\r\n\r\n").getBytes(UTF_8));
        out.write(body);
        out.flush();
    }

    private JsonNode read() throws IOException {
        int length = 0;
        for (String header = header(); !header.isEmpty(); header = header()) {
            if (header.startsWith("Content-Length: ")) {
                length = Integer.parseInt(header.substring(header.indexOf(' ') + 1));
            }
        }
        return JSON.readTree(in.readNBytes(length));
    }

    private String header() throws IOException {
        ByteArrayOutputStream line = new ByteArrayOutputStream();
        for (int next = in.read(); next != '\n'; next = in.read()) {
            if (next < 0) {
                throw new IOException("the language server has ended");
            }
            line.write(next);
        }
        return line.toString(UTF_8).strip();
    }

    @Override
    public void close() {
        process.destroy();
    }
}
