package dev.corral.quantization.pruning;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.corral.guardmodels.prompt.GuardFamily;
import dev.corral.guardmodels.prompt.VerdictTokens;
import dev.corral.guardmodels.tokenizer.GuardTokenizer;
import dev.corral.quantization.checkpoint.Checkpoint;
import dev.corral.quantization.graph.Calibrated;
import dev.corral.quantization.graph.Kept;
import dev.corral.quantization.graph.LlamaConfig;
import dev.corral.quantization.graph.Matrix;
import dev.corral.quantization.graph.RoundedMatrix;
import dev.corral.quantization.recipe.Format;
import dev.corral.quantization.recipe.Projection;
import dev.corral.quantization.recipe.Recipe;
import dev.corral.quantization.recipe.RecipeException;
import dev.corral.quantization.safetensors.SafetensorsCheckpoint;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CalibrationTests {

    private static final Path MODEL = Path.of("src/test/resources/fixtures/tiny-llama-guard");
    private static final VerdictTokens VERDICT =
            new VerdictTokens(List.of(), List.of(97, 98), List.of(), Optional.empty());

    @TempDir
    Path folder;

    @Test
    void roundWhenSomeMatricesAreCalibratedRoundsThoseOnly() throws IOException {
        Map<String, RoundedMatrix> rounded = round(LlamaConfig.read(MODEL));

        assertThat(rounded)
                .containsOnlyKeys(
                        "layer.0.attention.qkv",
                        "layer.0.mlp.gate",
                        "layer.0.mlp.up",
                        "layer.0.mlp",
                        "layer.1.attention.qkv",
                        "layer.1.mlp.gate",
                        "layer.1.mlp.up",
                        "layer.1.mlp",
                        "layer.2.attention.qkv",
                        "layer.2.mlp.gate",
                        "layer.2.mlp.up",
                        "layer.2.mlp");
        assertThat(folder).isDirectoryNotContaining("glob:**.onnx*");
    }

    @Test
    void roundWhenThereIsLessToReadThanColumnsSaysHowMuchIsNeeded() throws IOException {
        String config = Files.readString(MODEL.resolve("config.json"));
        Files.writeString(folder.resolve("config.json"), config.replace("131072", "100"));

        assertThatExceptionOfType(RecipeException.class)
                .isThrownBy(() -> round(LlamaConfig.read(folder)))
                .withMessage("the calibration data have 100 tokens in 1 conversations, but a matrix of 160"
                        + " columns is to be calibrated: give at least as many tokens, better ten times as many");
    }

    private Map<String, RoundedMatrix> round(LlamaConfig config) throws IOException {
        return calibrate(
                        config,
                        new Format.Int4(32, Format.Scales.CALIBRATED, false),
                        List.of(new Recipe.Deviation(List.of(), Set.of(Projection.OUTPUT), new Format.Fp32())))
                .rounded();
    }

    @Test
    void calibrateWhenActivationsAreCalibratedEvensOutWhatNormsPutOutForThem() throws IOException {
        Recipe.Deviation perToken =
                new Recipe.Deviation(List.of(1), Set.of(Projection.UP), new Format.Int8(Format.Activations.INT8));

        Calibrated calibrated =
                calibrate(LlamaConfig.read(MODEL), new Format.Int8(Format.Activations.CALIBRATED), List.of(perToken));

        assertThat(calibrated.rounded()).isEmpty();
        assertThat(calibrated.smoothings())
                .containsOnlyKeys(
                        "layer.0.input_norm",
                        "layer.0.mlp_norm",
                        "layer.0.next_norm",
                        "layer.1.next_norm",
                        "layer.2.mlp_norm");
        assertThat(folder).isDirectoryNotContaining("glob:**.onnx*");
    }

    private Calibrated calibrate(LlamaConfig config, Format matrices, List<Recipe.Deviation> deviations)
            throws IOException {
        Path data = Files.writeString(
                folder.resolve("texts.jsonl"), "{\"text\": \"" + "How do I bake bread? ".repeat(9) + "\"}\n");
        Path tokenizerFile = MODEL.resolve("tokenizer.json");
        Recipe recipe = new Recipe(matrices, deviations, new Format.Fp32(), Optional.empty(), Optional.of(data), 1024);
        try (Checkpoint weights = SafetensorsCheckpoint.open(MODEL);
                GuardTokenizer tokenizer =
                        GuardTokenizer.load(Files.readAllBytes(tokenizerFile), tokenizerFile.toString())) {
            return Calibration.read(data, config, GuardFamily.LLAMA_GUARD_3, List.of(), VERDICT, tokenizer)
                    .calibrate(
                            recipe,
                            weights,
                            Matrix.of(weights.require("lm_head.weight")),
                            Kept.all(config),
                            folder,
                            (_, _) -> {});
        }
    }
}
