package dev.corral.gateway.policy;

import static org.assertj.core.api.Assertions.assertThat;

import dev.corral.policies.policy.Policies;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;
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

    /** Somebody else takes the file away and puts it back, as fast as that goes. */
    @Test
    void lintWhenFileIsDeletedWhileItIsReadSaysThatItIsGoneOrFindsNothingWrong() throws IOException {
        Path desk = Path.of(file("desk.yaml", DESK));
        AtomicBoolean over = new AtomicBoolean();
        CompletableFuture<Void> comingAndGoing = CompletableFuture.runAsync(() -> {
            while (!over.get()) {
                takeAwayAndPutBack(desk);
            }
        });
        Set<Integer> codes = new HashSet<>();
        try {
            for (int i = 0; codes.size() < 2 || i < 200; i++) {
                assertThat(i).isLessThan(100_000);
                out.getBuffer().setLength(0);
                int code = run("lint", desk.toString());
                if (code == 0) {
                    assertThat(out.toString()).isEqualTo("1 policy, 0 errors, 0 warnings\n");
                } else {
                    assertThat(out.toString())
                            .startsWith("ERROR POL001 " + desk + ": there is no such file\n")
                            .endsWith("1 policy, 1 errors, 0 warnings\n");
                }
                codes.add(code);
            }
        } finally {
            over.set(true);
            comingAndGoing.join();
        }
        assertThat(codes).containsExactlyInAnyOrder(0, 1);
    }

    private static void takeAwayAndPutBack(Path file) {
        try {
            Path aside = file.resolveSibling("aside");
            Files.move(file, aside);
            Files.move(aside, file);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
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
    void diffWhenSettingsDifferNamesThemInEveryFormat() throws IOException {
        String before = file("before.yaml", DESK);
        String after = file(
                "after.yaml",
                DESK.replace("then: block }", "then: block, message: { en: No., de: Nein. }, audit: hash }")
                        + "unscanned: flag\nlists: { partners: [acme, globex] }\nguards: { text: { timeout: 500ms } }\n");

        assertThat(run("diff", before, after)).isEqualTo(1);
        assertThat(out.toString())
                .contains("prompt from system, S1 0.6 to 1 (also S2, S3, S4, S5, S6, S7, S8, S9, S11, S12, S13):"
                        + " block (rest) without a message, audit as the policy says →"
                        + " block (rest) en: \"No.\", de: \"Nein.\", audit hash\n")
                .contains("lists.partners: with acme, globex\n", "unscanned: block → flag\n")
                .contains("guards.text.timeout: 10s → 500ms\n");

        out.getBuffer().setLength(0);
        assertThat(run("diff", before, after, "--format", "json")).isEqualTo(1);
        assertThat(json().at("/0/kind").stringValue()).isEqualTo("decision");
        assertThat(json().at("/0/alike")).hasSize(11);
        assertThat(json().at("/0/after/message/de").stringValue()).isEqualTo("Nein.");
        assertThat(json().at("/0/after/audit").stringValue()).isEqualTo("hash");
        assertThat(json().values())
                .filteredOn(difference -> difference.path("kind").asString().equals("setting"))
                .extracting(difference -> difference.path("key").asString())
                .containsExactly("unscanned", "guards.text.timeout", "lists.partners");

        out.getBuffer().setLength(0);
        assertThat(run("diff", before, after, "--format", "sarif")).isEqualTo(1);
        assertThat(json().at("/runs/0/results/0/ruleId").stringValue()).isEqualTo("DIFF");
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
    void whichWhenAPolicyIsBrokenDoesNotChooseAmongTheOthers() throws IOException {
        file("desk.yaml", DESK);
        file("acme.yaml", "policy: acme\nversion: 2\napplies-to: { tenat: acme }\n");

        assertThat(run("which", folder.toString(), "--tenant", "acme", "--default", "desk"))
                .isEqualTo(1);
        assertThat(out.toString()).isEmpty();
        assertThat(err.toString()).contains("POL007", "Did you mean 'tenant'?");
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
    void formatWhenItIsSarifPointsAtTheRuleOrTheFile() throws IOException {
        String desk = file("desk.yaml", DESK);
        assertThat(run("explain", desk, "--prompt", "a", "--given", "S10=0.7", "--format", "sarif"))
                .isZero();
        assertThat(json().at("/runs/0/results")).hasSize(1);
        assertThat(json().at("/runs/0/results/0/level").stringValue()).isEqualTo("note");
        assertThat(json().at("/runs/0/results/0/message/text").stringValue())
                .startsWith("flag. Rule 'heated' flags S10 (Hate)");
        assertThat(json().at("/runs/0/results/0/locations/0/physicalLocation/region/startLine")
                        .intValue())
                .isEqualTo(4);

        out.getBuffer().setLength(0);
        assertThat(run("which", folder.toString(), "--default", "desk", "--format", "sarif"))
                .isZero();
        assertThat(json().at("/runs/0/results/0/message/text").stringValue())
                .startsWith("the exchange is under desk@1+");
        assertThat(json().at("/runs/0/results/0/locations/0/physicalLocation/artifactLocation/uri")
                        .stringValue())
                .isEqualTo(desk);
    }

    @Test
    void formatWhenACommandHasNoneOfThisKindIsWrongUsage() throws IOException {
        assertThat(run("new", "strict", "--format", "sarif")).isEqualTo(2);
        assertThat(err.toString()).contains("--format sarif lists findings in files, and 'new' has none");
        assertThat(run("fmt", "--format", "json", file("desk.yaml", DESK))).isEqualTo(2);
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
