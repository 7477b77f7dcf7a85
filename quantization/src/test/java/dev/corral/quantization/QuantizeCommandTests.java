package dev.corral.quantization;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import picocli.CommandLine;

class QuantizeCommandTests {

    private static final String TINY = "src/test/resources/fixtures/tiny-llama-guard";

    @TempDir
    Path folder;

    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();

    @Test
    void quantizeWhenDoneSaysWhatWasMadeAndHowToUseIt() {
        String to = folder.resolve("tiny-guard").toString();

        assertThat(run("--from", TINY, "--to", to, "--precision", "int4", "--block-size", "64"))
                .isZero();
        assertThat(out.toString())
                .contains("int4 in blocks of 64; embedding int4 in blocks of 32, family llama-guard-3")
                .contains("Try it: corral run --guard " + to);
        assertThat(folder.resolve("tiny-guard/guard.yaml")).content().contains("id: tiny-guard");
    }

    @Test
    void quantizeWhenHazardsHaveMistakesNamesAllOfThem() throws IOException {
        Path hazards = Files.writeString(folder.resolve("hazards.yaml"), """
                name: acme
                hazards:
                  - { code: C1 }
                  - { code: 2, name: Bad Manners }
                """);
        String to = folder.resolve("guard").toString();

        assertThat(run("--from", TINY, "--to", to, "--precision", "fp32", "--hazards", hazards.toString()))
                .isEqualTo(1);
        assertThat(err.toString())
                .contains(hazards + " cannot be used:")
                .contains("- line 3: 'hazards[0].name' is missing: it must be text")
                .contains("- line 4: 'hazards[1].code' must be text: '2'");
    }

    @Test
    void quantizeWhenHazardsCannotBeToldApartSaysWhich() throws IOException {
        Path hazards = Files.writeString(
                folder.resolve("hazards.yaml"),
                "{ name: acme, hazards: [{ code: C1, name: a }, { code: C1-b, name: b }] }");
        String to = folder.resolve("guard").toString();

        assertThat(run("--from", TINY, "--to", to, "--precision", "fp32", "--hazards", hazards.toString()))
                .isEqualTo(1);
        assertThat(err.toString())
                .contains("the tokenizer of " + TINY + ": a hazard must be told by the first token of its code");
        assertThat(run("--from", TINY, "--to", to, "--precision", "fp32", "--hazards", "none.yaml"))
                .isEqualTo(1);
        assertThat(err.toString()).contains("there is no file none.yaml");
    }

    @Test
    void quantizeWhenRecipeIsAFileFollowsIt() throws IOException {
        Path recipe = folder.resolve("recipe.yaml");
        Files.writeString(recipe, "{ precision: int4, except: [{ layers: [0], precision: int8 }], context: 512 }");
        String to = folder.resolve("tiny-guard").toString();

        assertThat(run("--from", TINY, "--to", to, "--recipe", recipe.toString()))
                .isZero();
        assertThat(folder.resolve("tiny-guard/guard.yaml"))
                .content()
                .contains("recipe: int4 in blocks of 32; layer 0 int8")
                .contains("tokens: 512");
    }

    @Test
    void quantizeWhenCalibrationDataAreMissingNamesTheFile() {
        String to = folder.resolve("guard").toString();
        String missing = folder.resolve("none.jsonl").toString();

        assertThat(run(
                        "--from",
                        TINY,
                        "--to",
                        to,
                        "--precision",
                        "int4",
                        "--scales",
                        "calibrated",
                        "--calibration",
                        missing))
                .isEqualTo(1);
        assertThat(err.toString()).contains("there is no file " + missing);
    }

    @Test
    void quantizeWhenRecipeIsWrongSaysAllOfIt() throws IOException {
        Path recipe = folder.resolve("recipe.yaml");
        Files.writeString(recipe, "{ precision: int5, blocks: 7 }");
        String to = folder.resolve("x").toString();

        assertThat(run("--from", TINY, "--to", to, "--recipe", recipe.toString()))
                .isEqualTo(1);
        assertThat(err.toString())
                .contains("'precision' must be one of fp32, fp16, int8, int4: 'int5'")
                .contains("'blocks' is not a key of this format; remove it");
    }

    @Test
    void quantizeWhenRecipeIsForEyesThatTheModelHasNotSaysSo() throws IOException {
        Path recipe =
                Files.writeString(folder.resolve("recipe.yaml"), "{ precision: int8, vision: { precision: int8 } }");
        Path to = folder.resolve("x");

        assertThat(run("--from", TINY, "--to", to.toString(), "--recipe", recipe.toString()))
                .isEqualTo(1);
        assertThat(run("--from", TINY, "--to", to.toString(), "--precision", "int8", "--vision", "int8"))
                .isEqualTo(1);
        assertThat(err.toString())
                .containsSubsequence(
                        "this model reads text only: leave 'vision' (--vision) out",
                        "this model reads text only: leave 'vision' (--vision) out");
        assertThat(to).doesNotExist();
    }

    @Test
    void quantizeWhenSourceIsNoModelSaysWhy() {
        assertThat(run("--from", folder.toString(), "--to", folder.resolve("x").toString(), "--precision", "int8"))
                .isEqualTo(1);
        assertThat(err.toString()).startsWith("Cannot convert").contains("holds neither model.safetensors nor");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            --precision int5                   | --precision must be one of fp32, fp16, int8, int4: 'int5'
            --threshold 0.5                    | --precision or --recipe must be given
            --precision int4 --block-size 48   | the block size must be one of [16, 32, 64, 128, 256]: 48
            --precision int8 --block-size 32   | --block-size and --scales are for int4 only, not for int8
            --precision fp16 --activations int8 | --activations is for int4 and int8 only, not for fp16
            --precision int8 --activations x   | --activations must be one of int8, int16, calibrated: 'x'
            --precision int8 --activations calibrated | --activations calibrated needs --calibration: texts to read
            --precision int4 --scales best     | --scales must be one of range, least-squares, calibrated: 'best'
            --precision int4 --scales calibrated | --scales calibrated needs --calibration: texts to read
            --precision int4 --activations x   | --activations must be int8 or fp32: 'x'
            --precision int4 --embedding int2  | --embedding must be one of fp32, fp16, int8, int4: 'int2'
            --precision int8 --fine-layers -1  | --fine-layers must be a number of at least 0, and is for int8 only: -1
            --precision int4 --fine-layers 1   | --fine-layers must be a number of at least 0, and is for int8 only: 1
            --precision int8 --keep-layers 2   | --keep-layers and --keep-mlp need --calibration
            --precision int8 --calibration a   | --calibration is for --keep-layers, --keep-mlp, --scales calibrated and --activations calibrated only
            --recipe a --precision int8        | --recipe says it all: leave [--precision] out, or write it into the file
            --precision int8 --context 5       | the context must be at least 128 tokens: 5
            --precision int8 --threshold 2     | --threshold must be above 0 and at most 1: 2.0
            --precision int8 --id a/b          | --id must be letters, digits, dots and hyphens: 'a/b'
            --precision int8 --family llama    | --family must be llama-guard-3, llama-guard-3-8b or corral-starter: 'llama'
            """)
    void quantizeWhenUsedWronglySaysWhatIsRight(String flags, String message) {
        String to = folder.resolve("guard").toString();
        String[] arguments = ("--from " + TINY + " --to " + to + " " + flags).split(" +");

        assertThat(run(arguments)).isEqualTo(2);
        assertThat(err.toString()).contains(message);
    }

    private int run(String... arguments) {
        return new CommandLine(new QuantizeCommand())
                .setOut(new PrintWriter(out, true))
                .setErr(new PrintWriter(err, true))
                .execute(arguments);
    }
}
