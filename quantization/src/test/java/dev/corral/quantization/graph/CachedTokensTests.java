package dev.corral.quantization.graph;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.corral.guardmodels.onnx.ModelException;
import dev.corral.guardmodels.onnx.ModelShape;
import dev.corral.guardmodels.onnx.OnnxCausalModel;
import dev.corral.guardmodels.onnx.Resources;
import dev.corral.guardmodels.store.Precision;
import dev.corral.quantization.checkpoint.Checkpoint;
import dev.corral.quantization.recipe.Recipe;
import dev.corral.quantization.safetensors.SafetensorsCheckpoint;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What converted models remember of tokens that they have read: it saves work, and changes no bit. */
class CachedTokensTests {

    private static final Path WEIGHTS = Path.of("src/test/resources/fixtures/tiny-llama-guard");
    private static final int CONTEXT = 4096;
    private static final ModelShape SHAPE = new ModelShape(3, 2, 16, 672, CONTEXT);
    private static final int TOKEN_BYTES = 2 * 3 * 2 * 16 * Float.BYTES;
    private static final long PLENTY = 64L << 20;
    private static final int TAIL = 40;

    @TempDir
    private static Path folder;

    private final Random random = new Random(1);

    @BeforeAll
    static void convert() throws IOException {
        LlamaConfig config = LlamaConfig.read(WEIGHTS);
        for (Precision precision : Precision.values()) {
            try (Checkpoint weights = SafetensorsCheckpoint.open(WEIGHTS)) {
                Recipe usual = Recipe.of(precision);
                Recipe recipe = new Recipe(
                        usual.matrices(),
                        usual.deviations(),
                        usual.embedding(),
                        usual.pruning(),
                        usual.calibration(),
                        CONTEXT);
                Matrix head = Matrix.of(weights.require("lm_head.weight"));
                new OnnxWriter("test").write(LlamaGraph.build(config, weights, recipe, head), file(precision), _ -> {});
            }
        }
    }

    private static Path file(Precision precision) {
        return folder.resolve(precision.label() + ".onnx");
    }

    private static OnnxCausalModel load(Precision precision, Resources resources) {
        return OnnxCausalModel.load(file(precision), SHAPE, resources);
    }

    private int[] text(int length) {
        return random.ints(length, 0, 600).toArray();
    }

    private static int[] join(int[]... parts) {
        return Arrays.stream(parts).flatMapToInt(Arrays::stream).toArray();
    }

    private static int[] rows(int[] tokens) {
        return new int[] {Math.max(0, tokens.length - 4), tokens.length - 1};
    }

    private static float[][] ask(OnnxCausalModel model, int[] tokens) throws InterruptedException {
        return model.logits(tokens, rows(tokens));
    }

    private static long cost(OnnxCausalModel model, int[] tokens) throws InterruptedException {
        long before = model.readTokens();
        ask(model, tokens);
        return model.readTokens() - before;
    }

    @ParameterizedTest
    @EnumSource(Precision.class)
    void logitsWhenAnyBeginningWasCachedAreTheSameBits(Precision precision) throws Exception {
        int[] tokens = text(97);
        int[] other = text(3);
        try (OnnxCausalModel model = load(precision, Resources.oneLane(2))) {
            float[][] cold = ask(model, tokens);
            for (int split = 1; split < tokens.length; split++) {
                ask(model, other);
                ask(model, Arrays.copyOf(tokens, split));
                assertThat(ask(model, tokens)).as("after %d tokens", split).isDeepEqualTo(cold);
            }
        }
    }

    @ParameterizedTest
    @EnumSource(Precision.class)
    void logitsWhenAPrefixWasPinnedAreTheSameBits(Precision precision) throws Exception {
        int[] prefix = text(65);
        int[] tokens = join(prefix, text(600));
        try (OnnxCausalModel cold = load(precision, Resources.oneLane(1));
                OnnxCausalModel pinned = load(precision, new Resources(3, 2, PLENTY))) {
            pinned.pin(prefix);
            assertThat(ask(pinned, tokens)).isDeepEqualTo(ask(cold, tokens));
            assertThat(pinned.readTokens()).isEqualTo(tokens.length);
        }
    }

    @Test
    void logitsWhenOthersCameInBetweenCostWhatIsNew() throws Exception {
        int[] template = text(50);
        int[] tail = text(TAIL);
        int[] conversation = join(template, text(300));
        try (OnnxCausalModel model = load(Precision.INT8, new Resources(1, 1, PLENTY))) {
            model.pin(template);
            ask(model, join(conversation, tail));
            for (int i = 0; i < 30; i++) {
                ask(model, join(template, text(60), tail));
            }
            int[] nextTurn = join(conversation, text(20));
            assertThat(cost(model, join(nextTurn, tail))).isBetween(20L + TAIL, 21L + TAIL);
            assertThat(cost(model, join(template, text(60), tail))).isBetween(60L + TAIL, 61L + TAIL);
            assertThat(cost(model, join(nextTurn, text(5), tail))).isBetween(5L + TAIL, 6L + TAIL);
        }
    }

    @Test
    void logitsWhenTwoTextsBranchCostTheirOwnTokens() throws Exception {
        int[] tail = text(TAIL);
        int[] trunk = text(400);
        int[] left = join(trunk, text(500));
        int[] right = join(trunk, text(500));
        try (OnnxCausalModel model = load(Precision.INT8, new Resources(1, 1, PLENTY))) {
            ask(model, join(left, tail));
            assertThat(cost(model, join(right, tail))).isBetween(500L + TAIL, 501L + TAIL);
            assertThat(cost(model, join(left, text(7), tail))).isBetween(7L + TAIL, 8L + TAIL);
            assertThat(cost(model, join(right, text(7), tail))).isBetween(7L + TAIL, 8L + TAIL);
        }
    }

    @Test
    void logitsWhenThereIsNoMemoryForItForgetWhatTheLaneReadBefore() throws Exception {
        int[] conversation = text(300);
        try (OnnxCausalModel model = load(Precision.INT8, new Resources(1, 1, 0))) {
            ask(model, conversation);
            assertThat(cost(model, join(conversation, text(10)))).isBetween(10L, 11L);
            ask(model, text(60));
            assertThat(cost(model, join(conversation, text(10)))).isEqualTo(310);
        }
    }

    @Test
    void logitsWhenMemoryIsShortKeepAConversationAmongShortTexts() throws Exception {
        long fourCaches = 4L * 512 * TOKEN_BYTES;
        int[] conversation = text(450);
        try (OnnxCausalModel model = load(Precision.INT8, new Resources(1, 1, fourCaches))) {
            ask(model, conversation);
            for (int i = 0; i < 20; i++) {
                ask(model, text(30));
            }
            assertThat(cost(model, join(conversation, text(10)))).isBetween(10L, 11L);
        }
    }

    @Test
    void logitsWhenMemoryIsFullOfOldConversationsRememberTheNewestOne() throws Exception {
        long fourCaches = 4L * 512 * TOKEN_BYTES;
        try (OnnxCausalModel model = load(Precision.INT8, new Resources(1, 1, fourCaches))) {
            int[] oldest = text(400);
            ask(model, oldest);
            for (int i = 0; i < 12; i++) {
                int[] conversation = text(400);
                ask(model, conversation);
                ask(model, text(40));
                assertThat(cost(model, join(conversation, text(10)))).isBetween(10L, 11L);
            }
            assertThat(cost(model, oldest)).isEqualTo(400);
        }
    }

    @Test
    void logitsWhenOneTextIsLargerThanTheMemoryAreRight() throws Exception {
        int[] large = text(3_000);
        try (OnnxCausalModel cold = load(Precision.INT8, Resources.oneLane(1));
                OnnxCausalModel model = load(Precision.INT8, new Resources(2, 1, 1024L * TOKEN_BYTES))) {
            int[] small = text(50);
            float[][] expected = ask(model, small);
            assertThat(ask(model, large)).isDeepEqualTo(ask(cold, large));
            assertThat(ask(model, small)).isDeepEqualTo(expected);
        }
    }

    @ParameterizedTest
    @EnumSource(Precision.class)
    void logitsWhenEightThreadsAskAreTheSameBitsAsAlone(Precision precision) throws Exception {
        int[] template = text(50);
        List<int[]> asked = new ArrayList<>();
        for (int conversation = 0; conversation < 6; conversation++) {
            int[] said = template;
            for (int turn = 0; turn < 4; turn++) {
                said = join(said, text(1 + random.nextInt(60)));
                asked.add(said);
            }
        }
        List<float[][]> alone = new ArrayList<>();
        try (OnnxCausalModel model = load(precision, Resources.oneLane(1))) {
            for (int[] tokens : asked) {
                alone.add(ask(model, tokens));
            }
        }
        try (OnnxCausalModel model = load(precision, new Resources(3, 2, 6L * 512 * TOKEN_BYTES));
                ExecutorService callers = Executors.newFixedThreadPool(8)) {
            model.pin(template);
            List<Callable<float[][]>> calls = new ArrayList<>();
            for (int round = 0; round < 4; round++) {
                asked.forEach(tokens -> calls.add(() -> ask(model, tokens)));
            }
            List<Future<float[][]>> answers = callers.invokeAll(calls);
            for (int i = 0; i < answers.size(); i++) {
                assertThat(answers.get(i).get()).isDeepEqualTo(alone.get(i % asked.size()));
            }
        }
    }

    @Test
    void logitsWhenInterruptedAtAnyTimeEndAndLeaveNoTrace() throws Exception {
        int[] tokens = text(700);
        try (OnnxCausalModel model = load(Precision.INT8, Resources.oneLane(2));
                ExecutorService caller = Executors.newSingleThreadExecutor()) {
            float[][] expected = ask(model, tokens);
            int interrupted = 0;
            for (int i = 0; i < 20; i++) {
                ask(model, text(5));
                long before = model.readTokens();
                Future<?> call = caller.submit(() -> ask(model, tokens));
                int pause = i * 10_000;
                for (int spin = 0; spin < pause && !call.isDone(); spin++) {
                    Thread.onSpinWait();
                }
                call.cancel(true);
                // the one lane is free again, or this would wait forever
                ask(model, text(5));
                interrupted += model.readTokens() - before < tokens.length ? 1 : 0;
            }
            assertThat(interrupted).isPositive();
            assertThat(ask(model, tokens)).isDeepEqualTo(expected);
        }
    }

    @Test
    void logitsWhenTheThreadIsInterruptedAlreadyEndAtOnce() throws Exception {
        try (OnnxCausalModel model = load(Precision.INT8, Resources.oneLane(1))) {
            Thread.currentThread().interrupt();
            assertThatExceptionOfType(InterruptedException.class).isThrownBy(() -> ask(model, text(10)));
            assertThat(Thread.interrupted()).isFalse();
            assertThat(model.readTokens()).isZero();
            assertThat(ask(model, text(10))).hasNumberOfRows(2);
        }
    }

    @Test
    void logitsWhenTheContextIsLongerThanTheRotaryTableFailAndTheModelGoesOn() throws Exception {
        ModelShape dreamt = new ModelShape(3, 2, 16, 672, 1_000_000);
        try (OnnxCausalModel model = OnnxCausalModel.load(file(Precision.INT8), dreamt, new Resources(1, 1, PLENTY))) {
            int[] tooLong = text(CONTEXT + 300);
            assertThatExceptionOfType(ModelException.class)
                    .isThrownBy(() -> ask(model, tooLong))
                    .withMessageStartingWith("ONNX Runtime failed: ");
            assertThat(ask(model, text(10))).hasNumberOfRows(2);
        }
    }

    @Test
    void loadWhenTheShapeIsNotTheModelsNamesWhatDiffers() {
        assertThatExceptionOfType(ModelException.class)
                .isThrownBy(() -> load(new ModelShape(1_000_000, 2, 16, 672, CONTEXT)))
                .withMessageContaining("has 3 layers, but guard.yaml says 1000000");
        assertThatExceptionOfType(ModelException.class)
                .isThrownBy(() -> load(new ModelShape(3, 1 << 30, 16, 672, CONTEXT)))
                .withMessageContaining("has 2 key and value heads, but guard.yaml says 1073741824");
        assertThatExceptionOfType(ModelException.class)
                .isThrownBy(() -> load(new ModelShape(3, 2, 1, 672, CONTEXT)))
                .withMessageContaining("has 16 values in a head, but guard.yaml says 1");
        assertThatExceptionOfType(ModelException.class)
                .isThrownBy(() -> load(new ModelShape(3, 2, 16, 15, CONTEXT)))
                .withMessageContaining("has 672 outputs, but guard.yaml says 15");
    }

    private static void load(ModelShape shape) {
        OnnxCausalModel.load(file(Precision.INT8), shape, Resources.oneLane(1)).close();
    }

    @Test
    void loadWhenTheFileIsCutOffOrNoModelSaysWhichFile() throws IOException {
        Path broken = folder.resolve("broken.onnx");
        byte[] whole = Files.readAllBytes(file(Precision.INT4));
        List<byte[]> contents = new ArrayList<>(List.of(new byte[0], new byte[] {1, 2, 3}, new byte[1 << 16]));
        IntStream.of(2, 3, 10).forEach(part -> contents.add(Arrays.copyOf(whole, whole.length / part)));
        for (byte[] content : contents) {
            Files.write(broken, content);
            assertThatExceptionOfType(ModelException.class)
                    .isThrownBy(() -> OnnxCausalModel.load(broken, SHAPE, Resources.oneLane(1)))
                    .withMessageContaining("broken.onnx");
        }
    }

    @Test
    void loadWhenExternalDataIsCutOffOrMissingSaysWhichFile() throws IOException {
        Path model = folder.resolve("external.onnx");
        LlamaConfig config = LlamaConfig.read(WEIGHTS);
        try (Checkpoint weights = SafetensorsCheckpoint.open(WEIGHTS)) {
            Matrix head = Matrix.of(weights.require("lm_head.weight"));
            new OnnxWriter("test", 1_000)
                    .write(LlamaGraph.build(config, weights, Recipe.of(Precision.FP32), head), model, _ -> {});
        }
        OnnxCausalModel.load(model, SHAPE, Resources.oneLane(1)).close();
        Path data = folder.resolve("external.onnx.data");
        try (FileChannel channel = FileChannel.open(data, StandardOpenOption.WRITE)) {
            channel.truncate(channel.size() / 2);
        }
        assertThatExceptionOfType(ModelException.class)
                .isThrownBy(() -> OnnxCausalModel.load(model, SHAPE, Resources.oneLane(1)))
                .withMessageContaining("external.onnx");
        Files.delete(data);
        assertThatExceptionOfType(ModelException.class)
                .isThrownBy(() -> OnnxCausalModel.load(model, SHAPE, Resources.oneLane(1)))
                .withMessageContaining("external.onnx");
    }
}
