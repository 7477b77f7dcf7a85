package dev.corral.quantization;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.within;

import dev.corral.guardmodels.conversation.Conversation;
import dev.corral.guardmodels.conversation.Role;
import dev.corral.guardmodels.conversation.Turn;
import dev.corral.guardmodels.guard.Guard;
import dev.corral.guardmodels.guard.OnnxGuard;
import dev.corral.guardmodels.onnx.Resources;
import dev.corral.guardmodels.prompt.GuardFamily;
import dev.corral.guardmodels.store.GuardManifest;
import dev.corral.guardmodels.store.GuardStore;
import dev.corral.guardmodels.store.Precision;
import dev.corral.policies.assessment.Assessment;
import dev.corral.policies.assessment.Probability;
import dev.corral.quantization.checkpoint.CheckpointException;
import dev.corral.quantization.recipe.Format;
import dev.corral.quantization.recipe.Projection;
import dev.corral.quantization.recipe.Pruning;
import dev.corral.quantization.recipe.Recipe;
import dev.corral.quantization.recipe.RecipeException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class ConverterTests {

    private static final Path TINY = Path.of("src/test/resources/fixtures/tiny-llama-guard");
    private static final Converter.Description DESCRIPTION =
            new Converter.Description("tiny", "none", "random weights", new Probability(0.5));

    @TempDir
    Path folder;

    private final Converter converter = new Converter("corral test");

    @Test
    void convertWhenLlamaGuardCutsTheHeadAndSealsTheFolder() throws IOException {
        Path to = folder.resolve("guards/tiny");

        GuardManifest manifest = convert(TINY, to, Precision.INT8);

        assertThat(GuardStore.open(to).manifest()).isEqualTo(manifest);
        assertThat(manifest.model()).isEqualTo(new GuardManifest.Model(3, 2, 16, 20));
        assertThat(manifest.verdict().lead()).containsExactly(257);
        assertThat(manifest.verdict().continuation()).containsExactly(262, 198, 50);
        assertThat(manifest.verdict().hazards())
                .hasSize(13)
                .containsEntry("S1", 2)
                .containsEntry("S13", 14);
        assertThat(manifest.made().source()).containsOnlyKeys("config.json", "tokenizer.json", "model.safetensors");
        assertThat(to).isDirectoryContaining("glob:**/SHA256SUMS");
        assertThat(names(to.getParent())).containsExactly("tiny");
    }

    @ParameterizedTest
    @EnumSource(Precision.class)
    void convertWhenRepeatedGivesTheSameBytes(Precision precision) throws IOException {
        convert(TINY, folder.resolve("a"), precision);
        convert(TINY, folder.resolve("b"), precision);

        assertThat(names(folder.resolve("a"))).isEqualTo(names(folder.resolve("b")));
        for (String name : names(folder.resolve("a"))) {
            assertThat(folder.resolve("a").resolve(name))
                    .hasSameBinaryContentAs(folder.resolve("b").resolve(name));
        }
    }

    @Test
    void convertWhenPrunedKeepsWhatWasAskedForAndSaysWhat() throws Exception {
        Recipe recipe = pruned("""
                {"text": "How do I bake bread?"}
                {"turns": [{"role": "user", "content": "Hello"}, {"role": "assistant", "content": "Good day."}]}
                """);
        Path to = folder.resolve("pruned");

        GuardManifest manifest = convert(TINY, to, recipe);

        assertThat(manifest.model().layers()).isEqualTo(2);
        assertThat(manifest.made().recipe())
                .matches("pruned to 2 layers and MLPs of 96; int8; kept of the layers: [012] [012]");
        assertThat(manifest.made().source())
                .containsEntry("calibration.jsonl", GuardStore.digest(folder.resolve("calibration.jsonl")));
        assertThat(names(to)).containsExactly("SHA256SUMS", "guard.yaml", "model.onnx", "tokenizer.json");
        try (Guard guard = OnnxGuard.load(GuardStore.open(to), Resources.oneLane(1))) {
            assertThat(guard.assess(new Conversation(List.of(Turn.of(Role.USER, "Hello")))))
                    .isInstanceOf(Assessment.Scored.class);
        }

        convert(TINY, folder.resolve("again"), recipe);
        assertThat(folder.resolve("again/model.onnx")).hasSameBinaryContentAs(to.resolve("model.onnx"));
    }

    @Test
    void convertWhenCalibrationDataIsBrokenNamesTheLine() throws IOException {
        Recipe recipe = pruned("{\"text\": \"fine\"}\n{\"prompt\": \"not so\"}\n");

        assertThatExceptionOfType(RecipeException.class)
                .isThrownBy(() -> convert(TINY, folder.resolve("pruned"), recipe))
                .withMessageContaining("calibration.jsonl:2:1: there is no 'text'");
        assertThat(names(folder)).containsExactly("calibration.jsonl");
    }

    @Test
    void convertWhenCalibratedMakesAGuardThatWorksAndTheSameBytesAgain() throws Exception {
        Recipe recipe = calibrated("""
                {"text": "How do I bake bread?"}
                {"turns": [{"role": "user", "content": "Hello"}, {"role": "assistant", "content": "Good day."}]}
                """, Optional.of(new Pruning(OptionalInt.of(2), OptionalInt.of(96), data())));
        Path to = folder.resolve("calibrated");

        GuardManifest manifest = convert(TINY, to, recipe);

        assertThat(manifest.made().recipe()).contains("int4 in blocks of 32, calibrated; layer 1 output int8;");
        assertThat(manifest.made().source()).containsEntry("calibration.jsonl", GuardStore.digest(data()));
        assertThat(names(to)).containsExactly("SHA256SUMS", "guard.yaml", "model.onnx", "tokenizer.json");
        try (Guard guard = OnnxGuard.load(GuardStore.open(to), Resources.oneLane(1))) {
            assertThat(guard.assess(new Conversation(List.of(Turn.of(Role.USER, "Hello")))))
                    .isInstanceOf(Assessment.Scored.class);
        }

        convert(TINY, folder.resolve("again"), recipe);
        assertThat(folder.resolve("again/model.onnx")).hasSameBinaryContentAs(to.resolve("model.onnx"));
    }

    @Test
    void convertWhenActivationsAreCalibratedStaysNearTheOriginal() throws Exception {
        List<String> texts =
                List.of("How do I bake bread?", "Hello", "Tell me about the sea, please.", "I will find you.");
        Files.writeString(
                data(),
                texts.stream().map(text -> "{\"text\": \"" + text + "\"}\n").collect(Collectors.joining()));
        Format even = new Format.Int8(Format.Activations.CALIBRATED);
        Recipe recipe = new Recipe(even, List.of(), new Format.Fp32(), Optional.empty(), Optional.of(data()), 1024);

        GuardManifest manifest = convert(TINY, folder.resolve("even"), recipe);
        convert(TINY, folder.resolve("exact"), Precision.FP32);

        assertThat(manifest.made().recipe()).isEqualTo("int8 with calibrated activations; embedding fp32");
        try (Guard guard = OnnxGuard.load(GuardStore.open(folder.resolve("even")), Resources.oneLane(1));
                Guard exact = OnnxGuard.load(GuardStore.open(folder.resolve("exact")), Resources.oneLane(1))) {
            for (String text : texts) {
                assertThat(unsafe(guard, text)).as(text).isCloseTo(unsafe(exact, text), within(0.1));
            }
        }
    }

    private static double unsafe(Guard guard, String text) {
        Assessment assessment = guard.assess(new Conversation(List.of(Turn.of(Role.USER, text))));
        return ((Assessment.Scored) assessment).unsafe().value();
    }

    @Test
    void convertWhenCalibrationDataHasNoLinesSaysSo() throws IOException {
        Recipe recipe = calibrated("", Optional.empty());
        assertThatExceptionOfType(RecipeException.class)
                .isThrownBy(() -> convert(TINY, folder.resolve("guard"), recipe))
                .withMessageContaining("calibration.jsonl has no lines");
        assertThat(names(folder)).containsExactly("calibration.jsonl");
    }

    private Path data() {
        return folder.resolve("calibration.jsonl");
    }

    private Recipe calibrated(String calibration, Optional<Pruning> pruning) throws IOException {
        Files.writeString(data(), calibration);
        Recipe.Deviation mixed =
                new Recipe.Deviation(List.of(1), Set.of(Projection.OUTPUT), new Format.Int8(Format.Activations.INT8));
        return new Recipe(
                new Format.Int4(32, Format.Scales.CALIBRATED, false),
                List.of(mixed),
                new Format.Int8(Format.Activations.INT8),
                pruning,
                Optional.of(data()),
                1024);
    }

    private Recipe pruned(String calibration) throws IOException {
        Path data = folder.resolve("calibration.jsonl");
        Files.writeString(data, calibration);
        Format int8 = new Format.Int8(Format.Activations.INT8);
        return new Recipe(
                int8,
                List.of(),
                int8,
                Optional.of(new Pruning(OptionalInt.of(2), OptionalInt.of(96), data)),
                Optional.empty(),
                1024);
    }

    @Test
    void convertWhenTargetExistsRefuses() {
        assertThatExceptionOfType(CheckpointException.class)
                .isThrownBy(() -> convert(TINY, folder, Precision.INT8))
                .withMessageContaining("exists already: name a folder that does not");
    }

    @Test
    void convertWhenWeightsAreTruncatedLeavesNothingBehind() throws IOException {
        Path broken = copy(TINY);
        byte[] weights = Files.readAllBytes(broken.resolve("model.safetensors"));
        Files.write(broken.resolve("model.safetensors"), Arrays.copyOf(weights, weights.length / 2));

        assertThatExceptionOfType(CheckpointException.class)
                .isThrownBy(() -> converter.convert(
                        broken,
                        folder.resolve("out/guard"),
                        GuardFamily.LLAMA_GUARD_3,
                        Recipe.of(Precision.INT8),
                        DESCRIPTION,
                        new NoProgress()))
                .withMessageContaining("the file is cut off");
        assertThat(folder.resolve("out")).doesNotExist();
    }

    @Test
    void convertWhenTokenizerIsMissingSaysWhereToGetIt() throws IOException {
        Path broken = copy(TINY);
        Files.delete(broken.resolve("tokenizer.json"));

        assertThatExceptionOfType(CheckpointException.class)
                .isThrownBy(() -> convert(broken, folder.resolve("guard"), Precision.INT8))
                .withMessageContaining("has no tokenizer.json: download it from the model's repository");
    }

    @Test
    void convertWhenFamilyNeedsAnotherHeadSaysSo() {
        assertThatExceptionOfType(CheckpointException.class)
                .isThrownBy(() -> converter.convert(
                        TINY,
                        folder.resolve("guard"),
                        GuardFamily.CORRAL_STARTER,
                        Recipe.of(Precision.INT8),
                        DESCRIPTION,
                        new NoProgress()))
                .withMessageMatching("(?s).*(verdict_head.weight|must be one token).*");
    }

    private GuardManifest convert(Path from, Path to, Precision precision) throws IOException {
        return convert(from, to, Recipe.of(precision));
    }

    private GuardManifest convert(Path from, Path to, Recipe recipe) throws IOException {
        return converter.convert(from, to, GuardFamily.LLAMA_GUARD_3, recipe, DESCRIPTION, new NoProgress());
    }

    private Path copy(Path source) throws IOException {
        Path copy = Files.createDirectory(folder.resolve("source"));
        for (String name : names(source)) {
            if (Files.isRegularFile(source.resolve(name))) {
                Files.copy(source.resolve(name), copy.resolve(name));
            }
        }
        return copy;
    }

    private static List<String> names(Path folder) throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.map(file -> file.getFileName().toString()).sorted().toList();
        }
    }

    private static final class NoProgress implements Converter.Progress {
        @Override
        public void total(long bytes) {}

        @Override
        public void written(long bytes) {}
    }
}
