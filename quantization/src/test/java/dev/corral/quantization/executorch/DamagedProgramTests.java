package dev.corral.quantization.executorch;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import dev.corral.quantization.checkpoint.CheckpointException;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Whatever is wrong with a file, reading it ends soon, in one sentence that names the place. */
class DamagedProgramTests {

    private static final Path FIXTURES = Path.of("src/test/resources/fixtures/tiny-pte");
    private static final String OLD = "tiny-v0.4.0-g256.pte";
    private static final String NEW = "tiny-v1.5.1-g256.pte";

    private static final int VERSION = 0;
    private static final int PLANS = 1;
    private static final int SEGMENTS = 4;
    private static final int CONSTANTS = 5;
    private static final int NAMED_DATA = 7;

    @TempDir
    Path folder;

    private Path file;

    @BeforeEach
    void name() {
        file = folder.resolve("damaged.pte");
    }

    /** A file's bytes, and where things are in them. */
    private record Bytes(ByteBuffer all) {

        static Bytes of(String fixture) throws IOException {
            return new Bytes(ByteBuffer.wrap(Files.readAllBytes(FIXTURES.resolve(fixture)))
                    .order(ByteOrder.LITTLE_ENDIAN));
        }

        int base() {
            return (int) all.getLong(24);
        }

        int root() {
            return all.getInt(0);
        }

        /** Where a field of a table is. */
        int field(int table, int slot) {
            int vtable = table - all.getInt(table);
            return table + all.getShort(vtable + 4 + 2 * slot);
        }

        /** What an offset leads to: a table, or the length of a vector. */
        int follow(int offset) {
            return offset + all.getInt(offset);
        }

        int vector(int table, int slot) {
            return follow(field(table, slot));
        }

        int element(int table, int slot, int index) {
            return follow(vector(table, slot) + 4 + 4 * index);
        }

        /** Where a segment begins. */
        int segment(int index) {
            int segment = element(root(), SEGMENTS, index);
            int vtable = segment - all.getInt(segment);
            return base() + (all.getShort(vtable + 4) == 0 ? 0 : (int) all.getLong(field(segment, 0)));
        }

        /** The graph's root in the payload of a delegate. */
        int graph(int segment) {
            int flatbuffer = segment(segment) + all.getInt(segment(segment) + 10);
            return follow(flatbuffer);
        }

        /** Puts a text of the same length in place of another, wherever it is. */
        void replace(String text, String other) {
            byte[] bytes = all.array();
            String whole = new String(bytes, ISO_8859_1);
            for (int at = whole.indexOf(text); at >= 0; at = whole.indexOf(text, at + 1)) {
                System.arraycopy(other.getBytes(ISO_8859_1), 0, bytes, at, other.length());
            }
        }
    }

    private void assertRefused(String fixture, Consumer<Bytes> damage, String... wanted) throws IOException {
        Bytes bytes = Bytes.of(fixture);
        damage.accept(bytes);
        Files.write(file, bytes.all.array());

        assertThatThrownBy(this::open)
                .isInstanceOf(CheckpointException.class)
                .hasMessageStartingWith(file.toString())
                .hasMessageNotContaining("\n")
                .hasMessageContainingAll(wanted);
    }

    private void open() {
        ExecutorchModel.open(file, Optional.empty()).close();
    }

    @ParameterizedTest
    @ValueSource(strings = {OLD, NEW})
    void openWhenTruncatedSaysSo(String fixture) throws IOException {
        Bytes whole = Bytes.of(fixture);
        int size = whole.all.capacity();
        int[] segments = IntStream.range(1, whole.all.getInt(whole.vector(whole.root(), SEGMENTS)))
                .map(whole::segment)
                .toArray();
        int[] structure = {0, 1, 4, 7, 8, 11, 12, 16, 24, 31, 32, 200, whole.base() - 1, whole.base(), size - 1};
        int[] cuts = IntStream.concat(
                        Arrays.stream(structure),
                        Arrays.stream(segments).flatMap(at -> IntStream.of(at - 1, at, at + 1)))
                .toArray();
        for (int cut : cuts) {
            Files.write(file, Arrays.copyOf(whole.all.array(), cut));

            assertThatThrownBy(this::open)
                    .as("cut off after %d of %d bytes", cut, size)
                    .isInstanceOf(CheckpointException.class)
                    .hasMessageStartingWith(file.toString())
                    .hasMessageNotContaining("\n");
        }
    }

    @Test
    void openWhenOfAnotherFormatNamesTheBytes() throws IOException {
        assertRefused(OLD, bytes -> bytes.all.put(6, (byte) '9'), "is no ExecuTorch program", "'ET12'");
        assertRefused(OLD, bytes -> bytes.all.put(9, (byte) 'x'), "extended header 'eh00'");
        assertRefused(OLD, bytes -> bytes.all.putInt(12, 28), "extended header of 28 bytes");
    }

    /** A program of version 0 leaves the number out: here its place is the vector's that follows, and so is what it says. */
    @ParameterizedTest
    @ValueSource(strings = {OLD, NEW})
    void openWhenOfAnotherVersionNamesBoth(String fixture) throws IOException {
        Bytes whole = Bytes.of(fixture);
        int version = whole.all.getInt(whole.field(whole.root(), PLANS));

        assertRefused(
                fixture,
                bytes -> {
                    int slots = bytes.root() - bytes.all.getInt(bytes.root()) + 4;
                    bytes.all.putShort(slots + 2 * VERSION, bytes.all.getShort(slots + 2 * PLANS));
                },
                "has version " + version + " of the program format; known is 0");
    }

    @ParameterizedTest
    @CsvSource({"16, 0", "16, -1", "16, 1152921504606846976", "24, -1", "24, 9223372036854775807", "24, 100"})
    void openWhenTheHeaderLeadsAstrayGivesItsNumbers(int at, long value) throws IOException {
        assertRefused(OLD, bytes -> bytes.all.putLong(at, value), "its header tells of", Long.toUnsignedString(value));
    }

    @ParameterizedTest
    @ValueSource(longs = {1L << 60, Long.MAX_VALUE, -1, 1L << 40})
    void openWhenASegmentIsBeyondTheEndNamesIt(long value) throws IOException {
        assertRefused(
                OLD,
                bytes -> bytes.all.putLong(bytes.field(bytes.element(bytes.root(), SEGMENTS, 3), 0), value),
                "program.segments[3] is to have",
                Long.toUnsignedString(value));
        assertRefused(
                OLD,
                bytes -> bytes.all.putLong(bytes.field(bytes.element(bytes.root(), SEGMENTS, 3), 1), value),
                "program.segments[3] is to have",
                Long.toUnsignedString(value));
    }

    @ParameterizedTest
    @ValueSource(longs = {1L << 60, Long.MAX_VALUE, -1, 111_000})
    void openWhenAConstantIsBeyondItsSegmentNamesIt(long value) throws IOException {
        assertRefused(
                OLD,
                bytes -> {
                    int table = bytes.vector(bytes.root(), CONSTANTS);
                    int offsets = bytes.vector(table, 1);
                    bytes.all.putLong(offsets + 4 + Long.BYTES * 6, value);
                },
                "the embedding",
                Long.toUnsignedString(value));
    }

    @Test
    void openWhenAVectorClaimsMoreThanThereIsNamesIt() throws IOException {
        assertRefused(
                OLD,
                bytes -> bytes.all.putInt(bytes.vector(bytes.root(), PLANS), -1),
                "program.execution_plan",
                "claims 4294967295 entries");
        assertRefused(
                OLD,
                bytes -> bytes.all.putInt(bytes.vector(bytes.element(bytes.root(), PLANS, 0), 2), 1 << 30),
                "program.execution_plan[0].values",
                "claims 1073741824 entries");
    }

    @Test
    void openWhenAnOffsetLeavesTheBufferNamesTheTable() throws IOException {
        assertRefused(
                OLD,
                bytes -> bytes.all.putInt(bytes.vector(bytes.root(), PLANS) + 4, 0x7FFFFFFF),
                "program.execution_plan[0] lies at byte");
        assertRefused(
                OLD, bytes -> bytes.all.putInt(bytes.root(), Integer.MIN_VALUE), "program lies at byte", "beyond the");
    }

    /** Offsets count forward, so that one that leads back is a number beyond the end. */
    @Test
    void openWhenATableLeadsInACircleNamesIt() throws IOException {
        assertRefused(
                OLD,
                bytes -> {
                    int offset = bytes.vector(bytes.root(), PLANS) + 4;
                    bytes.all.putInt(offset, bytes.root() - offset);
                },
                "program.execution_plan[0] lies at byte 4294967",
                "beyond the");
        assertRefused(
                OLD,
                bytes -> bytes.all.putInt(bytes.vector(bytes.root(), PLANS) + 4, 0),
                "program.execution_plan[0] is a table of");
        assertRefused(
                OLD,
                bytes -> bytes.all.putInt(bytes.element(bytes.root(), PLANS, 0), 0),
                "program.execution_plan[0] is a table of 0 bytes with a vtable of 0");
        assertRefused(
                OLD,
                bytes -> {
                    int offset = bytes.vector(bytes.graph(1), 1) + 4;
                    bytes.all.putInt(offset, bytes.graph(1) - offset);
                },
                "delegate 0 is damaged: graph.xnodes[0] lies at byte 4294967",
                "beyond the");
    }

    @Test
    void tablesWhenMillionsAreTheSameOneEndsAtTheLimit() {
        int count = 1_000_000;
        ByteBuffer bytes = ByteBuffer.allocate(64 + 4 * count).order(ByteOrder.LITTLE_ENDIAN);
        // a vtable of one field, a table with it, and a vector whose entries all lead behind it
        bytes.putInt(0, 12).putShort(4, (short) 6).putShort(6, (short) 8).putShort(8, (short) 4);
        bytes.putInt(12, 8).putInt(16, 4).putInt(20, count);
        int last = 24 + 4 * count;
        IntStream.range(0, count).map(i -> 24 + 4 * i).forEach(at -> bytes.putInt(at, last - at));
        bytes.putInt(last, last - 4);
        Flatbuffer.Table root = new Flatbuffer(MemorySegment.ofArray(bytes.array()), "absurd", 10_000).root("root");

        assertThatThrownBy(() -> root.tables(0, "all"))
                .isInstanceOf(CheckpointException.class)
                .hasMessageContaining("root.all has 1000000 entries");
    }

    @Test
    void openWhenANameIsMissingOrThereTwiceNamesIt() throws IOException {
        String[] keys = new String[2];
        Bytes whole = Bytes.of(NEW);
        for (int i = 0; i < 2; i++) {
            int key = whole.vector(whole.element(whole.root(), NAMED_DATA, 2 * i), 0);
            keys[i] = new String(whole.all.array(), key + 4, whole.all.getInt(key), ISO_8859_1);
        }
        assertThat(keys[0]).hasSameSizeAs(keys[1]);

        assertRefused(
                NEW,
                bytes -> bytes.all.put(bytes.vector(bytes.element(bytes.root(), NAMED_DATA, 0), 0) + 4, (byte) '#'),
                "is said to be under the name '" + keys[0] + "', which nothing has",
                "constant_data[");
        assertRefused(NEW, bytes -> bytes.replace(keys[1], keys[0]), "has the name '" + keys[0] + "', as another");
        assertRefused(
                NEW,
                bytes -> bytes.all.putInt(bytes.vector(bytes.element(bytes.root(), NAMED_DATA, 0), 0), 0),
                "program.named_data[0] has no name");
    }

    @Test
    void openWhenAScaleIsNoNumberNamesItsPlace() throws IOException {
        assertRefused(
                OLD,
                bytes -> {
                    int weight = bytes.element(bytes.graph(2), 2, 2);
                    int groups = bytes.vector(bytes.vector(weight, 1), 2);
                    bytes.all.putFloat(bytes.vector(groups, 0) + 4 + 4 * 100, Float.NaN);
                },
                "delegate 1",
                "the scale of row 100, columns from 0 on, is NaN");
        assertRefused(
                OLD,
                bytes -> {
                    int offsets = bytes.vector(bytes.vector(bytes.root(), CONSTANTS), 1);
                    int scales = bytes.base() + (int) bytes.all.getLong(offsets + 4 + Long.BYTES * 7);
                    bytes.all.putShort(scales + 2 * (8 * 3 + 5), (short) 0x7C00);
                },
                "the embedding: the scale of row 3, columns from 160 on, is Infinity");
        assertRefused(
                NEW,
                bytes -> {
                    int scales = bytes.segment(1);
                    for (int segment = 10; segment < 40; segment++) {
                        int size =
                                (int) bytes.all.getLong(bytes.field(bytes.element(bytes.root(), SEGMENTS, segment), 1));
                        scales = size < 2048 ? bytes.segment(segment) : scales;
                    }
                    bytes.all.putShort(scales, (short) 0x7FC0);
                },
                "is NaN; bring the file again");
    }

    @Test
    void openWhenANormIsNoNumberNamesIt() throws IOException {
        assertRefused(
                OLD,
                bytes -> {
                    int offsets = bytes.vector(bytes.vector(bytes.root(), CONSTANTS), 1);
                    bytes.all.putFloat(
                            bytes.base() + (int) bytes.all.getLong(offsets + 4 + Long.BYTES) + 40, Float.NaN);
                },
                "number 10 of model.layers.0.input_layernorm.weight is NaN");
    }

    @Test
    void openWhenAnotherDelegateIsCalledNamesIt() throws IOException {
        assertRefused(
                OLD,
                bytes -> bytes.replace("XnnpackBackend", "VulkanBackend!"),
                "instruction 23 of 'forward' calls the delegate 'VulkanBackend!'");
    }

    @Test
    void openWhenADelegateHasAnotherNodeNamesIt() throws IOException {
        assertRefused(
                OLD,
                bytes -> bytes.all.put(bytes.field(bytes.element(bytes.graph(1), 1, 1), 0), (byte) 10),
                "delegate 0: graph.xnodes[1] is a node of kind 10 (Multiply), which is not supported");
    }

    @Test
    void openWhenAnOperatorIsUnknownNamesIt() throws IOException {
        assertRefused(OLD, bytes -> bytes.replace("aten::sigmoid", "aten::hardtan"), "is aten::hardtan in a place");
    }

    @Test
    void openWhenGroupsAreOfTwoSizesNamesTheMatrix() throws IOException {
        assertRefused(
                OLD,
                bytes -> {
                    // the first layer's last matrix has two groups a row: the first of each is made the only one
                    int groups = bytes.vector(bytes.vector(bytes.element(bytes.graph(7), 2, 2), 1), 2);
                    bytes.all.putInt(bytes.field(groups, 2), 512);
                    bytes.all.putInt(bytes.vector(groups, 0), 256);
                },
                "delegate 6: graph.xvalues[2]",
                "has a scale for each group of 512 columns",
                "those of the first layer, 256");
    }

    @Test
    void openWhenAPayloadHasNoHeaderSaysSo() throws IOException {
        assertRefused(
                OLD,
                bytes -> bytes.all.put(bytes.segment(1) + 4, "XN01".getBytes(ISO_8859_1)),
                "delegate 0 has no header 'XH00'");
        assertRefused(
                OLD,
                bytes -> bytes.all.putLong(bytes.segment(1) + 22, 1L << 60),
                "delegate 0 is damaged: its constant data is to have 1152921504606846976 bytes");
    }

    @ParameterizedTest
    @ValueSource(strings = {OLD, NEW})
    void openWhenSomeNumberIsWrongEndsInOneSentence(String fixture) throws IOException {
        spoil(fixture, 151);
    }

    @ParameterizedTest
    @ValueSource(strings = {OLD, NEW})
    @Tag("slow")
    void openWhenAnyNumberIsWrongEndsInOneSentence(String fixture) throws IOException {
        spoil(fixture, 3);
    }

    /** Puts wrong numbers over every so many of the program's words and of the first delegate's. */
    private void spoil(String fixture, int step) throws IOException {
        Bytes whole = Bytes.of(fixture);
        int payload = whole.segment(1);
        int payloadEnd = payload + whole.all.getInt(payload + 18);
        int[] places = IntStream.concat(
                        IntStream.range(0, whole.base() / 4).filter(word -> word % step == 0),
                        IntStream.range(payload / 4, payloadEnd / 4).filter(word -> word % step == 0))
                .map(word -> 4 * word)
                .toArray();
        int refused = 0;
        for (int place : places) {
            int before = whole.all.getInt(place);
            for (int wrong : new int[] {0, -1, 0x7FFFFFFF, before + 4, before ^ 1}) {
                whole.all.putInt(place, wrong);
                Files.write(file, whole.all.array());
                Throwable thrown = catchThrowable(this::open);
                if (thrown != null) {
                    refused++;
                    assertThat(thrown)
                            .as("%08x in place of %08x at byte %d", wrong, before, place)
                            .isInstanceOf(CheckpointException.class)
                            .hasMessageStartingWith(file.toString())
                            .hasMessageNotContaining("\n");
                }
            }
            whole.all.putInt(place, before);
        }
        assertThat(refused).isGreaterThan(places.length);
    }
}
