package dev.corral.quantization.graph;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.data.Offset.offset;

import dev.corral.guardmodels.onnx.OnnxProbe;
import dev.corral.guardmodels.onnx.OnnxProbe.Input;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Why int8 is made of small operators instead of {@code DynamicQuantizeMatMul}: what rides along must not matter. */
class TokenScalesTests {

    private static final int COLUMNS = 256;
    private static final int ROWS = 64;

    @TempDir
    Path folder;

    private final Random random = new Random(20260);
    private final float[] weights = gaussians(ROWS * COLUMNS);
    private final Matrix matrix = new Matrix() {
        @Override
        public int rows() {
            return ROWS;
        }

        @Override
        public int columns() {
            return COLUMNS;
        }

        @Override
        public void row(int row, float[] target) {
            System.arraycopy(weights, row * COLUMNS, target, 0, COLUMNS);
        }
    };

    @Test
    void multiplyWhenALargeTokenRidesAlongGivesTheSame() throws IOException {
        OnnxGraph graph = graph();
        graph.standard("Identity", "y", new LinearLayer.Int8(false, "tokens").multiply(graph, "product", "x", matrix));

        assertThat(differenceBesideALargeToken(graph)).isZero();
    }

    @Test
    void multiplyWhenSmoothedGivesTheSameAndIsNear() throws IOException {
        float[] range = new float[COLUMNS];
        Arrays.fill(range, 4);
        // one column reaches ten times as far as the others
        range[7] = 40;
        float[] norm = new float[COLUMNS];
        Arrays.fill(norm, 1);
        Smoothing smoothing = Smoothing.of(range, List.of(matrix));
        OnnxGraph graph = graph();
        String even = graph.standard(
                "Mul", "even", "x", graph.constant(Initializer.floats("norm", smoothing.smooth(norm), COLUMNS)));
        LinearLayer smooth = new LinearLayer.SmoothInt8("tokens", Map.of(even, smoothing));
        graph.standard("Identity", "y", smooth.multiply(graph, "product", even, matrix));
        OnnxGraph plain = graph();
        plain.standard("Identity", "y", new LinearLayer.Fp32().multiply(plain, "product", "x", matrix));
        float[] token = gaussians(COLUMNS);
        token[7] = 30;

        assertThat(differenceBesideALargeToken(graph)).isZero();
        OnnxGraph perToken = graph();
        perToken.standard(
                "Identity", "y", new LinearLayer.Int8(false, "tokens").multiply(perToken, "product", "x", matrix));
        float[] exact = run(plain, token);
        assertThat(greatestDifference(run(graph, token), exact))
                .isLessThan(greatestDifference(run(perToken, token), exact));
    }

    @Test
    void dynamicQuantizeMatMulWhenALargeTokenRidesAlongGivesSomethingElse() throws IOException {
        OnnxGraph graph = graph();
        Channels channels = new Channels(matrix);
        graph.node(
                OnnxGraph.MICROSOFT,
                "DynamicQuantizeMatMul",
                List.of("x", graph.constant(channels.int8("weight")), graph.constant(channels.int8Scales("scale"))),
                List.of("y"),
                Map.of());

        assertThat(differenceBesideALargeToken(graph)).isGreaterThan(1);
    }

    private static OnnxGraph graph() {
        OnnxGraph graph = new OnnxGraph();
        graph.input("x", ElementType.FLOAT, 1L, "tokens", (long) COLUMNS);
        graph.output("y", ElementType.FLOAT, 1L, "tokens", (long) ROWS);
        return graph;
    }

    /** How much the first token's product changes when the second one is a hundred times larger. */
    private float differenceBesideALargeToken(OnnxGraph graph) throws IOException {
        float[] tokens = gaussians(2 * COLUMNS);
        float[] large = tokens.clone();
        for (int i = COLUMNS; i < large.length; i++) {
            large[i] *= 100;
        }
        Path file = Files.createTempFile(folder, "product", ".onnx");
        new OnnxWriter("test").write(graph, file, written -> {});
        try (OnnxProbe probe = OnnxProbe.load(file, 1)) {
            float[] beside = first(probe, tokens);
            float[] besideLarge = first(probe, large);
            assertThat(beside[0]).isCloseTo(exact(tokens), offset(2f));
            float worst = 0;
            for (int i = 0; i < ROWS; i++) {
                worst = Math.max(worst, Math.abs(beside[i] - besideLarge[i]));
            }
            return worst;
        }
    }

    private float[] run(OnnxGraph graph, float[] token) throws IOException {
        Path file = Files.createTempFile(folder, "product", ".onnx");
        new OnnxWriter("test").write(graph, file, written -> {});
        try (OnnxProbe probe = OnnxProbe.load(file, 1)) {
            return first(probe, Arrays.copyOf(token, 2 * COLUMNS));
        }
    }

    private static double greatestDifference(float[] a, float[] b) {
        return IntStream.range(0, a.length)
                .mapToDouble(i -> Math.abs(a[i] - b[i]))
                .max()
                .orElseThrow();
    }

    private static float[] first(OnnxProbe probe, float[] tokens) {
        float[] products = probe.run(Map.of("x", Input.floats(tokens, 1, 2, COLUMNS)), Set.of("y"))
                .get("y");
        return Arrays.copyOf(products, ROWS);
    }

    private float exact(float[] tokens) {
        float sum = 0;
        for (int i = 0; i < COLUMNS; i++) {
            sum += tokens[i] * weights[i];
        }
        return sum;
    }

    private float[] gaussians(int count) {
        float[] values = new float[count];
        for (int i = 0; i < count; i++) {
            values[i] = (float) random.nextGaussian();
        }
        return values;
    }
}
