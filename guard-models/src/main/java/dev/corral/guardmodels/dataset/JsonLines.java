package dev.corral.guardmodels.dataset;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharsetDecoder;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.zip.GZIPInputStream;
import org.jspecify.annotations.Nullable;
import org.tukaani.xz.XZInputStream;
import tools.jackson.core.JacksonException;
import tools.jackson.core.StreamReadFeature;
import tools.jackson.core.json.JsonFactory;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * Reads a file of JSON lines: UTF-8, an object a line, blank lines between them as one likes. Files whose name ends in
 * {@code .gz} or {@code .xz} are unpacked.
 */
public final class JsonLines implements AutoCloseable {

    static final JsonMapper JSON = JsonMapper.builder(JsonFactory.builder()
                    .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
                    .build())
            .build();

    /** Of one line, so that a file of another kind is no reason to run out of memory. */
    private static final int LONGEST_LINE = 16 << 20;

    private final Path file;
    private final InputStream in;
    private int number;
    private int index;

    private JsonLines(Path file, InputStream in) {
        this.file = file;
        this.in = in;
    }

    /**
     * Opens a file.
     *
     * @throws IOException if it cannot be read or unpacked
     */
    public static JsonLines open(Path file) throws IOException {
        if (Files.isDirectory(file)) {
            throw new IOException(file + " is a directory; give a file of JSON lines");
        }
        InputStream packed = new BufferedInputStream(Files.newInputStream(file), 1 << 16);
        try {
            return new JsonLines(file, new BufferedInputStream(unpacked(file.toString(), packed), 1 << 16));
        } catch (IOException e) {
            packed.close();
            throw unreadable(file, e);
        }
    }

    private static InputStream unpacked(String name, InputStream in) throws IOException {
        if (name.endsWith(".xz")) {
            return new XZInputStream(in);
        }
        return name.endsWith(".gz") ? new GZIPInputStream(in) : in;
    }

    private static IOException unreadable(Path file, IOException cause) {
        return cause instanceof NoSuchFileException
                ? cause
                : new IOException(
                        file + " cannot be read or unpacked: "
                                + (cause.getMessage() == null ? "it ends too early" : cause.getMessage()),
                        cause);
    }

    /**
     * The next line that is not blank, or null after the last. After a broken line, reading goes on with the one behind it.
     *
     * @throws IOException if the file cannot be read on
     */
    public @Nullable Line next() throws IOException, BrokenLineException {
        for (byte[] bytes = read(); bytes != null; bytes = read()) {
            number++;
            String text = decode(bytes);
            if (!text.isBlank()) {
                index++;
                return parse(text);
            }
        }
        return null;
    }

    private byte @Nullable [] read() throws IOException {
        ByteArrayOutputStream line = new ByteArrayOutputStream();
        try {
            int next = in.read();
            if (next < 0) {
                return null;
            }
            while (next >= 0 && next != '\n') {
                line.write(next);
                if (line.size() > LONGEST_LINE) {
                    throw new IOException(
                            "line " + (number + 1) + " is longer than " + LONGEST_LINE + " bytes; is it JSON lines?");
                }
                next = in.read();
            }
        } catch (IOException e) {
            throw unreadable(file, e);
        }
        return line.toByteArray();
    }

    private String decode(byte[] bytes) throws BrokenLineException {
        CharBuffer text = CharBuffer.allocate(bytes.length);
        CharsetDecoder decoder = UTF_8.newDecoder();
        if (decoder.decode(ByteBuffer.wrap(bytes), text, true).isError()) {
            index++;
            throw new BrokenLineException(
                    file.toString(), number, text.position() + 1, "the text must be UTF-8, and this byte is not");
        }
        String line = text.flip().toString();
        return number == 1 && line.startsWith("\uFEFF") ? line.substring(1) : line;
    }

    private Line parse(String text) throws BrokenLineException {
        JsonNode json;
        try {
            json = JSON.readTree(text);
        } catch (JacksonException e) {
            int column =
                    e.getLocation() == null ? 1 : Math.max(1, e.getLocation().getColumnNr());
            throw new BrokenLineException(
                    file.toString(), number, column, "this is not valid JSON: " + e.getOriginalMessage());
        }
        if (!json.isObject()) {
            throw new BrokenLineException(file.toString(), number, 1, "a line must be a JSON object");
        }
        return new Line(file.toString(), number, index - 1, text, json);
    }

    @Override
    public void close() throws IOException {
        in.close();
    }
}
