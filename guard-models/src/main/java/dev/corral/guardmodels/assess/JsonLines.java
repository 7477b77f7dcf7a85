package dev.corral.guardmodels.assess;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.corral.guardmodels.conversation.Conversation;
import dev.corral.guardmodels.conversation.Role;
import dev.corral.guardmodels.conversation.Turn;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.tukaani.xz.XZInputStream;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * Reads conversations from JSON lines: an object a line, with {@code text}, or {@code turns} of {@code role} and
 * {@code content}, and optionally the {@code response} to be judged. Files whose name ends in {@code .xz} are unpacked.
 */
public final class JsonLines implements AutoCloseable {

    private static final JsonMapper JSON = new JsonMapper();

    private final BufferedReader reader;
    private int number;

    private JsonLines(BufferedReader reader) {
        this.reader = reader;
    }

    /** Opens a file. */
    public static JsonLines open(Path file) throws IOException {
        InputStream in = Files.newInputStream(file);
        try {
            InputStream plain = file.toString().endsWith(".xz") ? new XZInputStream(in) : in;
            return new JsonLines(new BufferedReader(new InputStreamReader(plain, UTF_8)));
        } catch (IOException e) {
            in.close();
            throw new IOException(file + " cannot be unpacked: " + e.getMessage(), e);
        }
    }

    /**
     * One line.
     *
     * @param number from 1
     */
    public record Line(int number, JsonNode json, Conversation conversation) {

        /** A field that must be text. */
        String text(String field) throws BrokenLineException {
            return JsonLines.text(json, field, number);
        }
    }

    /** The next line that is not blank, or null after the last. */
    public @Nullable Line next() throws IOException, BrokenLineException {
        String line = reader.readLine();
        number++;
        while (line != null && line.isBlank()) {
            line = reader.readLine();
            number++;
        }
        return line == null ? null : parse(line);
    }

    private Line parse(String line) throws BrokenLineException {
        JsonNode json;
        try {
            json = JSON.readTree(line);
        } catch (JacksonException e) {
            throw new BrokenLineException(number, "is not valid JSON: " + e.getOriginalMessage());
        }
        if (!json.isObject()) {
            throw new BrokenLineException(number, "must be a JSON object");
        }
        List<Turn> turns = new ArrayList<>();
        if (json.has("turns")) {
            JsonNode array = json.get("turns");
            if (!array.isArray() || array.isEmpty()) {
                throw new BrokenLineException(number, "'turns' must be a list of at least one turn");
            }
            for (JsonNode turn : array) {
                turns.add(Turn.of(role(turn), text(turn, "content", number)));
            }
        } else {
            turns.add(Turn.of(Role.USER, text(json, "text", number)));
        }
        if (json.has("response")) {
            turns.add(Turn.of(Role.ASSISTANT, text(json, "response", number)));
        }
        return new Line(number, json, new Conversation(turns));
    }

    private Role role(JsonNode turn) throws BrokenLineException {
        String role = text(turn, "role", number);
        return switch (role) {
            case "system", "developer" -> Role.SYSTEM;
            case "user" -> Role.USER;
            case "assistant" -> Role.ASSISTANT;
            case "tool" -> Role.TOOL;
            default ->
                throw new BrokenLineException(
                        number, "'role' must be system, developer, user, assistant or tool: '" + role + "'");
        };
    }

    private static String text(JsonNode json, String field, int number) throws BrokenLineException {
        JsonNode value = json.path(field);
        if (!value.isString()) {
            throw new BrokenLineException(
                    number, value.isMissingNode() ? "has no '" + field + "'" : "'" + field + "' must be text");
        }
        return value.stringValue();
    }

    @Override
    public void close() throws IOException {
        reader.close();
    }

    /** A line that cannot be read. */
    public static final class BrokenLineException extends Exception {

        BrokenLineException(int number, String problem) {
            super("line " + number + " " + problem);
        }
    }
}
