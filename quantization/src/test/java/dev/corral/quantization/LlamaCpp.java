package dev.corral.quantization;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.BufferedReader;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/** A GGUF file on llama.cpp's own server, which the PyPI package xllamacpp brings built; a process for each file. */
final class LlamaCpp implements AutoCloseable {

    private static final List<String> PACKAGES = List.of("xllamacpp==2026.10.11549");

    private final Process process;
    private final URI address;
    private final HttpClient client = HttpClient.newHttpClient();

    private LlamaCpp(Process process, URI address) {
        this.process = process;
        this.address = address;
    }

    /** Loads the file; the test is skipped where llama.cpp cannot be had. */
    static LlamaCpp serve(Path model) throws IOException {
        PythonPackages packages = PythonPackages.of("llama.cpp", PACKAGES);
        Path said = packages.folder().resolve("server.log");
        Process process = new ProcessBuilder(
                        packages.python(),
                        Path.of("src/test/resources/served/llama_cpp.py")
                                .toAbsolutePath()
                                .toString(),
                        model.toAbsolutePath().toString())
                .redirectError(said.toFile())
                .start();
        BufferedReader out = process.inputReader(UTF_8);
        String line = out.readLine();
        while (line != null && !line.startsWith("http")) {
            line = out.readLine();
        }
        if (line == null) {
            throw new IllegalStateException("llama.cpp does not load " + model + ":\n" + Files.readString(said));
        }
        return new LlamaCpp(process, URI.create(line));
    }

    URI address() {
        return address;
    }

    /** Logarithms of the probabilities of all tokens to come next. */
    float[] next(int[] tokens, int vocabulary) throws IOException, InterruptedException {
        ObjectNode request = completion(tokens, 1).put("n_probs", vocabulary);
        JsonNode listed = post("/completion", request)
                .path("completion_probabilities")
                .path(0)
                .path("top_logprobs");
        float[] next = new float[vocabulary];
        Arrays.fill(next, Float.NaN);
        listed.forEach(token ->
                next[token.path("id").asInt()] = (float) token.path("logprob").asDouble());
        return next;
    }

    /** The likeliest tokens, one after the other. */
    List<Integer> greedy(int[] tokens, int count) throws IOException, InterruptedException {
        ObjectNode request = completion(tokens, count).put("return_tokens", true);
        return post("/completion", request)
                .path("tokens")
                .valueStream()
                .map(JsonNode::asInt)
                .toList();
    }

    private static ObjectNode completion(int[] tokens, int count) {
        ObjectNode request = JsonMapper.shared().createObjectNode();
        request.put("n_predict", count).put("temperature", 0).put("cache_prompt", false);
        for (int token : tokens) {
            request.withArray("prompt").add(token);
        }
        return request;
    }

    /** What a client's text becomes. */
    int[] tokens(String text) throws IOException, InterruptedException {
        ObjectNode request = JsonMapper.shared().createObjectNode();
        request.put("content", text).put("add_special", true).put("parse_special", true);
        return post("/tokenize", request)
                .path("tokens")
                .valueStream()
                .mapToInt(JsonNode::asInt)
                .toArray();
    }

    JsonNode post(String path, JsonNode body) throws IOException, InterruptedException {
        HttpResponse<byte[]> response = client.send(
                HttpRequest.newBuilder(address.resolve(path))
                        .header("Content-Type", "application/json")
                        .POST(BodyPublishers.ofByteArray(JsonMapper.shared().writeValueAsBytes(body)))
                        .build(),
                BodyHandlers.ofByteArray());
        if (response.statusCode() != 200) {
            throw new IllegalStateException(
                    path + " answers " + response.statusCode() + ": " + new String(response.body(), UTF_8));
        }
        return JsonMapper.shared().readTree(response.body());
    }

    @Override
    public void close() throws IOException {
        client.close();
        process.getOutputStream().close();
        process.onExit().join();
    }
}
