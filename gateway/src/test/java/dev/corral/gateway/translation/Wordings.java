package dev.corral.gateway.translation;

import dev.corral.gateway.dialect.Dialect;
import dev.corral.gateway.dialect.StrictJson;
import dev.corral.gateway.dialect.anthropic.AnthropicMessages;
import dev.corral.gateway.dialect.ollama.Ollama;
import dev.corral.gateway.dialect.ollama.OllamaApi;
import dev.corral.gateway.dialect.openai.OpenAiChat;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import java.util.stream.Stream;
import tools.jackson.databind.JsonNode;

/** What tests of translations share: a fixed clock, the dialects, directions, files. */
final class Wordings {

    static final String EXCHANGE = "0f8fad5b-d9cb-469f-a165-70867728950e";
    static final String UPSTREAM = "far";
    static final int MAX_TOKENS = 4096;

    static final InstantSource CLOCK = InstantSource.fixed(Instant.parse("2026-01-01T00:00:00Z"));
    static final Translator TRANSLATOR = new Translator(CLOCK);

    private static final Path RESOURCES = Path.of("src/test/resources/translation");
    private static final int MAX_FRAME = 1 << 20;

    /** From a client to an upstream. */
    record Direction(ChatApi client, ChatApi upstream) {

        static Stream<Direction> all() {
            return Arrays.stream(ChatApi.values())
                    .flatMap(client -> Arrays.stream(ChatApi.values())
                            .filter(upstream -> upstream != client)
                            .map(upstream -> new Direction(client, upstream)));
        }

        Direction back() {
            return new Direction(upstream, client);
        }

        byte[] request(byte[] body) {
            return translation(body).request();
        }

        Translation translation(byte[] body) {
            return TRANSLATOR.translate(client, body, upstream, UPSTREAM, MAX_TOKENS);
        }

        /** A translation of some request, for its answers. */
        Translation some() {
            String hello = "{\"model\":\"m\",\"stream\":true,"
                    + (client == ChatApi.OPENAI ? "\"stream_options\":{\"include_usage\":true}," : "")
                    + "\"messages\":[{\"role\":\"user\",\"content\":\"hello\"}]}";
            return translation(hello.getBytes(StandardCharsets.UTF_8));
        }

        byte[] answer(byte[] body) {
            return some().answer(body, dialect(client), EXCHANGE);
        }

        byte[] stream(List<byte[]> chunks) {
            StreamTranslation stream = some().stream(dialect(client), EXCHANGE, MAX_FRAME);
            ByteArrayOutputStream written = new ByteArrayOutputStream();
            chunks.forEach(chunk -> stream.next(chunk).forEach(written::writeBytes));
            stream.end().forEach(written::writeBytes);
            return written.toByteArray();
        }
    }

    private Wordings() {}

    static Dialect dialect(ChatApi api) {
        return switch (api) {
            case OPENAI -> new OpenAiChat(CLOCK);
            case ANTHROPIC -> new AnthropicMessages();
            case OLLAMA -> new Ollama(OllamaApi.CHAT, CLOCK);
        };
    }

    static String name(ChatApi api) {
        return api.name().toLowerCase(Locale.ROOT);
    }

    /** The folders with cases below one of the resources. */
    static List<Path> cases(String kind) {
        try (Stream<Path> folders = Files.list(RESOURCES.resolve(kind))) {
            return folders.sorted().toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    static byte[] bytes(Path file) {
        try {
            return Files.readAllBytes(file);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    static JsonNode json(byte[] bytes) {
        try {
            return StrictJson.parse(bytes);
        } catch (StrictJson.Malformed e) {
            throw new IllegalArgumentException(e);
        }
    }

    /** The same bytes in pieces of random length, empty ones among them. */
    static List<byte[]> pieces(byte[] bytes, Random random) {
        Stream.Builder<byte[]> pieces = Stream.builder();
        for (int from = 0; from < bytes.length; ) {
            int to = Math.min(bytes.length, from + random.nextInt(40));
            pieces.add(Arrays.copyOfRange(bytes, from, to));
            from = to;
        }
        return pieces.build().toList();
    }
}
