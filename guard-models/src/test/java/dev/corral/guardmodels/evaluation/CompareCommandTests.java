package dev.corral.guardmodels.evaluation;

import static org.assertj.core.api.Assertions.assertThat;

import dev.corral.guardmodels.GuardDirectories;
import dev.corral.guardmodels.ScriptedGuard;
import dev.corral.guardmodels.assess.Run;
import dev.corral.guardmodels.conversation.Part;
import dev.corral.policies.assessment.Assessment;
import dev.corral.policies.assessment.Coverage;
import dev.corral.policies.taxonomy.StandardHazard;
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

class CompareCommandTests {

    @TempDir
    private Path directory;

    private Path a;
    private Path b;
    private Path data;
    private final List<ScriptedGuard> loaded = new ArrayList<>();

    /** The text says what each guard answers. */
    private static ScriptedGuard guard(int which) {
        return new ScriptedGuard(conversation -> {
            String text =
                    ((Part.TextPart) conversation.turns().getLast().parts().getFirst()).text();
            String answer = text.split(" ")[which];
            return answer.equals("broken")
                    ? new Assessment.Inconclusive(Assessment.Reason.FAILED, "it broke", Coverage.NOTHING)
                    : ScriptedGuard.scored(Double.parseDouble(answer), StandardHazard.S9);
        });
    }

    private static String row(String text, String label) {
        return "{\"text\": \"%s\", \"label\": \"%s\", \"set\": \"s\"}".formatted(text, label);
    }

    @BeforeEach
    void write() throws IOException {
        a = GuardDirectories.write(Files.createDirectory(directory.resolve("a")), GuardDirectories.TINY);
        b = GuardDirectories.write(Files.createDirectory(directory.resolve("b")), GuardDirectories.TINY);
        data = Files.write(
                directory.resolve("data.jsonl"),
                List.of(
                        row("0.9 0.8", "unsafe"),
                        row("0.7 0.5", "unsafe"),
                        row("0.1 0.65", "safe"),
                        row("0.2 0.2", "safe")));
    }

    private Run compare(Object... arguments) {
        return Run.of(
                new CompareCommand(_ -> directory -> {
                    loaded.add(guard(directory.origin().equals(a.toString()) ? 0 : 1));
                    return loaded.getLast();
                }),
                Stream.concat(Stream.of(a, b, "--data", data, "--resamples", 100), Stream.of(arguments))
                        .toArray());
    }

    @Test
    void compareWhenGuardsDifferPrintsHow() {
        Run run = compare();
        assertThat(run.err()).isEmpty();
        assertThat(run.code()).isZero();
        assertThat(run.out().lines())
                .startsWith(
                        "Guard A: scripted (int8), threshold 0.60",
                        "Guard B: scripted (int8), threshold 0.60",
                        "Data data.jsonl: 4 rows, 2 safe and 2 unsafe",
                        "",
                        "Verdicts",
                        "",
                        "| thresholds |   same | both unsafe | both safe | only A | only B | A right | B right |",
                        "| ---------- | -----: | ----------: | --------: | -----: | -----: | ------: | ------: |",
                        "| both 0.60  | 0.5000 |           1 |         1 |      1 |      1 |       2 |       0 |")
                .contains(
                        "P(unsafe) of B is +0.0625 from A's in the mean. Rows by difference:",
                        "| all | A     |    4 |      2 | 0.5000 |  1.0000 |  1.0000 |  1.0000 |  0.0000 |  1.0000 |",
                        "|     | B     |      |        |        |  0.7500 |  0.5000 |  0.5000 |  0.5000 |  0.8333 |",
                        "|     | B − A |      |        |        | -0.2500 | -0.5000 | -0.5000 | +0.5000 | -0.1667 |",
                        "| s   | safe   |    3 | 0.1000 | 0.6500 | +0.5500 |");
        assertThat(loaded).hasSize(2).allMatch(guard -> guard.closed);
    }

    @Test
    void compareWhenThresholdIsGivenComparesAtItToo() {
        assertThat(compare("--threshold", "0.4").out())
                .contains("| own: A 0.60, B 0.60 | 0.5000 |", "| both 0.40           | 0.7500 |");
    }

    @Test
    void compareWhenOneHasNoVerdictLeavesTheRowOutForBoth() throws IOException {
        Files.write(data, List.of(row("0.9 0.8", "unsafe"), row("0.2 broken", "safe"), row("0.2 0.2", "safe")));
        Run run = compare();
        assertThat(run.code()).isOne();
        assertThat(run.err()).isEqualTo("line 2 got no verdict from B: it broke\n");
        assertThat(run.out()).contains("2 rows, 1 safe and 1 unsafe; 1 left out, without a verdict");
    }

    @Test
    void compareWhenJsonIsWishedHasBothGuardsAndTheirDifference() {
        JsonNode report = JsonMapper.shared().readTree(compare("--json").out());
        assertThat(report.path("guards").size()).isEqualTo(2);
        assertThat(report.at("/guards/1/name").stringValue()).isEqualTo("B");
        assertThat(report.at("/all/difference/auc/value").doubleValue()).isEqualTo(-0.25);
        assertThat(report.at("/all/same_verdict").doubleValue()).isEqualTo(0.5);
        assertThat(report.at("/comparison/own_thresholds/a_right").intValue()).isEqualTo(2);
        assertThat(report.at("/comparison/distance/max").doubleValue()).isEqualTo(0.55);
        assertThat(report.at("/comparison/most_different/0/line").intValue()).isEqualTo(3);
        assertThat(report.at("/comparison/histogram").size()).isEqualTo(41);
    }

    @Test
    void compareWhenGuardIsMissingSaysSo() {
        Run run = Run.of(new CompareCommand(_ -> _ -> guard(0)), a, directory.resolve("none"), "--data", data);
        assertThat(run.code()).isOne();
        assertThat(run.err()).contains("none is not a directory").hasLineCount(1);
    }

    @Test
    void compareWhenOptionsAreWrongIsTwo() {
        assertThat(Run.of(new CompareCommand(_ -> _ -> guard(0)), a, "--data", data)
                        .code())
                .isEqualTo(2);
        assertThat(compare("--threshold", "-1").code()).isEqualTo(2);
    }
}
