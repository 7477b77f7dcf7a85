package dev.corral.guardmodels.assess;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.corral.guardmodels.GuardDirectories;
import dev.corral.guardmodels.ScriptedGuard;
import dev.corral.guardmodels.conversation.Conversation;
import dev.corral.guardmodels.conversation.Role;
import dev.corral.guardmodels.conversation.Turn;
import dev.corral.policies.assessment.Assessment;
import dev.corral.policies.assessment.Coverage;
import dev.corral.policies.assessment.Meaning;
import dev.corral.policies.assessment.Probability;
import dev.corral.policies.taxonomy.StandardHazard;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.tukaani.xz.LZMA2Options;
import org.tukaani.xz.XZOutputStream;

class AssessCommandTests {

    @TempDir
    private Path directory;

    private Path guardDirectory;
    private ScriptedGuard guard = new ScriptedGuard(_ -> ScriptedGuard.scored(0.75, StandardHazard.S9));
    private String stdin = "";

    @BeforeEach
    void write() throws IOException {
        guardDirectory =
                GuardDirectories.write(Files.createDirectory(directory.resolve("guard")), GuardDirectories.TINY);
    }

    private Run assess(Object... arguments) {
        Object[] all = new Object[arguments.length + 2];
        all[0] = "--guard";
        all[1] = guardDirectory;
        System.arraycopy(arguments, 0, all, 2, arguments.length);
        return Run.of(new AssessCommand(_ -> guard, new ByteArrayInputStream(stdin.getBytes(UTF_8))), all);
    }

    private Path data(String... lines) throws IOException {
        return Files.write(directory.resolve("data.jsonl"), List.of(lines));
    }

    @Test
    void assessWhenTextIsGivenPrintsTable() {
        Run run = assess("How are you?");
        assertThat(run.code()).isZero();
        assertThat(run.err()).isEmpty();
        assertThat(run.out().lines())
                .containsExactly(
                        "unsafe                         0.7500  ###############",
                        "  S9   Indiscriminate Weapons  0.7500  ###############",
                        "  S13  Elections               0.0000",
                        "",
                        "Guard scripted; it is recommended to call 0.60 and more unsafe.",
                        "Each hazard: that the content is unsafe and this is the one named first.");
        assertThat(guard.asked).containsExactly(new Conversation(List.of(Turn.of(Role.USER, "How are you?"))));
        assertThat(guard.closed).isTrue();
    }

    @Test
    void assessWhenMinusIsGivenReadsStandardInput() {
        stdin = "grüße\n";
        assertThat(assess("-", "--json").out())
                .isEqualTo(
                        "{\"unsafe\":0.75000,\"hazards\":{\"S9\":0.75000,\"S13\":0.00000},\"meaning\":\"first-hazard\"}\n");
        assertThat(guard.asked).containsExactly(new Conversation(List.of(Turn.of(Role.USER, "grüße\n"))));
    }

    @Test
    void assessWhenFileIsGivenPrintsLineForEach() throws IOException {
        Path data = data(
                "{\"text\": \"a\"}",
                "",
                "{\"turns\": [{\"role\": \"system\", \"content\": \"s\"}, {\"role\": \"tool\", \"content\": \"t\"}]}",
                "{\"text\": \"a\", \"response\": \"b\"}");
        Run run = assess("--data", data);
        assertThat(run.code()).isZero();
        assertThat(run.out().lines())
                .containsExactly(
                        "{\"line\":1,\"unsafe\":0.75000,\"hazards\":{\"S9\":0.75000,\"S13\":0.00000},\"meaning\":\"first-hazard\"}",
                        "{\"line\":3,\"unsafe\":0.75000,\"hazards\":{\"S9\":0.75000,\"S13\":0.00000},\"meaning\":\"first-hazard\"}",
                        "{\"line\":4,\"unsafe\":0.75000,\"hazards\":{\"S9\":0.75000,\"S13\":0.00000},\"meaning\":\"first-hazard\"}");
        assertThat(guard.asked)
                .containsExactly(
                        new Conversation(List.of(Turn.of(Role.USER, "a"))),
                        new Conversation(List.of(Turn.of(Role.SYSTEM, "s"), Turn.of(Role.TOOL, "t"))),
                        new Conversation(List.of(Turn.of(Role.USER, "a"), Turn.of(Role.ASSISTANT, "b"))));
    }

    @Test
    void assessWhenFileIsPackedUnpacksIt() throws IOException {
        Path packed = directory.resolve("data.jsonl.xz");
        try (OutputStream out = new XZOutputStream(Files.newOutputStream(packed), new LZMA2Options())) {
            out.write("{\"text\": \"a\"}".getBytes(UTF_8));
        }
        assertThat(assess("--data", packed).out().lines()).hasSize(1);
    }

    @Test
    void assessWhenLinesAreBrokenNamesThemAndJudgesTheOthers() throws IOException {
        Path data = data(
                "{\"text\": ",
                "[]",
                "{\"txt\": \"a\"}",
                "{\"text\": 1}",
                "{\"turns\": []}",
                "{\"turns\": [{\"role\": \"judge\", \"content\": \"a\"}]}",
                "{\"text\": \"a\"}");
        Run run = assess("--data", data);
        assertThat(run.code()).isOne();
        assertThat(run.out().lines()).hasSize(1).first().asString().startsWith("{\"line\":7,");
        assertThat(run.err())
                .contains(
                        data + ":1:10: this is not valid JSON: ",
                        data + ":2:1: a line must be a JSON object",
                        data + ":3:1: there is no 'text'",
                        data + ":4:10: 'text' must be text",
                        data + ":5:11: 'turns' must be a list of at least one turn",
                        data + ":6:21: 'role' must be system, developer, user, assistant or tool: 'judge'");
    }

    @Test
    void assessWhenGuardHasNoVerdictSaysWhy() {
        guard = new ScriptedGuard(
                _ -> new Assessment.Inconclusive(Assessment.Reason.FAILED, "it broke", Coverage.NOTHING));
        Run run = assess("a");
        assertThat(run.code()).isOne();
        assertThat(run.err()).isEqualTo("no verdict (failed): it broke\n");
        assertThat(assess("a", "--json").out()).isEqualTo("{\"inconclusive\":\"failed\",\"detail\":\"it broke\"}\n");
    }

    @Test
    void assessWhenFileIsMissingSaysSo() {
        Run run = assess("--data", directory.resolve("none.jsonl"));
        assertThat(run.code()).isOne();
        assertThat(run.err()).isEqualTo("there is no file " + directory.resolve("none.jsonl") + "\n");
    }

    @Test
    void assessWhenGuardCannotBeUsedSaysSoInALine() throws IOException {
        Files.delete(guardDirectory.resolve("model.onnx"));
        Run run = assess("a");
        assertThat(run.code()).isOne();
        assertThat(run.err()).contains("model.onnx is missing").hasLineCount(1);
    }

    @Test
    void assessWhenAllHazardsAreAskedOfAGuardThatNamesOneSaysSo() {
        Run run = assess("--hazards", "all", "a");
        assertThat(run.code()).isOne();
        assertThat(run.err())
                .startsWith(
                        guardDirectory + " cannot name all hazards, only the first: its head has no rows for the rest")
                .hasLineCount(1);
        assertThat(assess("--hazards", "some", "a").code()).isEqualTo(2);
    }

    @Test
    void assessWhenGuardGivesNoProbabilitiesSaysSo() {
        guard = new ScriptedGuard(_ -> new Assessment.Scored(
                Probability.ONE,
                Map.of(StandardHazard.S9, Probability.ONE),
                Probability.ONE,
                Meaning.VERDICT,
                Coverage.NOTHING));
        assertThat(assess("a").out()).endsWith("The guard gave a verdict and no probabilities: 1 is what it said.\n");
        assertThat(assess("a", "--json").out())
                .isEqualTo("{\"unsafe\":1.00000,\"hazards\":{\"S9\":1.00000},\"unnamed\":1.00000,"
                        + "\"meaning\":\"verdict\"}\n");
    }

    @Test
    void assessWhenOptionsAreWrongIsTwo() {
        assertThat(assess().code()).isEqualTo(2);
        assertThat(assess("a", "--data", "b").code()).isEqualTo(2);
        assertThat(assess("a", "--loud").code()).isEqualTo(2);
    }

    @Test
    void assessWhenHelpIsAskedPrintsIt() {
        Run run = assess("--help");
        assertThat(run.code()).isZero();
        assertThat(run.out())
                .startsWith("Usage: corral assess [-h] ")
                .contains("--guard=DIR", "--data=FILE", "Exit codes:", "Examples:");
    }
}
