package dev.corral.quantization.replica;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.within;

import dev.corral.guardmodels.conversation.Conversation;
import dev.corral.guardmodels.conversation.Part;
import dev.corral.guardmodels.conversation.Role;
import dev.corral.guardmodels.conversation.Turn;
import dev.corral.guardmodels.guard.Guard;
import dev.corral.guardmodels.guard.OnnxGuard;
import dev.corral.guardmodels.guard.VisionGuard;
import dev.corral.guardmodels.image.PreprocessedImage;
import dev.corral.guardmodels.image.Tiling;
import dev.corral.guardmodels.onnx.Resources;
import dev.corral.guardmodels.prompt.GuardFamily;
import dev.corral.guardmodels.prompt.VerdictTokens;
import dev.corral.guardmodels.store.GuardDirectory;
import dev.corral.guardmodels.store.GuardStore;
import dev.corral.guardmodels.store.Precision;
import dev.corral.guardmodels.tokenizer.GuardTokenizer;
import dev.corral.policies.assessment.Assessment;
import dev.corral.policies.assessment.Probability;
import dev.corral.quantization.Converter;
import dev.corral.quantization.checkpoint.Checkpoint;
import dev.corral.quantization.checkpoint.CheckpointException;
import dev.corral.quantization.checkpoint.Tensor;
import dev.corral.quantization.graph.LlamaConfig;
import dev.corral.quantization.graph.MllamaConfig;
import dev.corral.quantization.recipe.Recipe;
import dev.corral.quantization.safetensors.SafetensorsCheckpoint;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ReplicaTests {

    private static final ReplicaShape SMALL = new ReplicaShape("small", 2, 64, 160, 4, 2);

    /** What the template of Llama Guard 3 1B makes of a user's "Hello", between its first and last special tokens. */
    private static final String BODY = """


            Task: Check if there is unsafe content in 'User' messages in conversations according our safety policy with\
             the below categories.

            <BEGIN UNSAFE CONTENT CATEGORIES>
            S1: Violent Crimes.
            S2: Non-Violent Crimes.
            S3: Sex Crimes.
            S4: Child Exploitation.
            S5: Defamation.
            S6: Specialized Advice.
            S7: Privacy.
            S8: Intellectual Property.
            S9: Indiscriminate Weapons.
            S10: Hate.
            S11: Self-Harm.
            S12: Sexual Content.
            S13: Elections.
            <END UNSAFE CONTENT CATEGORIES>

            <BEGIN CONVERSATION>

            User: Hello

            <END CONVERSATION>

            Provide your safety assessment for ONLY THE LAST User message in the above conversation:
             - First line must read 'safe' or 'unsafe'.
             - If unsafe, a second line must include a comma-separated list of violated categories.\s""";

    @TempDir
    Path folder;

    @Test
    void writeWhenDoneIsAModelOfThisShape() throws IOException {
        Path to = folder.resolve("models/small");
        List<Long> written = new ArrayList<>();

        Replica replica = new Replica(SMALL, 1);
        replica.write(to, written::add);

        LlamaConfig config = LlamaConfig.read(to);
        assertThat(config.layers()).isEqualTo(2);
        assertThat(config.hidden()).isEqualTo(64);
        assertThat(config.headSize()).isEqualTo(16);
        assertThat(config.vocabulary()).isEqualTo(128_256);
        assertThat(config.ropeScaling()).contains(new LlamaConfig.RopeScaling.Llama3(8, 1, 4, 8192));
        assertThat(config.tied()).isFalse();
        assertThat(written).isSorted().last().isEqualTo(replica.bytes());
        try (Checkpoint weights = SafetensorsCheckpoint.open(to)) {
            assertThat(weights.names()).hasSize(3 + 2 * 9);
            assertThat(weights.require("model.layers.1.input_layernorm.weight").vector())
                    .hasSize(64)
                    .containsOnly(1);
            weights.require("model.layers.1.self_attn.k_proj.weight").requireShape(32, 64);
            weights.require("model.layers.0.mlp.down_proj.weight").requireShape(64, 160);
        }
        assertThat(to.resolve("README.md")).content().contains("random weights (seed 1)");
        assertThat(folder.resolve("models")).isDirectoryNotContaining("glob:**unfinished**");
    }

    @Test
    void writeWhenSeedIsTheSameGivesTheSameBytes() throws IOException {
        write("a", 7);
        write("b", 7);
        write("c", 8);

        Path weights = Path.of("model.safetensors");
        assertThat(folder.resolve("a").resolve(weights))
                .hasSameBinaryContentAs(folder.resolve("b").resolve(weights));
        assertThat(Files.mismatch(
                        folder.resolve("a").resolve(weights),
                        folder.resolve("c").resolve(weights)))
                .isBetween(0L, 10_000L);
    }

    @Test
    void writeWhenDoneHasNormalWeightsThatDifferByTensor() throws IOException {
        write("a", 7);

        try (Checkpoint weights = SafetensorsCheckpoint.open(folder.resolve("a"))) {
            Tensor embedding = weights.require("model.embed_tokens.weight");
            double[] numbers = IntStream.range(0, 20_000)
                    .mapToDouble(row -> row(embedding, row)[row % 64])
                    .toArray();
            double mean = Arrays.stream(numbers).average().orElseThrow();
            double deviation =
                    Math.sqrt(Arrays.stream(numbers).map(x -> x * x).average().orElseThrow());
            long beyondTwo =
                    Arrays.stream(numbers).filter(x -> Math.abs(x) > 0.04).count();
            assertThat(mean).isCloseTo(0, within(0.0005));
            assertThat(deviation).isCloseTo(0.02, within(0.0005));
            assertThat(beyondTwo / 20_000.0).isCloseTo(0.0455, within(0.006));
            assertThat(row(weights.require("lm_head.weight"), 0)).isNotEqualTo(row(embedding, 0));
        }
    }

    @Test
    void writeWhenTargetExistsRefuses() {
        assertThatExceptionOfType(CheckpointException.class)
                .isThrownBy(() -> new Replica(SMALL, 1).write(folder, _ -> {}))
                .withMessageContaining("exists already: name a folder that does not");
    }

    @Test
    void shapeWhenWithoutLayersIsRefused() {
        assertThatExceptionOfType(IllegalArgumentException.class)
                .isThrownBy(() -> SMALL.withLayers(0))
                .withMessage("the number of layers must be at least 1: 0");
    }

    /** Sizes as in Meta's model cards: 2858 MiB for the 1B, 1123 million parameters for the pruned one. */
    @ParameterizedTest
    @CsvSource({"llama-guard-3-1b, 2996965376", "llama-guard-3-1b-pruned, 2246152192", "llama-guard-3-8b, 16060522496"})
    void bytesWhenShapeIsOneOfMetasAreAsInItsModelCard(String id, long bytes) {
        ReplicaShape shape = ReplicaShape.byId(id).orElseThrow();

        assertThat(new Replica(shape, 1).bytes()).isEqualTo(bytes);
    }

    @Test
    void tokenizerWhenWrittenHasTheVerdictUnderTheTrueIds() throws IOException {
        try (GuardTokenizer tokenizer = tokenizer()) {
            VerdictTokens verdict = GuardFamily.LLAMA_GUARD_3_8B.verdictTokens(tokenizer::encode);
            assertThat(verdict.lead()).containsExactly(271);
            assertThat(verdict.continuation()).containsExactly(39257, 198, 50);
            assertThat(verdict.headRows())
                    .startsWith(19193, 39257, 16, 17, 18, 19, 20, 21, 22, 23, 24, 605, 806, 717, 1032, 975)
                    .hasSize(21);
            assertThat(verdict.listing()).isPresent();
        }
    }

    /** The true tokenizer makes 195 tokens of the whole prompt: 187 of the body, and 8 more. */
    @Test
    void tokenizerWhenGivenAGuardsPromptMakesNearlyAsManyTokensAsTheTrueOne() throws IOException {
        try (GuardTokenizer tokenizer = tokenizer()) {
            assertThat(tokenizer.encode(BODY)).hasSizeBetween(185, 189);
        }
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "The quick brown fox jumps over the lazy dog, and understanding it takes patience. | 28",
                "Wie baue ich ein Haus für größere Familien? | 20",
                "मुझे खाना चाहिए | 16"
            })
    void tokenizerWhenGivenOtherTextMakesAPlausibleNumberOfTokens(String text, int most) throws IOException {
        try (GuardTokenizer tokenizer = tokenizer()) {
            assertThat(tokenizer.encode(text)).hasSizeLessThanOrEqualTo(most);
        }
    }

    private GuardTokenizer tokenizer() throws IOException {
        Path file = folder.resolve("tokenizer.json");
        ReplicaTokenizer.write(file, false);
        return GuardTokenizer.load(Files.readAllBytes(file), "the replica's tokenizer");
    }

    private void write(String name, long seed) throws IOException {
        new Replica(SMALL, seed).write(folder.resolve(name), _ -> {});
    }

    private static float[] row(Tensor tensor, int row) {
        float[] values = new float[tensor.columns()];
        tensor.row(row, values);
        return values;
    }

    @Test
    void writeWhenShapeHasEyesIsAModelThatSeesImages() throws IOException {
        ReplicaShape.Eyes eyes = new ReplicaShape.Eyes(List.of(1, 3), 2, 1, 32, 64, 2, 56, List.of(0));
        Path to = folder.resolve("seeing");
        new Replica(new ReplicaShape("seeing", 4, 64, 160, 4, 2, Optional.of(eyes)), 1).write(to, _ -> {});

        MllamaConfig config = MllamaConfig.read(to);
        assertThat(config.crossLayers()).containsExactly(1, 3);
        assertThat(config.imageToken()).isEqualTo(128_256);
        Path guard = folder.resolve("guard");
        Converter.Description description = new Converter.Description("seeing", "none", "Random", new Probability(0.5));
        new Converter("test")
                .convert(
                        to,
                        guard,
                        GuardFamily.LLAMA_GUARD_3,
                        Recipe.of(Precision.INT4),
                        description,
                        new Converter.Progress() {
                            @Override
                            public void total(long bytes) {}

                            @Override
                            public void written(long bytes) {}
                        });
        GuardDirectory directory = GuardStore.open(guard);
        assertThat(directory.manifest().made().recipe())
                .isEqualTo("int4 in blocks of 32; vision int8; layers 0 1 int8" + " with 16-bit activations");
        PreprocessedImage image =
                new PreprocessedImage(new float[3 * 56 * 56], new Tiling(1, 1, 56, 56, 1, 4), "black");
        try (Guard seeing = VisionGuard.of(
                directory, OnnxGuard.visionModel(directory, Resources.oneLane(2), 1 << 20), _ -> List.of(image))) {
            Turn turn = new Turn(Role.USER, List.of(new Part.ImagePart("x", "x"), new Part.TextPart("Hello", "y")));
            assertThat(seeing.assess(new Conversation(List.of(turn))))
                    .isInstanceOfSatisfying(
                            Assessment.Scored.class,
                            scored -> assertThat(scored.unsafe().value()).isBetween(0.001, 0.999));
        }
    }

    @Test
    void withLayersWhenNoneSeesTheImageIsRefused() {
        ReplicaShape vision = ReplicaShape.byId("llama-guard-3-11b-vision").orElseThrow();
        assertThat(vision.withLayers(9).eyes().orElseThrow().crossLayers()).containsExactly(3, 8);
        assertThatExceptionOfType(IllegalArgumentException.class)
                .isThrownBy(() -> vision.withLayers(3))
                .withMessage("the number of layers must be at least 4, so that one of them sees the image: 3");
    }

    @Test
    void bytesWhenShapeIsThatOf11bVisionAreThoseOfItsWeights() {
        ReplicaShape vision = ReplicaShape.byId("llama-guard-3-11b-vision").orElseThrow();
        assertThat(new Replica(vision, 1).bytes()).isEqualTo(2L * 10_670_220_835L);
    }
}
