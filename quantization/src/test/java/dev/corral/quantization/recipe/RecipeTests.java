package dev.corral.quantization.recipe;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RecipeTests {

    @TempDir
    Path folder;

    @Test
    void readWhenEveryKeyIsGivenTakesThemAll() throws IOException {
        Recipe recipe = read("""
                precision: int4
                block-size: 64
                scales: least-squares
                activations: fp32
                embedding: { precision: int4, block-size: 128, scales: least-squares }
                context: 4096
                except:
                  - { layers: [0, -1], precision: int8, activations: int16 }
                  - { matrices: [down, output], precision: fp16 }
                prune: { layers: 12, mlp: 6400, calibration: data/calibration.jsonl }
                """);

        assertThat(recipe)
                .isEqualTo(new Recipe(
                        new Format.Int4(64, Format.Scales.LEAST_SQUARES, true),
                        List.of(
                                new Recipe.Deviation(
                                        List.of(0, -1), Set.of(), new Format.Int8(Format.Activations.INT16)),
                                new Recipe.Deviation(
                                        List.of(), Set.of(Projection.DOWN, Projection.OUTPUT), new Format.Fp16())),
                        new Format.Int4(128, Format.Scales.LEAST_SQUARES, false),
                        Optional.of(new Pruning(
                                OptionalInt.of(12), OptionalInt.of(6400), folder.resolve("data/calibration.jsonl"))),
                        Optional.empty(),
                        4096));
        assertThat(recipe.label())
                .isEqualTo("pruned to 12 layers and MLPs of 6400; int4 in blocks of 64 of least error with fp32"
                        + " activations; layers 0 -1 int8 with 16-bit activations; all layers output and down fp16;"
                        + " embedding int4 in blocks of 128 of least error");
    }

    @Test
    void readWhenOnlyThePrecisionIsGivenTakesTheDefaults() throws IOException {
        assertThat(read("precision: int8"))
                .isEqualTo(new Recipe(
                        new Format.Int8(Format.Activations.INT8),
                        List.of(),
                        new Format.Int8(Format.Activations.INT8),
                        Optional.empty(),
                        Optional.empty(),
                        8192));
    }

    @Test
    void readWhenMuchIsWrongSaysItAllAtOnce() {
        assertThatExceptionOfType(RecipeException.class)
                .isThrownBy(() -> read("""
                        precision: int4
                        block-size: 48
                        scales: best
                        embeding: int8
                        context: 5
                        except:
                          - { layers: [first], matrices: [gate], precision: int8, activations: fp32 }
                          - { precision: int3 }
                          - all
                        prune: { calibration: 7 }
                        """))
                .withMessageStartingWith(folder.resolve("recipe.yaml") + " cannot be used:")
                .withMessageContainingAll(
                        "'block-size' must be one of [16, 32, 64, 128, 256]: 48",
                        "'scales' must be one of range, least-squares, calibrated: 'best'",
                        "'embeding' is not a key of this format; remove it",
                        "'context' must be at least 128: 5",
                        "in 'except[0]': 'layers' must hold whole numbers: 'first'",
                        "in 'except[0]': 'matrices' must hold some of qkv, output, up, down: 'gate'",
                        "'except[0].activations' must be one of int8, int16, calibrated: 'fp32'",
                        "'except[1].precision' must be one of fp32, fp16, int8, int4: 'int3'",
                        "in 'except[1]': it must have 'layers' or 'matrices': otherwise it excepts everything",
                        "'except[2]' must be a mapping: 'all'",
                        "in 'prune': it must have 'layers' or 'mlp': how many of them stay",
                        "'prune.calibration' must be text: '7'");
    }

    @Test
    void readWhenScalesAreCalibratedTakesTheDataBesideTheFile() throws IOException {
        Recipe recipe = read("{ precision: int4, scales: calibrated, calibration: texts.jsonl }");

        assertThat(recipe.calibrated()).isTrue();
        assertThat(recipe.calibration()).contains(folder.resolve("texts.jsonl"));
        assertThat(recipe.label()).isEqualTo("int4 in blocks of 32, calibrated; embedding int4 in blocks of 32");
    }

    @Test
    void readWhenCalibrationIsMissingOrOfNoUseSaysSo() {
        assertThatExceptionOfType(RecipeException.class)
                .isThrownBy(() -> read("{ precision: int4, scales: calibrated, embedding: { precision: int4,"
                        + " scales: calibrated } }"))
                .withMessageContainingAll(
                        "'calibrated' needs 'calibration': a file of JSON lines to read",
                        "'scales' must be range or least-squares: an embedding multiplies nothing");
        assertThatExceptionOfType(RecipeException.class)
                .isThrownBy(() -> read("{ precision: int4, calibration: texts.jsonl }"))
                .withMessageContaining("'calibration' is for 'scales: calibrated' and 'activations: calibrated' only");
    }

    @Test
    void readWhenAKeyDoesNotFitThePrecisionSaysSo() {
        assertThatExceptionOfType(RecipeException.class)
                .isThrownBy(() -> read("{ precision: int8, block-size: 32 }"))
                .withMessageContaining("'block-size' is not a key of this format; remove it");
    }

    @Test
    void readWhenItIsNoYamlOrNotThereSaysSo() {
        assertThatExceptionOfType(RecipeException.class)
                .isThrownBy(() -> read("precision: ["))
                .withMessageContaining("recipe.yaml is not valid YAML");
        assertThatExceptionOfType(RecipeException.class)
                .isThrownBy(() -> Recipe.read(folder.resolve("none.yaml")))
                .withMessageContaining("none.yaml cannot be read as a recipe");
    }

    @Test
    void formatWhenSeveralDeviationsFitTakesTheLast() throws IOException {
        Recipe recipe = read("""
                precision: int4
                except:
                  - { layers: [0, -1], precision: int8 }
                  - { layers: [-1], matrices: [down], precision: fp32 }
                """);

        assertThat(recipe.format(0, 12, Projection.DOWN)).isEqualTo(new Format.Int8(Format.Activations.INT8));
        assertThat(recipe.format(11, 12, Projection.QKV)).isEqualTo(new Format.Int8(Format.Activations.INT8));
        assertThat(recipe.format(11, 12, Projection.DOWN)).isEqualTo(new Format.Fp32());
        assertThat(recipe.format(5, 12, Projection.DOWN)).isEqualTo(recipe.matrices());
    }

    @Test
    void requireFitsWhenTheDecoderIsTooSmallSaysSo() throws IOException {
        Recipe recipe = read("{ precision: int4, except: [{ layers: [12], precision: int8 }] }");
        assertThatExceptionOfType(RecipeException.class)
                .isThrownBy(() -> recipe.requireFits(12, 64))
                .withMessage("the recipe names layer 12, but there are only 12 layers, from 0 on (-1 is the last)");
        Recipe coarse = read("{ precision: int4, embedding: { precision: int4, block-size: 128 } }");
        assertThatExceptionOfType(RecipeException.class)
                .isThrownBy(() -> coarse.requireFits(12, 576))
                .withMessage("blocks of 128 do not divide the 576 weights of a token's embedding: take smaller ones");
    }

    private Recipe read(String yaml) throws IOException {
        Path file = folder.resolve("recipe.yaml");
        Files.writeString(file, yaml);
        return Recipe.read(file);
    }
}
