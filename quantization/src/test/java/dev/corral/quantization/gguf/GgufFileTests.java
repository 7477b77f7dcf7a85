package dev.corral.quantization.gguf;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.corral.quantization.checkpoint.Checkpoint;
import dev.corral.quantization.checkpoint.CheckpointException;
import dev.corral.quantization.checkpoint.Quantised;
import dev.corral.quantization.checkpoint.Tensor;
import dev.corral.quantization.safetensors.SafetensorsCheckpoint;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class GgufFileTests {

    private static final Path FIXTURES = Path.of("src/test/resources/fixtures/tiny-gguf");
    private static final int HEADER = 24;

    @TempDir
    Path folder;

    @Test
    void rowWhenTypesDifferGivesTheReferencesBits() throws IOException {
        try (Arena arena = Arena.ofConfined();
                Checkpoint expected = expected("blocks")) {
            GgufFile blocks = GgufFile.map(FIXTURES.resolve("blocks.gguf"), arena);
            assertThat(blocks.tensors().values().stream().map(GgufTensor::type))
                    .containsExactlyInAnyOrderElementsOf(Arrays.stream(GgmlType.values())
                            .filter(type -> type != GgmlType.F32)
                            .toList());
            for (Tensor tensor : blocks.tensors().values()) {
                assertEqualBits(tensor, expected.require(tensor.name()));
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"tiny-llama-guard-q4_0", "tiny-llama-guard-q8_0"})
    void rowWhenModelIsQuantisedGivesTheReferencesBits(String model) throws IOException {
        try (Arena arena = Arena.ofConfined();
                Checkpoint expected = expected(model)) {
            GgufFile file = GgufFile.map(FIXTURES.resolve(model + ".gguf"), arena);
            assertThat(file.tensors()).hasSize(31);
            for (String name : expected.names()) {
                assertEqualBits(file.tensors().get(name), expected.require(name));
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"block.q4_0", "block.q4_1", "block.q8_0"})
    void quantisedWhenBlocksAreSimpleMeansWhatTheRowsMean(String name) {
        try (Arena arena = Arena.ofConfined()) {
            GgufFile blocks = GgufFile.map(FIXTURES.resolve("blocks.gguf"), arena);
            GgufTensor tensor = blocks.tensors().get(name);
            Quantised numbers = tensor.quantised().orElseThrow();
            byte[] row = new byte[512];
            float[] scales = new float[16];
            float[] offsets = new float[16];
            float[] expected = new float[512];
            for (int r = 0; r < 8; r++) {
                numbers.numbers(r, row);
                numbers.scales(r, scales);
                if (numbers.layout().offsets()) {
                    numbers.offsets(r, offsets);
                }
                tensor.row(r, expected);
                for (int i = 0; i < row.length; i++) {
                    assertThat((double) scales[i / 32] * row[i] + offsets[i / 32])
                            .isCloseTo(expected[i], org.assertj.core.data.Offset.offset(1e-6));
                }
            }
        }
    }

    private static void assertEqualBits(Tensor actual, Tensor expected) {
        assertThat(actual.shape()).as(actual.name()).isEqualTo(expected.shape());
        float[] found = new float[actual.columns()];
        float[] wanted = new float[actual.columns()];
        for (int row = 0; row < actual.rows(); row++) {
            actual.row(row, found);
            expected.row(row, wanted);
            for (int i = 0; i < found.length; i++) {
                assertThat(Float.floatToRawIntBits(found[i]))
                        .as("%s, row %d, column %d: %s is not %s", actual.name(), row, i, found[i], wanted[i])
                        .isEqualTo(Float.floatToRawIntBits(wanted[i]));
            }
        }
    }

    private Checkpoint expected(String name) throws IOException {
        Path directory = Files.createTempDirectory(folder, "expected");
        Files.copy(FIXTURES.resolve(name + ".expected.safetensors"), directory.resolve("model.safetensors"));
        return SafetensorsCheckpoint.open(directory);
    }

    /** A file that is read as a whole, tensors and all. */
    private static void read(Path file) {
        try (Arena arena = Arena.ofConfined()) {
            GgufFile read = GgufFile.map(file, arena);
            for (GgufTensor tensor : read.tensors().values()) {
                float[] row = new float[tensor.columns()];
                for (int r = 0; r < tensor.rows(); r++) {
                    tensor.row(r, row);
                }
            }
        }
    }

    @Test
    void mapWhenCutOffAnywhereSaysSo() throws IOException {
        byte[] whole = Files.readAllBytes(FIXTURES.resolve("tiny-llama-guard-q4_0.gguf"));
        Random random = new Random(1);
        Path file = folder.resolve("cut.gguf");
        for (int i = 0; i < 400; i++) {
            int length = i < 200 ? i : 200 + random.nextInt(whole.length - 200);
            Files.write(file, Arrays.copyOf(whole, length));
            assertThatExceptionOfType(CheckpointException.class)
                    .as("%d bytes", length)
                    .isThrownBy(() -> read(file))
                    .withMessageContaining("cut.gguf is not a whole GGUF file that Corral can read: ")
                    .withMessageNotContaining("\n");
        }
    }

    /** Whatever a byte becomes, the file is read or refused by a sentence. */
    @Test
    void mapWhenBytesAreChangedReadsOrRefuses() throws IOException {
        byte[] whole = Files.readAllBytes(FIXTURES.resolve("blocks.gguf"));
        Random random = new Random(2);
        Path file = folder.resolve("changed.gguf");
        for (int i = 0; i < 1500; i++) {
            byte[] changed = whole.clone();
            for (int j = 0; j < 1 + i % 3; j++) {
                changed[random.nextInt(800)] = (byte) random.nextInt();
            }
            Files.write(file, changed);
            assertThatCode(() -> {
                        try {
                            read(file);
                        } catch (CheckpointException refused) {
                            assertThat(refused.getMessage()).isNotBlank().doesNotContain("\n");
                        }
                    })
                    .doesNotThrowAnyException();
        }
    }

    record Damage(String name, byte[] file, String message) {
        @Override
        public String toString() {
            return name;
        }
    }

    static Stream<Damage> damages() {
        return Stream.of(
                new Damage("empty", new byte[0], "it ends at byte 0, within its magic"),
                new Damage("another magic", header(0x46554748, 3, 0, 0), "it does not begin with GGUF"),
                new Damage("version 1", header(GgufFile.MAGIC, 1, 0, 0), "its version is 1, and 2 and 3 are known"),
                new Damage("version 4", header(GgufFile.MAGIC, 4, 0, 0), "its version is 4, and 2 and 3 are known"),
                new Damage("big-endian", header(GgufFile.MAGIC, 3 << 24, 0, 0), "it is big-endian"),
                new Damage(
                        "2^60 tensors",
                        header(GgufFile.MAGIC, 3, 1L << 60, 0),
                        "it claims 1152921504606846976 tensors, but 8 bytes are left"),
                new Damage(
                        "a billion keys",
                        header(GgufFile.MAGIC, 3, 0, 1_000_000_000),
                        "it claims 1000000000 metadata keys, but 0 bytes are left, and Corral reads at most 65536"),
                new Damage(
                        "2^64 - 1 keys",
                        header(GgufFile.MAGIC, 3, 0, -1),
                        "it claims 18446744073709551615 metadata keys"),
                new Damage(
                        "a key longer than the file",
                        with(header(GgufFile.MAGIC, 3, 0, 1), buffer(64).putLong(1L << 60)),
                        "key 1 of 1 at byte 24 claims a length of 1152921504606846976"),
                new Damage(
                        "a type of no value",
                        with(
                                header(GgufFile.MAGIC, 3, 0, 1),
                                text(buffer(64), "k").putInt(13)),
                        "key 'k' has the type 13, which does not exist"),
                new Damage(
                        "an endless array",
                        with(
                                header(GgufFile.MAGIC, 3, 0, 1),
                                text(buffer(64), "k").putInt(9).putInt(8).putLong(1L << 60)),
                        "it claims 1152921504606846976 elements of key 'k'"),
                new Damage("arrays in arrays", nested(), "key 'k' has arrays within arrays, deeper than 4"),
                new Damage(
                        "a key twice",
                        with(
                                header(GgufFile.MAGIC, 3, 0, 2),
                                text(text(buffer(64), "k").putInt(0).put((byte) 1), "k")
                                        .putInt(0)
                                        .put((byte) 1)),
                        "the key 'k' is there twice"),
                new Damage(
                        "a key that is no text",
                        with(
                                header(GgufFile.MAGIC, 3, 0, 1),
                                buffer(64).putLong(2).put((byte) 0xC3).put((byte) 0x28)),
                        "key 1 of 1 at byte 32 is not UTF-8"),
                new Damage(
                        "no name",
                        tensors(new Line("", List.of(32L), 0, 0)),
                        "the name of tensor 1 of 1, before byte 32, is empty or has control characters"),
                new Damage(
                        "a name twice",
                        tensors(new Line("t", List.of(1L), 0, 0), new Line("t", List.of(1L), 0, 0)),
                        "the tensor 't' is there twice"),
                new Damage("no dimensions", tensors(new Line("t", List.of(), 0, 0)), "tensor 't' has 0 dimensions"),
                new Damage(
                        "five dimensions",
                        tensors(new Line("t", List.of(1L, 1L, 1L, 1L, 1L), 0, 0)),
                        "tensor 't' has 5 dimensions, and 1 to 4 are possible"),
                new Damage(
                        "a product of 2^66",
                        tensors(new Line("t", List.of(1L << 30, 1L << 30, 1L << 6), 0, 0)),
                        "tensor 't' has the impossible shape"),
                new Damage(
                        "a size of 2^63",
                        tensors(new Line("t", List.of(Long.MIN_VALUE), 0, 0)),
                        "tensor 't' has the impossible shape"),
                new Damage(
                        "rows that are no blocks",
                        tensors(new Line("t", List.of(33L), 2, 0)),
                        "tensor 't' has rows of 33 elements, which are no blocks of 32 (Q4_0)"),
                new Damage(
                        "a type that is not read",
                        tensors(new Line("t", List.of(256L), 16, 0)),
                        "tensor 't' has the type 16 of ggml, which Corral does not read; it reads F32, F16"),
                new Damage(
                        "an offset between blocks",
                        tensors(new Line("t", List.of(1L), 0, 4)),
                        "tensor 't' lies at byte 4 of the data, which is no multiple of 32"),
                new Damage(
                        "an offset that wraps",
                        tensors(new Line("t", List.of(8L), 0, Long.MAX_VALUE - 31)),
                        "tensor 't' needs 32 bytes from byte 9223372036854775776 of the data on, which has 64"),
                new Damage(
                        "a negative offset",
                        tensors(new Line("t", List.of(8L), 0, -32)),
                        "tensor 't' lies at byte 18446744073709551584 of the data"),
                new Damage(
                        "a segment beyond the end",
                        tensors(new Line("t", List.of(17L), 0, 0)),
                        "tensor 't' needs 68 bytes from byte 0 of the data on, which has 64: it is cut off"));
    }

    @ParameterizedTest
    @MethodSource("damages")
    void mapWhenDamagedNamesThePlace(Damage damage) throws IOException {
        Path file = folder.resolve("damaged.gguf");
        Files.write(file, damage.file());

        assertThatExceptionOfType(CheckpointException.class)
                .isThrownBy(() -> read(file))
                .withMessageStartingWith(file.toString())
                .withMessageContaining(damage.message())
                .withMessageNotContaining("\n");
    }

    @Test
    void mapWhenAlignmentIsNoPowerOfTwoRefuses() throws IOException {
        Path file = folder.resolve("alignment.gguf");
        new GgufWriter().uint32("general.alignment", 48).write(file, _ -> {});

        assertThatExceptionOfType(CheckpointException.class)
                .isThrownBy(() -> read(file))
                .withMessageContaining("'general.alignment' must be a power of two: 48");
    }

    @ParameterizedTest
    @ValueSource(strings = {"q4_0", "q8_0"})
    void rowWhenAScaleIsNoNumberNamesTheBlock(String type) throws IOException {
        byte[] bytes = Files.readAllBytes(FIXTURES.resolve("tiny-llama-guard-" + type + ".gguf"));
        Path file = folder.resolve("nan.gguf");
        Files.write(file, bytes);
        try (Arena arena = Arena.ofConfined()) {
            GgufTensor tensor = GgufFile.map(file, arena).tensors().get("blk.1.ffn_down.weight");
            int rowBytes = 160 / 32 * tensor.type().bytes();
            int at = position(bytes, tensor) + 7 * rowBytes + 2 * tensor.type().bytes();
            ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).putShort(at, (short) 0x7E00);
        }
        Files.write(file, bytes);
        try (Arena arena = Arena.ofConfined()) {
            GgufTensor tensor = GgufFile.map(file, arena).tensors().get("blk.1.ffn_down.weight");
            String message = "tensor 'blk.1.ffn_down.weight' holds NaN in row 7, block 2";
            assertThatExceptionOfType(CheckpointException.class)
                    .isThrownBy(() -> tensor.row(7, new float[160]))
                    .withMessageContaining(message);
            assertThatExceptionOfType(CheckpointException.class)
                    .isThrownBy(() -> tensor.quantised().orElseThrow().scales(7, new float[5]))
                    .withMessageContaining(message);
        }
    }

    /** Where a tensor's first bytes lie in a file. */
    private static int position(byte[] file, GgufTensor tensor) {
        byte[] start = tensor.data().asSlice(0, 64).toArray(java.lang.foreign.ValueLayout.JAVA_BYTE);
        for (int at = 0; at < file.length - start.length; at++) {
            if (Arrays.equals(file, at, at + start.length, start, 0, start.length)) {
                return at;
            }
        }
        throw new AssertionError("a tensor that is not in its file");
    }

    private record Line(String name, List<Long> shape, int type, long offset) {}

    /** A file of these tensors and 64 bytes of data. */
    private static byte[] tensors(Line... lines) {
        ByteBuffer out = buffer(1024);
        out.put(header(GgufFile.MAGIC, 3, lines.length, 0));
        for (Line line : lines) {
            text(out, line.name).putInt(line.shape.size());
            line.shape.forEach(out::putLong);
            out.putInt(line.type).putLong(line.offset);
        }
        int end = (int) GgufFile.align(out.position(), 32) + 64;
        return Arrays.copyOf(out.array(), end);
    }

    private static byte[] nested() {
        ByteBuffer out = text(buffer(256), "k").putInt(9);
        for (int i = 0; i < 6; i++) {
            out.putInt(9).putLong(1);
        }
        return with(header(GgufFile.MAGIC, 3, 0, 1), out);
    }

    private static byte[] header(int magic, int version, long tensors, long keys) {
        return buffer(HEADER)
                .putInt(magic)
                .putInt(version)
                .putLong(tensors)
                .putLong(keys)
                .array();
    }

    private static byte[] with(byte[] header, ByteBuffer rest) {
        byte[] whole = Arrays.copyOf(header, header.length + rest.capacity());
        System.arraycopy(rest.array(), 0, whole, header.length, rest.capacity());
        return whole;
    }

    private static ByteBuffer text(ByteBuffer out, String text) {
        return out.putLong(text.length()).put(text.getBytes(UTF_8));
    }

    private static ByteBuffer buffer(int bytes) {
        return ByteBuffer.allocate(bytes).order(ByteOrder.LITTLE_ENDIAN);
    }
}
