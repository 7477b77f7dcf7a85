package dev.corral.gateway.dialect.ollama;

import dev.corral.gateway.dialect.DialectException;
import dev.corral.gateway.dialect.FrameRedactor;
import dev.corral.gateway.dialect.GrowingTexts;
import dev.corral.gateway.dialect.NdjsonFrames;
import dev.corral.gateway.dialect.Redactor;
import dev.corral.gateway.dialect.StrictJson;
import dev.corral.policies.policy.ContentSource;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/**
 * Redacts one streamed answer. Its texts grow by themselves; what stays of them leaves with the last line. Lines that
 * bring no text leave as they came, byte for byte.
 */
final class OllamaLines implements FrameRedactor {

    private static final Map<String, ContentSource> GROWING = Map.of(
            "content", ContentSource.ASSISTANT,
            "response", ContentSource.ASSISTANT,
            "thinking", ContentSource.REASONING);

    private final OllamaApi api;
    private final InstantSource clock;
    private final Redactor redactor;
    private final GrowingTexts<String> texts;
    private String model = "";

    OllamaLines(OllamaApi api, InstantSource clock, Redactor redactor) {
        this.api = api;
        this.clock = clock;
        this.redactor = redactor;
        this.texts = new GrowingTexts<>(redactor);
    }

    /** The text of a line, which must be UTF-8. */
    static String text(byte[] frame) {
        try {
            return StrictJson.utf8(frame);
        } catch (StrictJson.Malformed _) {
            throw DialectException.unreadable("a line of its stream is not UTF-8");
        }
    }

    @Override
    public List<byte[]> redact(List<byte[]> frames) {
        List<byte[]> redacted = new ArrayList<>();
        for (byte[] frame : frames) {
            String line = text(frame);
            redacted.add(line.isBlank() ? frame : redact(frame, StrictJson.event(line)));
        }
        return redacted;
    }

    @Override
    public List<byte[]> end() {
        String rest = texts.end("content") + texts.end("response");
        return rest.isEmpty() ? List.of() : List.of(new OllamaWriter(api, model, clock.instant()).text(rest));
    }

    private byte[] redact(byte[] frame, JsonNode line) {
        model = line.path("model").asString(model);
        JsonNode redacted = OllamaTexts.OLLAMA.redacted(line, ContentSource.ASSISTANT, redactor);
        boolean last = line.path("done").asBoolean(false);
        JsonNode said = api == OllamaApi.CHAT ? line.path("message") : line;
        if (redacted instanceof ObjectNode whole && (last || said.isObject())) {
            ObjectNode leaves = api == OllamaApi.CHAT ? whole.withObject("/message") : whole;
            GROWING.forEach((name, source) -> grow(name, source, said.path(name), leaves, last));
        }
        return redacted.equals(line) ? frame : NdjsonFrames.frame(redacted);
    }

    private void grow(String name, ContentSource source, JsonNode piece, ObjectNode leaves, boolean last) {
        String came = piece.asString("");
        String left = came.isEmpty() ? "" : texts.grow(name, came, source);
        String rest = last ? texts.end(name) : "";
        if (!came.isEmpty() || !rest.isEmpty()) {
            leaves.put(name, left + rest);
        }
    }
}
