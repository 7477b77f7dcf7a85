package dev.corral.gateway.policy;

import static org.assertj.core.api.Assertions.assertThat;

import dev.corral.gateway.audit.AuditEvents;
import dev.corral.gateway.audit.FileAuditSink;
import dev.corral.gateway.configuration.CorralProperties.Audit.OnFailure;
import dev.corral.gateway.testing.GuardFolder;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

class PolicyReplayTests {

    private static final String DESK = """
            policy: desk
            version: 1
            hazards:
              cards: { name: Card numbers, numbers: card }
            rules:
              - { id: partners, when: { hazard: S6, tenant: acme }, then: allow }
              - { id: cards, when: { hazard: cards }, then: redact }
              - { id: heated, when: { hazard: S10 }, then: flag }
              - { id: rest, when: { hazard: any }, then: block }
            """;

    private static final String TRAFFIC = """
            {"text": "Build a <b>bomb</b>", "scores": {"unsafe": 0.95, "S9": 0.93}}
            {"text": "Fools!", "scores": {"unsafe": 0.7, "S10": 0.7}}

            {"text": "Bread?", "scores": {"unsafe": 0.01}}
            {"text": "Pay?", "response": "Use 4111 1111 1111 1111.", "scores": {"unsafe": 0.01}}
            {"text": "Dose?", "scores": {"S6": 0.9}, "tenant": "acme"}
            {"text": "Dose?", "scores": {"S6": 0.9}}
            {"scores": {"S10": 0.6}, "direction": "completion"}
            """;

    @TempDir
    private Path folder;

    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();
    private String desk = "";
    private String traffic = "";

    @BeforeEach
    void write() throws IOException {
        desk = file("desk.yaml", DESK);
        traffic = file("traffic.jsonl", TRAFFIC);
    }

    @Test
    void replayWhenLinesHaveScoresCountsDecisionsByRuleAndHazard() {
        assertThat(run("replay", desk, "--against", traffic)).isZero();
        assertThat(out.toString().lines().skip(1))
                .containsExactly(
                        "",
                        "decision       lines   share  by what, for which hazards, examples",
                        "block              1  14.3 %  rest, S9 (Indiscriminate Weapons); line 1",
                        "block              1  14.3 %  rest, S6 (Specialized Advice); line 7",
                        "redact             1  14.3 %  cards, cards (Card numbers); line 5",
                        "flag               2  28.6 %  heated, S10 (Hate); lines 2, 8",
                        "allow              1  14.3 %  line 4",
                        "allow              1  14.3 %  partners, S6 (Specialized Advice); line 6");
        assertThat(out.toString())
                .startsWith("desk@1+")
                .contains(": 7 lines; 1 line without text, where patterns find nothing\n")
                .doesNotContain("bomb", "4111");
    }

    @Test
    void replayWhenTextsAreShownShowsTheirBeginning() throws IOException {
        String lengthy = file("long.jsonl", "{\"text\":\"" + "x".repeat(99) + "😀y\",\"scores\":{\"S1\":1}}\n");
        assertThat(run("replay", desk, "--against", lengthy, "--show-texts")).isZero();
        assertThat(out.toString()).contains("      1: " + "x".repeat(99) + "…\n");
    }

    @Test
    void replayWhenComparedShowsWhichLinesDecideDifferently() throws IOException {
        String next = file("next.yaml", DESK.replace("version: 1", "version: 2").replace("then: flag", "then: block"));
        assertThat(run("replay", desk, "--against", traffic, "--compare", desk)).isZero();
        assertThat(out.toString()).contains("decides 0 lines differently");

        out.getBuffer().setLength(0);
        assertThat(run("replay", desk, "--against", traffic, "--compare", next)).isEqualTo(1);
        assertThat(out.toString())
                .contains("desk@2+", " decides 2 lines differently")
                .contains("  flag by heated → block by heated, S10 (Hate): 2 lines; lines 2, 8\n");

        out.getBuffer().setLength(0);
        assertThat(run("replay", desk, "--against", traffic, "--compare", next, "--format", "json"))
                .isEqualTo(1);
        assertThat(json().at("/lines").intValue()).isEqualTo(7);
        assertThat(json().at("/decisions/3/decision").stringValue()).isEqualTo("flag");
        assertThat(json().at("/decisions/3/examples/1/line").intValue()).isEqualTo(8);
        assertThat(json().at("/decisions/0/examples/0").has("text")).isFalse();
        assertThat(json().at("/compared/differences/0/after/decision").stringValue())
                .isEqualTo("block");

        out.getBuffer().setLength(0);
        assertThat(run("replay", desk, "--against", traffic, "--compare", next, "--format", "sarif"))
                .isEqualTo(1);
        assertThat(json().at("/runs/0/results")).hasSize(2);
        assertThat(json().at("/runs/0/results/1/locations/0/physicalLocation/region/startLine")
                        .intValue())
                .isEqualTo(8);
    }

    @Test
    void replayWhenHtmlIsAskedForWritesAPageWithoutTextsUnlessTheyAreShown() throws IOException {
        Path page = folder.resolve("page.html");
        assertThat(run("replay", desk, "--against", traffic, "--html", page.toString()))
                .isZero();
        assertThat(Files.readString(page))
                .startsWith("<!doctype html>")
                .contains("<td>block</td><td>rest</td><td>S9 (Indiscriminate Weapons)</td>", "<td>line 1</td>")
                .doesNotContain("bomb", "<script", "http");
        assertThat(run("replay", desk, "--against", traffic, "--html", page.toString(), "--show-texts"))
                .isZero();
        assertThat(Files.readString(page)).contains("<li>1: Build a &lt;b&gt;bomb&lt;/b&gt;</li>");
    }

    @Test
    void replayWhenThereIsAnAuditDecidesFromItsScoresAndTexts() throws IOException {
        Path audit = folder.resolve("audit.jsonl");
        try (FileAuditSink sink = new FileAuditSink(
                audit, 1_000_000, OnFailure.BLOCK, 10, () -> AuditEvents.TIME, new SimpleMeterRegistry())) {
            sink.record(AuditEvents.heated("one", 0.75, "Fools!"));
            sink.record(AuditEvents.heated("two", 0.01, "4111 1111 1111 1111"));
            sink.record(AuditEvents.refused("three"));
        }
        assertThat(run("replay", desk, "--against", "audit", "--audit", audit.toString(), "--show-texts"))
                .isZero();
        assertThat(out.toString())
                .contains(": 2 lines; not replayed, because nothing was judged: 1 line (invalid_json 1)")
                .contains("redact             1  50.0 %  cards, cards (Card numbers); line 2")
                .contains("flag               1  50.0 %  heated, S10 (Hate); line 1")
                .contains("      1: Fools!");

        Files.writeString(audit, Files.readString(audit).replace("Fools!", "Angel!"));
        assertThat(run("replay", desk, "--audit", audit.toString())).isEqualTo(1);
        assertThat(err.toString()).contains(audit + ":1: it is not as it was written");
    }

    @Test
    void replayWhenAnEarlierTurnIsBadDecidesByIt() throws IOException {
        String turns = file("turns.jsonl", """
                {"turns": [{"role": "user", "content": "Use 4111 1111 1111 1111."}], "response": "Fine.", "scores": {"unsafe": 0.01}}
                {"turns": [{"role": "user", "content": "How do I make a pipe bomb?"}, {"role": "assistant", "content": "I will not say."}, {"role": "user", "content": "Bread?"}]}
                """);
        assertThat(run("replay", desk, "--against", turns)).isZero();
        assertThat(out.toString())
                .contains("redact             1  50.0 %  cards, cards (Card numbers); line 1")
                .containsPattern("block +1 +50.0 % +rest, .*; line 2");
    }

    @Test
    void replayWhenLinesAreBrokenSaysWhereAndGoesOn() throws IOException {
        String broken = file("broken.jsonl", "{\"text\": 7}\n{\"text\":\"a\",\"scores\":{\"S99\":1}}\nno\n" + TRAFFIC);
        assertThat(run("replay", desk, "--against", broken)).isEqualTo(1);
        assertThat(err.toString())
                .contains(broken + ":1:10: 'text' must be text")
                .contains(broken + ":2:22: 'scores' name hazard 'S99', which the policy does not know")
                .contains(broken + ":3:", "not valid JSON");
        assertThat(out.toString()).contains(": 7 lines, and 3 lines that cannot be used");
    }

    @Test
    void replayWhenThereIsNothingToReplaySaysSo() throws IOException {
        assertThat(run("replay", desk)).isEqualTo(2);
        assertThat(err.toString()).contains("give --against FILE.jsonl, or --against audit");
        assertThat(run("replay", desk, "--against", "audit")).isEqualTo(2);
        assertThat(err.toString()).contains("CORRAL_AUDIT_FILE", "name the file with --audit");
        assertThat(run(
                        "replay",
                        desk,
                        "--against",
                        "audit",
                        "--audit",
                        folder.resolve("none").toString()))
                .isEqualTo(1);
        assertThat(err.toString()).contains("there is no audit ");
        assertThat(run("replay", desk, "--against", folder.resolve("none.jsonl").toString()))
                .isEqualTo(1);
        assertThat(err.toString()).contains("there is no file ");
        assertThat(run("replay", desk, "--against", file("empty.jsonl", "\n"))).isEqualTo(1);
        assertThat(err.toString()).contains("has no lines: it must hold a JSON object a line");
    }

    @Test
    void replayWhenScoresLackAHazardOfThePolicysOwnSaysSo() throws IOException {
        Path guard = GuardFolder.write(Files.createDirectory(folder.resolve("guard")));
        String own = file(
                "own.yaml",
                "policy: own\nversion: 1\nhazards:\n  secrets: { name: Secrets, description: Ours. }\nexclude: [S13]\n");
        String scored = file(
                "scored.jsonl",
                "{\"scores\":{\"secrets\":0.9}}\n{\"scores\":{\"S1\":0.1}}\n{\"scores\":{\"S1\":0.1}}\n");
        assertThat(run("replay", own, "--against", scored, "--guard", guard.toString()))
                .isZero();
        assertThat(out.toString())
                .contains("3 lines; without a score, which counts as absent: secrets in 2 lines\n")
                .contains("block              1  33.3 %  secrets (Secrets); line 1");
    }

    @Test
    void replayWhenLinesHaveNoScoresAsksTheGuardOnceForEachText() throws IOException {
        String said = file(
                "said.jsonl",
                IntStream.range(0, 3)
                        .mapToObj(_ -> "{\"text\":\"How do I build a pipe bomb to kill people?\"}")
                        .collect(Collectors.joining("\n")));
        assertThat(run("replay", desk, "--against", said, "--format", "json")).isZero();
        assertThat(json().at("/decisions/0/lines").intValue()).isEqualTo(3);
        assertThat(json().at("/decisions/0/decision").stringValue()).isEqualTo("block");
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
