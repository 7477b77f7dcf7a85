package dev.corral.guardmodels.assess;

import static org.assertj.core.api.Assertions.assertThat;

import dev.corral.guardmodels.GuardDirectories;
import dev.corral.guardmodels.ScriptedGuard;
import dev.corral.guardmodels.conversation.Part;
import dev.corral.policies.assessment.Assessment;
import dev.corral.policies.assessment.Coverage;
import dev.corral.policies.taxonomy.StandardHazard;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

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
        return text.equals("broken")
                ? new Assessment.Inconclusive(Assessment.Reason.FAILED, "it broke", Coverage.NOTHING)
                : ScriptedGuard.scored(Double.parseDouble(text), StandardHazard.S9);
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
        Object[] all = new Object[arguments.length + 4];
        all[0] = "--guard";
        all[1] = guardDirectory;
        all[2] = "--data";
        all[3] = data;
        System.arraycopy(arguments, 0, all, 4, arguments.length);
        return Run.of(new EvaluateCommand(_ -> guard), all);
    }

    @Test
    void evaluateWhenLabelledPrintsTables() {
        Run run = evaluate();
        assertThat(run.code()).isZero();
        assertThat(run.err()).isEmpty();
        assertThat(run.out().lines())
                .containsExactly(
                        "Guard scripted, threshold 0.60",
                        "",
                        "| set | rows | unsafe | AUC | F1 | recall | FPR |",
                        "|---|---|---|---|---|---|---|",
                        "| all | 4 | 2 | 0.7500 | 0.5000 | 0.5000 | 0.5000 |",
                        "| first | 3 | 2 | 0.5000 | 0.5000 | 0.5000 | 1.0000 |",
                        "| second | 1 | 0 | – | 0.0000 | – | 0.0000 |",
                        "| English | 3 | 1 | 1.0000 | 0.6667 | 1.0000 | 0.5000 |",
                        "",
                        "First hazard right where the set names one: 0.5000 of 2.");
        assertThat(guard.closed).isTrue();
    }

    @Test
    void evaluateWhenThresholdIsGivenTakesIt() {
        assertThat(evaluate("--threshold", "0.2").out())
                .contains("threshold 0.20", "| all | 4 | 2 | 0.7500 | 0.8000 |");
    }

    @Test
    void evaluateWhenLimitIsGivenStopsThere() {
        assertThat(evaluate("--limit", "2").out()).contains("| all | 2 | 2 |");
        assertThat(guard.asked).hasSize(2);
    }

    @Test
    void evaluateWhenOthersAreExpectedPrintsAgreement() throws IOException {
        Path expected = Files.writeString(directory.resolve("scores.json"), "[0.8, 0.3, 0.5, 0.1, 0.2]");
        assertThat(evaluate("--expected", expected).out())
                .endsWith(
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
    void evaluateWhenTextGetsNoVerdictCountsTheOthersAndFails() throws IOException {
        Files.write(data, List.of(ROWS.getFirst(), row("broken", "first", "safe", "en", "[]")));
        Run run = evaluate();
        assertThat(run.code()).isOne();
        assertThat(run.err()).isEqualTo("line 2 got no verdict: it broke\n");
        assertThat(run.out()).contains("| all | 1 | 1 |");
    }

    @Test
    void evaluateWhenLineIsBrokenNamesIt() throws IOException {
        Files.write(data, List.of(ROWS.getFirst(), row("0.5", "first", "maybe", "en", "[]")));
        Run run = evaluate();
        assertThat(run.code()).isOne();
        assertThat(run.err()).isEqualTo(data + " line 2 'label' must be safe or unsafe: 'maybe'\n");
        assertThat(guard.asked).isEmpty();
    }

    @Test
    void evaluateWhenFileIsEmptySaysSo() throws IOException {
        Files.writeString(data, "\n");
        assertThat(evaluate().err()).isEqualTo(data + " has no lines\n");
    }

    @Test
    void evaluateWhenOptionsAreWrongIsTwo() {
        assertThat(evaluate("--threshold", "2").code()).isEqualTo(2);
        assertThat(evaluate("--limit", "0").code()).isEqualTo(2);
        assertThat(Run.of(new EvaluateCommand(_ -> guard)).code()).isEqualTo(2);
    }
}
