package dev.corral.quantization.executorch;

import static org.assertj.core.api.Assumptions.assumeThat;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** Programs that ExecuTorch exported of one random Llama, and what is in them by the exporter's own account. */
public final class PhoneFixtures {

    private static final Path FOLDER = Path.of("../../shared/fixtures/tiny-pte");

    /** Their names; the first three lay weights out as 0.4 does, the others as 1.5. */
    public static final List<String> NAMES =
            List.of("tiny-v0.4.0-g256", "tiny-v0.4.0-g32", "tiny-v0.5.0-g256", "tiny-v1.5.1-g256", "tiny-v1.5.1-g32");

    private PhoneFixtures() {}

    /** A file of the fixtures; skips the test where they are not beside this checkout. */
    public static Path file(String name) {
        assumeThat(FOLDER)
                .as("ExecuTorch's exports are not beside this checkout")
                .isDirectory();
        return FOLDER.resolve(name);
    }

    public static ExecutorchModel open(String name) {
        return ExecutorchModel.open(file(name + ".pte"), Optional.of(file("params.json")));
    }

    public static JsonNode json(String name) throws IOException {
        return JsonMapper.shared().readTree(Files.readAllBytes(file(name)));
    }

    public static int[] ints(JsonNode array) {
        return array.valueStream().mapToInt(JsonNode::asInt).toArray();
    }

    /** What a fixture holds, by Meta's names of tensors; 0.5.0 exported the weights of 0.4.0. */
    public static Expected expected(String name) throws IOException {
        return new Expected(file(name.replace("0.5.0", "0.4.0") + ".expected.safetensors"));
    }

    /** Tensors of a safetensors file, whole numbers of 8 bits among them. */
    public static final class Expected {

        private final ByteBuffer data;
        private final JsonNode header;

        private Expected(Path file) throws IOException {
            ByteBuffer all = ByteBuffer.wrap(Files.readAllBytes(file)).order(ByteOrder.LITTLE_ENDIAN);
            byte[] json = new byte[Math.toIntExact(all.getLong())];
            all.get(json);
            header = JsonMapper.shared().readTree(new String(json, StandardCharsets.UTF_8));
            data = all.slice().order(ByteOrder.LITTLE_ENDIAN);
        }

        public int rows(String tensor) {
            return header.path(tensor).path("shape").path(0).asInt();
        }

        /** Numbers from -8 to 7, row by row. */
        public byte[] numbers(String tensor) {
            ByteBuffer bytes = bytes(tensor, "I8");
            byte[] numbers = new byte[bytes.remaining()];
            bytes.get(numbers);
            return numbers;
        }

        public float[] floats(String tensor) {
            FloatBuffer stored = bytes(tensor, "F32").asFloatBuffer();
            float[] floats = new float[stored.remaining()];
            stored.get(floats);
            return floats;
        }

        private ByteBuffer bytes(String tensor, String type) {
            JsonNode entry = header.path(tensor);
            if (!entry.path("dtype").asString("").equals(type)) {
                throw new AssertionError(tensor + " is " + entry);
            }
            int start = entry.path("data_offsets").path(0).asInt();
            int end = entry.path("data_offsets").path(1).asInt();
            return data.slice(start, end - start).order(ByteOrder.LITTLE_ENDIAN);
        }
    }
}
