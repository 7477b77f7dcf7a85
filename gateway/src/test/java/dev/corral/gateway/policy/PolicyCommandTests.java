package dev.corral.gateway.policy;

import static org.assertj.core.api.Assertions.assertThat;

import dev.corral.policies.policy.Policies;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

class PolicyCommandTests {

    private static final String DESK = """
            policy: desk
            version: 1
            rules:
              - { id: heated, when: { hazard: S10, probability: { below: 0.8 } }, then: flag }
              - { id: rest, when: { hazard: any }, then: block }
            tests:
              - { prompt: Fools!, given: { S10: 0.6 }, expect: flag, by: heated }
            """;

    @TempDir
    private Path folder;

    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();

    @Test
    void lintWhenAllIsWellSaysSo() throws IOException {
        assertThat(run("lint", file("desk.yaml", DESK))).isZero();
        assertThat(out.toString()).isEqualTo("1 policy, 0 errors, 0 warnings\n");
    }

    @Test
    void lintWhenThereAreMistakesShowsThemAllInEveryFormat() throws IOException {
        String broken = file("broken.yaml", "policy: p\nvresion: 1\ntresholds: { S4: 1.2 }\n");

        assertThat(run("lint", broken)).isEqualTo(1);
        assertThat(out.toString())
                .contains("ERROR POL007 " + broken + ":2:1", "Did you mean 'version'?", " | ^")
                .contains("ERROR POL007 " + broken + ":3:1")
                .endsWith("1 policy, 2 errors, 0 warnings\n");

        out.getBuffer().setLength(0);
        assertThat(run("lint", "--format", "json", broken)).isEqualTo(1);
        JsonNode json = json();
        assertThat(json).hasSize(2);
        assertThat(json.at("/1/line").intValue()).isEqualTo(3);

        out.getBuffer().setLength(0);
        assertThat(run("lint", "--format", "sarif", broken)).isEqualTo(1);
        assertThat(json().at("/version").stringValue()).isEqualTo("2.1.0");
        assertThat(json().at("/runs/0/results/0/ruleId").stringValue()).isEqualTo("POL007");
        assertThat(json().at("/runs/0/results/0/locations/0/physicalLocation/region/startLine")
                        .intValue())
                .isEqualTo(2);
    }

    @Test
    void lintWhenTwoFilesHaveOneNameSaysSo() throws IOException {
        assertThat(run("lint", file("a.yaml", DESK), file("b.yaml", DESK))).isEqualTo(1);
        assertThat(out.toString()).contains("POL042", "the name 'desk' is taken by");
    }

    @Test
    void lintWhenFileIsMissingOrNotTextSaysSo() throws IOException {
        assertThat(run("lint", folder.resolve("none.yaml").toString())).isEqualTo(1);
        assertThat(out.toString()).contains("POL001", "there is no such file");

        Path wide = folder.resolve("wide.yaml");
        Files.write(wide, DESK.getBytes(StandardCharsets.UTF_16));
        assertThat(run("lint", wide.toString())).isEqualTo(1);
        assertThat(out.toString()).contains("the file is not UTF-8");

        String large = file("large.yaml", "#".repeat(10_000_000));
        assertThat(run("lint", large)).isEqualTo(1);
        assertThat(out.toString()).contains("the file has 10000000 bytes, which is too much for a policy");
    }

    @Test
    void testWhenTestsPassOrFailReportsThem() throws IOException {
        Path xml = folder.resolve("junit.xml");
        assertThat(run("test", file("desk.yaml", DESK))).isZero();
        assertThat(out.toString()).endsWith("1 tests, 0 failed\n");

        String wrong = file("wrong.yaml", DESK.replace("expect: flag", "expect: block"));
        assertThat(run("test", "--junit", xml.toString(), wrong)).isEqualTo(1);
        assertThat(out.toString()).contains("FAILED").contains("expected block, but it is flag");
        assertThat(Files.readString(xml)).contains("failures=\"1\"", "<failure message=\"expected block");
    }

    @Test
    void explainWhenProbabilitiesAreGivenSaysWhyAndWhatWouldChangeIt() throws IOException {
        assertThat(run("explain", file("desk.yaml", DESK), "--prompt", "Fools!", "--given", "S10=0.7"))
                .isZero();
        assertThat(out.toString())
                .contains(": flag\n", "Rule 'heated' flags S10 (Hate)", "What would change it:")
                .contains("S10 at 0.8 in place of 0.7: block by rest");
    }

    @Test
    void explainWhenHazardIsUnknownIsWrongUsage() throws IOException {
        assertThat(run("explain", file("desk.yaml", DESK), "--prompt", "x", "--given", "S99=0.7"))
                .isEqualTo(2);
        assertThat(err.toString()).contains("there is no hazard 'S99'");
    }

    @Test
    void diffWhenPoliciesDifferShowsTheSmallestExamples() throws IOException {
        String before = file("desk.yaml", DESK);
        assertThat(run("diff", before, before)).isZero();
        assertThat(out.toString()).isEqualTo("0 differences\n");

        assertThat(run("diff", before, file("after.yaml", DESK.replace("below: 0.8", "below: 0.7"))))
                .isEqualTo(1);
        assertThat(out.toString())
                .contains("prompt from system, S10 0.7 to 0.799: flag (heated) → block (rest)")
                .endsWith("2 differences\n");
    }

    @Test
    void fmtWhenFileIsNotFormattedSaysSoOrChangesIt() throws IOException {
        String file = file("desk.yaml", "# kept\npolicy:    desk\nversion: 1\n");

        assertThat(run("fmt", "--check", file)).isEqualTo(1);
        assertThat(run("fmt", "--write", file)).isZero();
        assertThat(Files.readString(Path.of(file))).isEqualTo("# kept\npolicy: desk\nversion: 1\n");
        assertThat(run("fmt", "--check", file)).isZero();
    }

    @Test
    void newWhenTemplateExistsWritesIt() {
        assertThat(run("new", "balanced")).isZero();
        assertThat(out.toString()).isEqualTo(Policies.template("balanced"));
        assertThat(run("new", "lenient")).isEqualTo(2);
        assertThat(err.toString()).contains("there is no template 'lenient': write one of strict, balanced");
    }

    @Test
    void whichWhenTenantHasAPolicyNamesIt() throws IOException {
        file("desk.yaml", DESK);
        file(
                "acme.yaml",
                "policy: acme\nversion: 2\nextends: desk\napplies-to: { tenant: acme }\nthresholds: { S1: 0.2 }\n");

        assertThat(run("which", folder.toString(), "--tenant", "acme", "--default", "desk"))
                .isZero();
        assertThat(out.toString()).startsWith("acme@2+");
        out.getBuffer().setLength(0);
        assertThat(run("which", folder.toString(), "--tenant", "other", "--default", "desk"))
                .isZero();
        assertThat(out.toString()).startsWith("desk@1+");
    }

    @Test
    void formatWhenACommandHasJsonWritesIt() throws IOException {
        String desk = file("desk.yaml", DESK);
        assertThat(run("fmt", "--check", "--format", "json", desk)).isEqualTo(1);
        assertThat(json().at("/0/code").stringValue()).isEqualTo("FMT");
        assertThat(json().at("/0/file").stringValue()).isEqualTo(desk);
        out.getBuffer().setLength(0);
        assertThat(run("fmt", "--check", "--format", "sarif", desk)).isEqualTo(1);
        assertThat(json().at("/runs/0/results/0/message/text").stringValue()).startsWith("not formatted; run");
        out.getBuffer().setLength(0);
        assertThat(run("new", "strict", "--format", "json")).isZero();
        assertThat(json().at("/policy").stringValue()).isEqualTo(Policies.template("strict"));
        out.getBuffer().setLength(0);
        assertThat(run("which", folder.toString(), "--default", "desk", "--format", "json"))
                .isZero();
        assertThat(json().at("/policy").stringValue()).startsWith("desk@1+");
        assertThat(json().at("/policies")).hasSize(1);
    }

    @Test
    void formatWhenACommandHasNoneOfThisKindIsWrongUsage() throws IOException {
        String desk = file("desk.yaml", DESK);
        for (List<String> command : List.of(
                List.of("new", "strict"),
                List.of("which", folder.toString()),
                List.of("explain", desk, "--prompt", "a", "--given", "S1=0.5"))) {
            err.getBuffer().setLength(0);
            List<String> args = new ArrayList<>(command);
            args.addAll(List.of("--format", "sarif"));
            assertThat(run(args.toArray(String[]::new))).isEqualTo(2);
            assertThat(err.toString())
                    .contains("--format sarif lists problems in files, and '" + command.getFirst() + "' finds none");
        }
        assertThat(run("fmt", "--format", "json", desk)).isEqualTo(2);
        assertThat(err.toString()).contains("--format json goes with --check");
        assertThat(out.toString()).isEmpty();
    }

    private int run(String... args) {
        CommandLine command = PolicyCommand.commandLine();
        command.setOut(new PrintWriter(out)).setErr(new PrintWriter(err));
        return command.execute(args);
    }

    private JsonNode json() {
        return JsonMapper.builder().build().readTree(out.toString());
    }

    private String file(String name, String text) throws IOException {
        return Files.writeString(folder.resolve(name), text).toString();
    }
}
