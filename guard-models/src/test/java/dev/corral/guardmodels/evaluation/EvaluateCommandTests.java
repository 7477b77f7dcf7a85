package dev.corral.guardmodels.evaluation;

import static org.assertj.core.api.Assertions.assertThat;

import dev.corral.guardmodels.GuardDirectories;
import dev.corral.guardmodels.ScriptedGuard;
import dev.corral.guardmodels.assess.Run;
import dev.corral.guardmodels.conversation.Part;
import dev.corral.policies.assessment.Assessment;
import dev.corral.policies.assessment.Coverage;
import dev.corral.policies.assessment.Probability;
import dev.corral.policies.policy.Beside;
import dev.corral.policies.policy.CompiledPolicy;
import dev.corral.policies.policy.Decision;
import dev.corral.policies.policy.Direction;
import dev.corral.policies.policy.Facts;
import dev.corral.policies.policy.GuardSight;
import dev.corral.policies.policy.Policies;
import dev.corral.policies.taxonomy.StandardHazard;
import dev.corral.policies.taxonomy.Taxonomy;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

class EvaluateCommandTests {

    private static final List<String> ROWS = List.of(
            row("0.9", "first", "unsafe", "en", "[\"S9\"]"),
            row("0.3", "first", "unsafe", "de", "[\"S1\"]"),
            row("0.7", "first", "safe", "en", "[]"),
            row("0.1", "second", "safe", "en", "[]"));

    @TempDir
    private Path directory;

    private Path guardDirectory;
    private Path data;

    /** The text says what the scripted guard answers. */
    private final ScriptedGuard guard = new ScriptedGuard(conversation -> {
        String text = ((Part.TextPart) conversation.turns().getLast().parts().getFirst()).text();
        return text.startsWith("broken")
                ? new Assessment.Inconclusive(Assessment.Reason.FAILED, "it broke", Coverage.NOTHING)
                : ScriptedGuard.scored(Double.parseDouble(text.split(" ")[0]), StandardHazard.S9);
    });

    private static String row(String text, String set, String label, String language, String categories) {
        return "{\"text\": \"%s\", \"set\": \"%s\", \"label\": \"%s\", \"lang\": \"%s\", \"categories\": %s}"
                .formatted(text, set, label, language, categories);
    }

    @BeforeEach
    void write() throws IOException {
        guardDirectory =
                GuardDirectories.write(Files.createDirectory(directory.resolve("guard")), GuardDirectories.TINY);
        data = Files.write(directory.resolve("data.jsonl"), ROWS);
    }

    private Run evaluate(Object... arguments) {
        return Run.of(
                new EvaluateCommand(_ -> _ -> guard),
                Stream.concat(
                                Stream.of("--guard", guardDirectory, "--data", data, "--resamples", 100),
                                Stream.of(arguments))
                        .toArray());
    }

    /** A hundred safe rows from 0.00 to 0.99, and thirty unsafe ones at 0.93 that name S9. */
    private void writeLadder() throws IOException {
        List<String> rows = new ArrayList<>();
        for (int i = 0; i < 100; i++) {
            rows.add(row("0.%02d".formatted(i), "safe", "safe", "en", "[]"));
        }
        for (int i = 0; i < 30; i++) {
            rows.add(row("0.93", "unsafe", "unsafe", "en", "[\"S9\"]"));
        }
        Files.write(data, rows);
    }

    @Test
    void evaluateWhenLabelledPrintsTables() {
        Run run = evaluate();
        assertThat(run.code()).isZero();
        assertThat(run.err()).isEmpty();
        assertThat(run.out().lines())
                .startsWith(
                        "Guard scripted (int8), threshold 0.60",
                        "Data data.jsonl: 4 rows, 2 safe and 2 unsafe",
                        "",
                        "Figures",
                        "",
                        "| set    | rows | unsafe |    AUC |     F1 | recall |    FPR |     AP |",
                        "| ------ | ---: | -----: | -----: | -----: | -----: | -----: | -----: |",
                        "| all    |    4 |      2 | 0.7500 | 0.5000 | 0.5000 | 0.5000 | 0.8333 |",
                        "| first  |    3 |      2 | 0.5000 | 0.5000 | 0.5000 | 1.0000 | 0.8333 |",
                        "| second |    1 |      0 |      – |      – |      – | 0.0000 |      – |")
                .contains(
                        "| de       |    1 |      1 |      – | 0.0000 | 0.0000 |      – |      – |",
                        "| en       |    3 |      1 | 1.0000 | 0.6667 | 1.0000 | 0.5000 | 1.0000 |",
                        "First hazard right where the set names one: 0.5000 of 2.")
                .endsWith(
                        "No unsafe row names S2, S3, S4, S5, S6, S7, S8, S10, S11, S12, S13: nothing can be said of them.");
        assertThat(run.out()).doesNotContain("NaN").contains("| S9 ", "Indiscriminate Weapons");
        assertThat(guard.closed).isTrue();
    }

    @Test
    void evaluateWhenModelIsAPositionTakesIt() {
        Run run = Run.of(new EvaluateCommand(_ -> _ -> guard), guardDirectory, "--data", data);
        assertThat(run.code()).isZero();
        assertThat(run.out()).startsWith("Guard scripted");
    }

    @Test
    void evaluateWhenThresholdIsGivenTakesIt() {
        assertThat(evaluate("--threshold", "0.2").out())
                .contains("threshold 0.20", "| all    |    4 |      2 | 0.7500 | 0.8000 |");
    }

    @Test
    void evaluateWhenLimitIsGivenStopsThere() {
        assertThat(evaluate("--limit", "2").out()).contains("2 rows, 0 safe and 2 unsafe");
        assertThat(guard.asked).hasSize(2);
    }

    @Test
    void evaluateWhenOneKindIsMissingSaysSo() throws IOException {
        Files.write(data, List.of(ROWS.getLast()));
        assertThat(evaluate().out())
                .contains("All rows are safe: nothing can be said of AUC")
                .doesNotContain("NaN");
    }

    @Test
    void evaluateWhenOthersAreExpectedPrintsAgreement() throws IOException {
        Path expected = Files.writeString(directory.resolve("scores.json"), "[0.8, 0.3, 0.5, 0.1, 0.2]");
        assertThat(evaluate("--expected", expected).out())
                .contains(
                        "Same verdict as expected: 0.7500 of 4; P(unsafe) differs by 0.20000 at most, 0.07500 in the mean.\n");
    }

    @Test
    void evaluateWhenExpectedDoesNotFitSaysSo() throws IOException {
        Path expected = Files.writeString(directory.resolve("scores.json"), "[0.8]");
        Run run = evaluate("--expected", expected);
        assertThat(run.code()).isOne();
        assertThat(run.err()).contains("must be an array of at least 4 probabilities, one for each line: 1 there are");
    }

    @Test
    void evaluateWhenLinesWereSkippedComparesEachWithItsOwn() throws IOException {
        Files.write(data, List.of(ROWS.getFirst(), "{", ROWS.getLast()));
        Path expected = Files.writeString(directory.resolve("scores.json"), "[0.9, 0.5, 0.1]");
        assertThat(evaluate("--on-error", "skip", "--expected", expected).out())
                .contains("Same verdict as expected: 1.0000 of 2; P(unsafe) differs by 0.00000 at most");
    }

    @Test
    void evaluateWhenTextGetsNoVerdictCountsTheOthersAndFails() throws IOException {
        Files.write(data, List.of(ROWS.getFirst(), row("broken", "first", "safe", "en", "[]")));
        Run run = evaluate();
        assertThat(run.code()).isOne();
        assertThat(run.err()).isEqualTo("line 2 got no verdict: it broke\n");
        assertThat(run.out()).contains("1 rows, 0 safe and 1 unsafe; 1 left out, without a verdict");
    }

    @Test
    void evaluateWhenNoTextGetsAVerdictSaysSo() throws IOException {
        Files.write(data, List.of(row("broken", "first", "safe", "en", "[]")));
        Run run = evaluate();
        assertThat(run.code()).isOne();
        assertThat(run.err()).endsWith("no row got a verdict, so there is nothing to report\n");
    }

    @Test
    void evaluateWhenLinesAreBrokenNamesThemAndFails() throws IOException {
        Files.write(data, List.of(ROWS.getFirst(), row("0.5", "first", "maybe", "en", "[]"), "{"));
        Run run = evaluate();
        assertThat(run.code()).isOne();
        assertThat(run.err().lines())
                .satisfiesExactly(
                        line -> assertThat(line).startsWith(data + ":2:42: 'label' must be safe or unsafe"),
                        line -> assertThat(line).startsWith(data + ":3:"),
                        line -> assertThat(line)
                                .isEqualTo(data + " has 2 broken lines of 3; mend them, or leave them out with"
                                        + " --on-error skip"));
        assertThat(guard.asked).isEmpty();
    }

    @Test
    void evaluateWhenBrokenLinesAreToBeSkippedNamesThemAndGoesOn() throws IOException {
        Files.write(data, List.of(ROWS.getFirst(), "{", ROWS.getLast()));
        Run run = evaluate("--on-error", "skip");
        assertThat(run.code()).isZero();
        assertThat(run.err()).startsWith(data + ":2:").hasLineCount(1);
        assertThat(run.out()).contains("2 rows, 1 safe and 1 unsafe; 1 broken lines skipped");
        Files.write(data, List.of("{"));
        assertThat(evaluate("--on-error", "skip").err()).contains("has no row that can be used");
    }

    @Test
    void evaluateWhenFileIsEmptySaysSo() throws IOException {
        Files.writeString(data, "\n");
        assertThat(evaluate().err()).isEqualTo(data + " has no rows: it must hold a JSON object a line\n");
    }

    @Test
    void evaluateWhenLanesDifferReportsTheSame() throws IOException {
        writeLadder();
        JsonNode one = json(evaluate("--json", "--lanes", 1, "--examples", 0));
        JsonNode eight = json(evaluate("--json", "--lanes", 8, "--examples", 0));
        for (JsonNode report : List.of(one, eight)) {
            ((ObjectNode) report.path("conditions")).remove("lanes");
            ((ObjectNode) report.path("guards").path(0)).remove("milliseconds");
        }
        assertThat(eight).isEqualTo(one);
    }

    @Test
    void evaluateWhenJsonIsWishedPrintsNothingElse() {
        JsonNode report = json(evaluate("--json"));
        assertThat(report.propertyNames())
                .containsExactly(
                        "format", "data", "conditions", "guards", "all", "sets", "languages", "hazards", "notes");
        assertThat(report.path("format").intValue()).isOne();
        assertThat(report.at("/data/rows").intValue()).isEqualTo(4);
        assertThat(report.at("/all/guards/0/auc/value").doubleValue()).isEqualTo(0.75);
        assertThat(report.at("/all/guards/0/auc").propertyNames()).containsExactly("value", "low", "high");
        assertThat(report.at("/sets/second/guards/0/auc").isNull()).isTrue();
        assertThat(report.at("/sets/second/guards/0/fpr/value").doubleValue()).isZero();
        assertThat(report.at("/languages/en/rows").intValue()).isEqualTo(3);
        assertThat(report.at("/hazards/S9/unsafe").intValue()).isOne();
        assertThat(report.at("/guards/0/slowest/0").has("text")).isFalse();
        assertThat(report.at("/guards/0/false_alarms/0/line").intValue()).isEqualTo(3);
        assertThat(json(evaluate("--json", "--show-texts"))
                        .at("/guards/0/false_alarms/0/text")
                        .stringValue())
                .isEqualTo("0.7");
    }

    private static JsonNode json(Run run) {
        return JsonMapper.shared().readTree(run.out());
    }

    @Test
    void evaluateWhenTextsAreWishedShowsThemWithoutControlCharacters() throws IOException {
        Files.write(data, List.of(row("0.7 \\u001b[2J|x", "first", "safe", "en", "[]"), ROWS.getFirst()));
        assertThat(evaluate("--show-texts").out()).contains("| 0.7  [2J\\|x |").doesNotContain("\u001b");
        assertThat(evaluate().out()).doesNotContain("[2J");
    }

    @Test
    void evaluateWhenRateIsWishedSuggestsThresholdsThatAPolicyTakes() throws IOException {
        writeLadder();
        Path fragment = directory.resolve("thresholds.yaml");
        Run run = evaluate("--fpr", "0.05", "--thresholds-to", fragment);
        assertThat(run.code()).isZero();
        assertThat(run.err()).isEqualTo("Written: " + fragment + "\n");
        assertThat(run.out())
                .contains(
                        "Thresholds for a false-positive rate of at most 5.00 %",
                        "Only a default threshold, 0.945: flags 5 safe rows (5.00 %), finds 0 unsafe ones");
        String yaml = Files.readString(fragment);
        assertThat(yaml)
                .contains(
                        "# Data: data.jsonl, 130 rows, 100 safe and 30 unsafe",
                        "# S1, S2, S3, S4, S5, S6, S7, S8, S10, S11, S12, S13: no threshold of their own",
                        "thresholds:\n  default: 0.945  # by itself: flags 5.00 % of 100 safe rows, finds 0.00 % of 30",
                        "\n  S9: 0.945");
        CompiledPolicy policy = Policies.compile(
                "policy: mine\nversion: 1\n" + yaml,
                "mine.yaml",
                Beside.NOTHING,
                new GuardSight(Taxonomy.LLAMA_GUARD_3, new Probability(0.5), 0));
        assertThat(policy.defaultThreshold()).isEqualTo(new Probability(0.945));
        assertThat(decision(policy, 0.95)).isInstanceOf(Decision.Block.class);
        assertThat(decision(policy, 0.94)).isInstanceOf(Decision.Allow.class);
        assertThat(evaluate("--fpr", "0.05", "--thresholds-to", fragment).err())
                .isEqualTo(fragment + " exists already, and might be a policy; give another name or remove it\n");
    }

    private static Decision decision(CompiledPolicy policy, double unsafe) {
        return policy.decide(List.of(ScriptedGuard.scored(unsafe, StandardHazard.S9)), new Facts(Direction.PROMPT));
    }

    @Test
    void evaluateWhenRateCannotBeKeptSaysSoAndFails() {
        Run run = evaluate("--fpr", "0.05");
        assertThat(run.code()).isOne();
        assertThat(run.err())
                .isEqualTo("no thresholds: a false-positive rate of 0.05 needs at least 20 safe rows: there are 2\n");
        assertThat(run.out()).startsWith("Guard scripted");
    }

    @Test
    void evaluateWhenPageIsWishedWritesIt() throws IOException {
        Path page = directory.resolve("report.html");
        assertThat(evaluate("--html", page).code()).isZero();
        assertThat(page).content().startsWith("<!doctype html>").contains("scripted evaluated");
        assertThat(evaluate("--html", directory.resolve("none/report.html")).err())
                .isEqualTo("there is no folder " + directory.resolve("none") + " to write "
                        + directory.resolve("none/report.html") + " to; make it first\n");
    }

    @Test
    void evaluateWhenOptionsAreWrongIsTwo() {
        assertThat(evaluate("--threshold", "2").code()).isEqualTo(2);
        assertThat(evaluate("--limit", "0").code()).isEqualTo(2);
        assertThat(evaluate("--lanes", "0").code()).isEqualTo(2);
        assertThat(evaluate("--resamples", "1").code()).isEqualTo(2);
        assertThat(evaluate("--on-error", "ignore").code()).isEqualTo(2);
        assertThat(evaluate("--fpr", "0").code()).isEqualTo(2);
        assertThat(evaluate("--thresholds-to", "x.yaml").err()).contains("--thresholds-to needs --fpr");
        assertThat(evaluate(guardDirectory).err()).contains("give the guard once: as MODEL or with --guard");
        assertThat(Run.of(new EvaluateCommand(_ -> _ -> guard)).code()).isEqualTo(2);
    }

    @Test
    void evaluateWhenHelpIsAskedPrintsIt() {
        Run run = Run.of(new EvaluateCommand(_ -> _ -> guard), "--help");
        assertThat(run.code()).isZero();
        assertThat(run.out()).startsWith("Usage: corral evaluate ").contains("--on-error=fail|skip", "--fpr=RATE");
    }
}
