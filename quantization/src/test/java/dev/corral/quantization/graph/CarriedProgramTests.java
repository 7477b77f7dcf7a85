package dev.corral.quantization.graph;

import static org.assertj.core.api.Assertions.assertThat;

import dev.corral.guardmodels.store.Precision;
import dev.corral.quantization.executorch.ExecutorchModel;
import dev.corral.quantization.executorch.PhoneFixtures;
import dev.corral.quantization.executorch.PhoneFixtures.Expected;
import dev.corral.quantization.recipe.Format;
import dev.corral.quantization.recipe.Recipe;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.FieldSource;

/** What a program for phones has in 4 bits is in the graph, byte for byte as the exporter tells it. */
class CarriedProgramTests {

    static final List<String> FIXTURES = PhoneFixtures.NAMES;

    private static final int HEAD_SIZE = 64;

    @ParameterizedTest
    @FieldSource("FIXTURES")
    void buildWhenOfAProgramHasItsNumbersAndScales(String name) throws IOException {
        Expected expected = PhoneFixtures.expected(name);
        Format asStored = new Format.Stored(Precision.INT4, false, new Format.Fp32());
        Recipe recipe = new Recipe(asStored, List.of(), asStored, Optional.empty(), Optional.empty(), 128);
        try (ExecutorchModel model = PhoneFixtures.open(name)) {
            OnnxGraph graph =
                    LlamaGraph.build(model.config(), model, recipe, Matrix.of(model.require(ExecutorchModel.HEAD)));

            assertSame(graph, "embedding", true, expected, List.of("tok_embeddings"), List.of());
            for (int layer = 0; layer < 2; layer++) {
                String ours = "layer." + layer + ".";
                String theirs = "layers." + layer + ".";
                assertSame(
                        graph,
                        ours + "attention.qkv",
                        !name.contains("1.5"),
                        expected,
                        List.of(theirs + "attention.wq", theirs + "attention.wk", theirs + "attention.wv"),
                        List.of(theirs + "attention.wq", theirs + "attention.wk"));
                for (List<String> pair : List.of(
                        List.of("attention.output", "attention.wo"),
                        List.of("mlp.gate", "feed_forward.w1"),
                        List.of("mlp.up", "feed_forward.w3"),
                        List.of("mlp", "feed_forward.w2"))) {
                    assertSame(
                            graph,
                            ours + pair.getFirst(),
                            !name.contains("1.5"),
                            expected,
                            List.of(theirs + pair.getLast()),
                            List.of());
                }
            }
            assertThat(floats(graph, "rotary.cos")).isEqualTo(expected.floats("rope.cos"));
            assertThat(floats(graph, "rotary.sin")).isEqualTo(expected.floats("rope.sin"));
            assertThat(graph.nodes().stream()
                            .filter(node -> node.operator().equals("MatMulNBits"))
                            .map(node -> node.attributes().get("accuracy_level")))
                    .hasSize(10)
                    .containsOnly(4L);
        }
    }

    /**
     * Compares a matrix with those that it is made of.
     *
     * @param exact whether scales are not cut to bfloat16
     * @param turned those whose rows are in pairs in the program and in halves in the graph
     */
    private static void assertSame(
            OnnxGraph graph, String name, boolean exact, Expected expected, List<String> parts, List<String> turned)
            throws IOException {
        byte[] packed = bytes(graph, name + ".weight");
        float[] scales = floats(graph, name + ".scale");
        int at = 0;
        int scaleAt = 0;
        for (String part : parts) {
            byte[] numbers = expected.numbers(part + ".weight.q");
            float[] wanted = expected.floats(part + ".weight.scale");
            int rows = expected.rows(part + ".weight.q");
            int columns = numbers.length / rows;
            int groups = wanted.length / rows;
            for (int row = 0; row < rows; row++) {
                int inHead = row % HEAD_SIZE;
                int source = turned.contains(part)
                        ? row - inHead + (inHead < HEAD_SIZE / 2 ? 2 * inHead : 2 * inHead - HEAD_SIZE + 1)
                        : row;
                byte[] unpacked = new byte[columns];
                for (int column = 0; column < columns; column++, at++) {
                    int both = packed[at / 2];
                    unpacked[column] = (byte) ((at % 2 == 0 ? both & 0xF : both >> 4 & 0xF) - 8);
                }
                assertThat(unpacked)
                        .as("%s, row %d", part, row)
                        .isEqualTo(Arrays.copyOfRange(numbers, source * columns, (source + 1) * columns));
                for (int group = 0; group < groups; group++, scaleAt++) {
                    float one = wanted[source * groups + group];
                    if (Math.abs(scales[scaleAt] - one) > (exact ? 0 : Math.abs(one) / 256)) {
                        throw new AssertionError("scale of %s, row %d, group %d is %s in place of %s"
                                .formatted(part, row, group, scales[scaleAt], one));
                    }
                }
            }
        }
        assertThat(packed).hasSize(at / 2);
        assertThat(scales).hasSize(scaleAt);
    }

    private static byte[] bytes(OnnxGraph graph, String name) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        find(graph, name).source().writeTo(bytes);
        return bytes.toByteArray();
    }

    /** A constant's numbers, be they stored in 16 bits or in 32. */
    private static float[] floats(OnnxGraph graph, String name) throws IOException {
        ByteBuffer bytes = ByteBuffer.wrap(bytes(graph, name)).order(ByteOrder.LITTLE_ENDIAN);
        boolean halves = find(graph, name).type() == ElementType.FLOAT16;
        List<Float> numbers = new ArrayList<>();
        while (bytes.hasRemaining()) {
            numbers.add(halves ? Float.float16ToFloat(bytes.getShort()) : bytes.getFloat());
        }
        float[] floats = new float[numbers.size()];
        IntStream.range(0, floats.length).forEach(i -> floats[i] = numbers.get(i));
        return floats;
    }

    private static Initializer find(OnnxGraph graph, String name) {
        Stream<Initializer> all = graph.initializers().stream();
        return all.filter(constant -> constant.name().equals(name)).findFirst().orElseThrow();
    }
}
