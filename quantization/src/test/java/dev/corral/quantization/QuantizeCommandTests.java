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
                .contains("int4, blocks of 64, family llama-guard-3")
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
        assertThat(err.toString()).contains("tokenizer.json: a hazard must be told by the first token of its code");
        assertThat(run("--from", TINY, "--to", to, "--precision", "fp32", "--hazards", "none.yaml"))
                .isEqualTo(1);
        assertThat(err.toString()).contains("there is no file none.yaml");
    }

    @Test
    void quantizeWhenSourceIsNoModelSaysWhy() {
        assertThat(run("--from", folder.toString(), "--to", folder.resolve("x").toString(), "--precision", "int8"))
                .isEqualTo(1);
        assertThat(err.toString()).startsWith("Cannot convert").contains("holds neither model.safetensors nor");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            --precision int5                   | --precision must be int4, int8 or fp32: 'int5'
            --precision int4 --block-size 48   | the block size must be one of [16, 32, 64, 128, 256]: 48
            --precision int8 --fine-layers -1  | the number of fine layers must not be negative: -1
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
