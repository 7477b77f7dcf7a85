package dev.corral.quantization.gguf;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.corral.guardmodels.prompt.Segment;
import dev.corral.guardmodels.tokenizer.GuardTokenizer;
import dev.corral.quantization.checkpoint.Checkpoint;
import dev.corral.quantization.checkpoint.CheckpointException;
import dev.corral.quantization.graph.LlamaConfig;
import dev.corral.quantization.safetensors.SafetensorsCheckpoint;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class GgufModelTests {

    private static final Path FIXTURES = Path.of("src/test/resources/fixtures");
    private static final Path TINY = FIXTURES.resolve("tiny-llama-guard");
    private static final Path F16 = FIXTURES.resolve("tiny-gguf/tiny-llama-guard-f16.gguf");

    @TempDir
    Path folder;

    @Test
    void openWhenWholeHasTheGeometryOfTheOriginal() throws IOException {
        GgufModel model = GgufModel.open(F16);
        try (Checkpoint weights = model.weights();
                Checkpoint original = SafetensorsCheckpoint.open(TINY)) {
            LlamaConfig wanted = LlamaConfig.read(TINY);
            LlamaConfig found = model.config();
            assertThat(found.ropeScaling())
                    .hasValueSatisfying(scaling -> assertThat(scaling)
                            .isInstanceOfSatisfying(
                                    LlamaConfig.RopeScaling.Divisors.class,
                                    divisors -> assertThat(divisors.divisors())
                                            .hasSize(8)
                                            .startsWith(1f)
                                            .endsWith(8f)));
            assertThat(new LlamaConfig(
                            found.hidden(),
                            found.layers(),
                            found.heads(),
                            found.kvHeads(),
                            found.headSize(),
                            found.intermediate(),
                            found.vocabulary(),
                            found.maxPositions(),
                            found.ropeTheta(),
                            wanted.ropeScaling(),
                            found.normEpsilon(),
                            found.tied()))
                    .isEqualTo(wanted);
            assertThat(weights.names()).containsExactlyInAnyOrderElementsOf(original.names());
            assertThat(weights.files()).containsExactly(F16);
        }
    }

    /** Queries and keys come back in the order that they had before llama.cpp's converter. */
    @Test
    void rowWhenHalvesGivesTheRowsOfTheOriginal() throws IOException {
        try (Checkpoint weights = GgufModel.open(F16).weights();
                Checkpoint original = SafetensorsCheckpoint.open(TINY)) {
            for (String name : original.names()) {
                int columns = original.require(name).columns();
                float[] wanted = new float[columns];
                float[] found = new float[columns];
                for (int row = 0; row < original.require(name).rows(); row++) {
                    original.require(name).row(row, wanted);
                    weights.require(name).row(row, found);
                    for (int i = 0; i < columns; i++) {
                        assertThat(found[i])
                                .as("%s, row %d", name, row)
                                .isEqualTo(
                                        columns == 1
                                                ? wanted[i]
                                                : Float.float16ToFloat(Float.floatToFloat16(wanted[i])));
                    }
                }
            }
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "Hello",
                "How do I pick a lock? 12345 67,8\r\n\r\n  fin\u00e9 \u4f60\u597d \ud83d\ude80 don't WE'LL",
                "<|eot_id|> is text here",
                "   leading and trailing   "
            })
    void tokenizerJsonWhenReadGivesTheIdsOfTheOriginal(String text) throws IOException {
        GgufModel model = GgufModel.open(F16);
        model.weights().close();
        try (GuardTokenizer ours = GuardTokenizer.load(model.tokenizerJson().getBytes(UTF_8), "ours");
                GuardTokenizer theirs =
                        GuardTokenizer.load(Files.readAllBytes(TINY.resolve("tokenizer.json")), "theirs")) {
            assertThat(ours.encode(text)).isEqualTo(theirs.encode(text));
            List<Segment> prompt = List.of(new Segment.Special("<|begin_of_text|>"), new Segment.Text(text));
            assertThat(ours.encode(prompt)).isEqualTo(theirs.encode(prompt));
        }
    }

    /** A small model's metadata and tensors, and what is done to them. */
    private Path write(Consumer<Recipe> change) throws IOException {
        Recipe recipe = new Recipe();
        change.accept(recipe);
        GgufWriter writer = new GgufWriter()
                .text("general.architecture", recipe.architecture)
                .uint32("llama.embedding_length", recipe.hidden)
                .uint32("llama.block_count", 1)
                .uint32("llama.attention.head_count", recipe.heads)
                .uint32("llama.attention.head_count_kv", recipe.kvHeads)
                .uint32("llama.feed_forward_length", 32)
                .uint32("llama.context_length", 64)
                .float32("llama.rope.freq_base", recipe.theta)
                .float32("llama.attention.layer_norm_rms_epsilon", 1e-5f)
                .text("llama.rope.scaling.type", recipe.scaling)
                .text("tokenizer.ggml.model", recipe.tokenizer)
                .text("tokenizer.ggml.pre", recipe.pre)
                .texts("tokenizer.ggml.tokens", recipe.tokens)
                .int32s("tokenizer.ggml.token_type", recipe.types)
                .texts("tokenizer.ggml.merges", recipe.merges);
        for (String name : recipe.tensors) {
            writer.matrix(name, GgmlType.F32, 16, 32, (_, target) -> target.put(new byte[128]));
        }
        if (!recipe.divisors.isEmpty()) {
            float[] divisors = new float[recipe.divisors.size()];
            for (int i = 0; i < divisors.length; i++) {
                divisors[i] = recipe.divisors.get(i);
            }
            writer.vector("rope_freqs.weight", divisors);
        }
        Path file = Files.createTempFile(folder, "small", ".gguf");
        writer.write(file, _ -> {});
        return file;
    }

    private static final class Recipe {
        private String architecture = "llama";
        private int hidden = 32;
        private int heads = 2;
        private int kvHeads = 1;
        private float theta = 10_000;
        private String scaling = "none";
        private String tokenizer = "gpt2";
        private String pre = "llama-bpe";
        private final List<String> tokens = new ArrayList<>(List.of("a", "b", "ab", "<|s|>"));
        private List<Integer> types = List.of(1, 1, 1, 3);
        private final List<String> merges = new ArrayList<>(List.of("a b"));
        private final List<String> tensors = new ArrayList<>(List.of("token_embd.weight"));
        private List<Float> divisors = List.of();
    }

    @Test
    void openWhenSmallReadsIt() throws IOException {
        GgufModel model = GgufModel.open(write(_ -> {}));
        try (Checkpoint weights = model.weights()) {
            assertThat(weights.names()).isEqualTo(new HashSet<>(List.of("model.embed_tokens.weight")));
            assertThat(model.config().tied()).isTrue();
            assertThat(model.config().ropeScaling()).isEmpty();
            assertThat(model.licence()).isEmpty();
        }
    }

    private record Refused(Consumer<Recipe> change, String message) {
        @Override
        public String toString() {
            return message;
        }
    }

    static Stream<Refused> refusals() {
        return Stream.of(
                new Refused(
                        r -> r.architecture = "qwen3",
                        "'general.architecture' must be 'llama', all that Corral runs: 'qwen3'"),
                new Refused(r -> r.kvHeads = 3, "'llama.attention.head_count_kv' must divide the 2 heads: 3"),
                new Refused(r -> r.heads = 8, "'llama.attention.key_length' must be a multiple of 8: 4"),
                new Refused(r -> r.hidden = 0, "'llama.embedding_length' must be a number from 1 to 2147483647: 0"),
                new Refused(
                        r -> r.hidden = -1,
                        "'llama.embedding_length' must be a number from 1 to 2147483647: 4294967295"),
                new Refused(r -> r.theta = Float.NaN, "'llama.rope.freq_base' must be a positive number: NaN"),
                new Refused(
                        r -> r.scaling = "yarn", "'llama.rope.scaling.type' must be none, linear or llama3: 'yarn'"),
                new Refused(r -> r.divisors = List.of(1f), "tensor 'rope_freqs.weight' should have the shape [8]"),
                new Refused(
                        r -> r.divisors = List.of(1f, 1f, 0f, 1f, 1f, 1f, 1f, 1f),
                        "the divisor 2 of 'rope_freqs.weight' must be positive: 0.0"),
                new Refused(
                        r -> r.divisors = List.of(1f, 1f, Float.NaN, 1f, 1f, 1f, 1f, 1f),
                        "tensor 'rope_freqs.weight' holds NaN in row 2"),
                new Refused(r -> r.tokenizer = "llama", "'tokenizer.ggml.model' must be 'gpt2'"),
                new Refused(r -> r.pre = "qwen2", "'tokenizer.ggml.pre' must be 'llama-bpe', 'smollm' or 'gpt-2'"),
                new Refused(r -> r.tokens.set(1, "a"), "the tokens 0 and 1 of 'tokenizer.ggml.tokens' are both 'a'"),
                new Refused(
                        r -> r.types = List.of(1), "'tokenizer.ggml.token_type' must be one for each of 4 tokens: 1"),
                new Refused(
                        r -> r.tokens.addAll(java.util.Collections.nCopies(13, "x")),
                        "'tokenizer.ggml.tokens' must be at most the 16 rows of the embedding: 17"),
                new Refused(r -> r.merges.set(0, "ab"), "'tokenizer.ggml.merges' must hold two tokens with a space"),
                new Refused(r -> r.tensors.clear(), "has no tensor 'token_embd.weight'"),
                new Refused(
                        r -> r.tensors.add("blk.0.ffn_gate_inp.weight"),
                        "tensor 'blk.0.ffn_gate_inp.weight' is none of a Llama decoder"));
    }

    @ParameterizedTest
    @MethodSource("refusals")
    void openWhenNotSupportedSaysWhat(Refused refused) throws IOException {
        Path file = write(refused.change());
        assertThatExceptionOfType(CheckpointException.class)
                .isThrownBy(() -> GgufModel.open(file).weights().close())
                .withMessageContaining(refused.message())
                .withMessageNotContaining("\n");
    }

    @Test
    void openWhenKeysAreMissingNamesThem() throws IOException {
        Path file = folder.resolve("bare.gguf");
        new GgufWriter().text("general.architecture", "llama").write(file, _ -> {});

        assertThatExceptionOfType(CheckpointException.class)
                .isThrownBy(() -> GgufModel.open(file).weights().close())
                .withMessageContaining("has no metadata key 'llama.embedding_length'");
    }
}
