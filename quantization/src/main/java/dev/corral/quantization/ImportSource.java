package dev.corral.quantization;

import static java.nio.charset.StandardCharsets.US_ASCII;

import dev.corral.quantization.checkpoint.CheckpointException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;

/** A model as others published it: told by its prefix, or by the first bytes of its file. */
sealed interface ImportSource {

    /** What Ollama's references begin with here. */
    String OLLAMA_PREFIX = "ollama:";

    /** Bytes from which a file's format can be told. */
    int MAGIC_BYTES = 8;

    /** Where ExecuTorch's own begin. */
    int EXECUTORCH_AT = 4;

    /** The id that the guard gets where nobody names one. */
    String id();

    /** A file of llama.cpp and its kin. */
    record Gguf(Path file) implements ImportSource {

        @Override
        public String id() {
            return asId(withoutEnding(file));
        }
    }

    /** A program for phones, as ExecuTorch exports it. */
    record Phone(Path file) implements ImportSource {

        @Override
        public String id() {
            return asId(withoutEnding(file));
        }
    }

    /** An ONNX model that others made. */
    record Optimum(PublishedOnnx published) implements ImportSource {

        @Override
        public String id() {
            return asId(published
                    .folder()
                    .toAbsolutePath()
                    .normalize()
                    .getFileName()
                    .toString());
        }
    }

    /** A model in Ollama's local store, such as {@code llama-guard3:1b}. */
    record Ollama(String model) implements ImportSource {

        @Override
        public String id() {
            return asId(model.substring(model.lastIndexOf('/') + 1));
        }
    }

    /**
     * What a word on the command line means.
     *
     * @throws CheckpointException if it is a file or a folder of none of these formats
     */
    static ImportSource of(String source) throws IOException {
        if (source.startsWith(OLLAMA_PREFIX)) {
            return new Ollama(source.substring(OLLAMA_PREFIX.length()));
        }
        Path file = Path.of(source);
        if (Files.isDirectory(file) || source.endsWith(".onnx")) {
            return new Optimum(PublishedOnnx.find(file));
        }
        String magic;
        try (InputStream in = Files.newInputStream(file)) {
            magic = new String(in.readNBytes(MAGIC_BYTES), US_ASCII);
        }
        if (magic.startsWith("GGUF")) {
            return new Gguf(file);
        }
        if (magic.startsWith("ET12", EXECUTORCH_AT)) {
            return new Phone(file);
        }
        throw new CheckpointException(
                "%s is neither a GGUF file nor an ExecuTorch program nor an ONNX model: its first bytes are none of theirs. A Hugging Face folder is for 'corral quantize'."
                        .formatted(file));
    }

    private static String withoutEnding(Path file) {
        String name = String.valueOf(file.getFileName());
        return name.indexOf('.') > 0 && name.lastIndexOf('.') > 0 ? name.substring(0, name.lastIndexOf('.')) : name;
    }

    private static String asId(String name) {
        return name.toLowerCase(Locale.ROOT).replaceAll("[^a-z0-9.-]+", "-");
    }
}
