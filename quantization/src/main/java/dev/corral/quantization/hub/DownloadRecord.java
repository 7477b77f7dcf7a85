package dev.corral.quantization.hub;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * {@code download.json} beside weights: where they are from.
 *
 * @param hub address
 * @param repository {@code OWNER/NAME}
 * @param revision what was asked for
 * @param commit what that was
 */
public record DownloadRecord(String hub, String repository, String revision, String commit) {

    private static final String FILE = "download.json";

    /** Writes the record into a directory of weights. */
    public void write(Path directory) throws IOException {
        String json = JsonMapper.shared()
                .createObjectNode()
                .put("hub", hub)
                .put("repository", repository)
                .put("revision", revision)
                .put("commit", commit)
                .toPrettyString();
        Files.writeString(directory.resolve(FILE), json + "\n");
    }

    /** The record of a directory, or empty where there is none that can be read: it only informs. */
    public static Optional<DownloadRecord> read(Path directory) throws IOException {
        Path file = directory.resolve(FILE);
        if (!Files.isRegularFile(file)) {
            return Optional.empty();
        }
        try {
            JsonNode json = JsonMapper.shared().readTree(Files.readAllBytes(file));
            return Optional.of(new DownloadRecord(
                    json.path("hub").asString(""),
                    json.path("repository").asString(""),
                    json.path("revision").asString(""),
                    json.path("commit").asString("")));
        } catch (JacksonException e) {
            return Optional.empty();
        }
    }
}
