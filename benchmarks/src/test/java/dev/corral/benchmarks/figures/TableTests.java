package dev.corral.benchmarks.figures;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.List;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

class TableTests {

    private static final Row ROW = Row.of("prefix-64", "64 new tokens", Unit.MILLISECONDS, new Sample(130, 140))
            .comparedWith("its products alone", new Sample(100, 110))
            .heldTo(new Row.Bar.OfRatio(1.35));

    @Test
    void addWhenForPeoplePrintsFigureComparisonRatioAndLimit() {
        StringWriter out = new StringWriter();
        Table table = new Table(new PrintWriter(out), false);
        table.section("a guard");
        table.add(ROW);
        assertThat(out.toString().replaceAll(" +", " "))
                .contains("a guard")
                .contains("64 new tokens 130 140 ms its products alone 100 110 1.30 ratio at most 1.35: ok");
        assertThat(table.finish()).isZero();
    }

    @Test
    void addWhenLimitIsMissedSaysSoAndFails() {
        StringWriter out = new StringWriter();
        Table table = new Table(new PrintWriter(out), false);
        table.add(ROW.heldTo(new Row.Bar.OfRatio(1.2)));
        table.add(Row.of("memory", "memory", Unit.MEBIBYTES, Sample.once(650)).heldTo(new Row.Bar.OfValue(620)));
        assertThat(out.toString()).contains("ratio at most 1.20: MISSED").contains("at most 620 MiB: MISSED");
        assertThat(table.finish()).isEqualTo(1);
    }

    @Test
    void finishWhenForProgramsPrintsOneDocument() {
        StringWriter out = new StringWriter();
        Table table = new Table(new PrintWriter(out), true);
        table.say("not for programs");
        table.section("a guard");
        table.add(ROW);
        table.leaveOut("llama-cpp", "beside llama.cpp", "there is none");
        table.section("another");
        table.add(ROW);
        table.finish();
        JsonNode document = JsonMapper.shared().readTree(out.toString());
        assertThat(document.path("machine").path("processors").asString()).endsWith("processors");
        assertThat(document.path("sections")).hasSize(2);
        JsonNode row = document.path("sections").path(0).path("rows").path(0);
        assertThat(row.path("best").asDouble()).isEqualTo(130);
        assertThat(row.path("compared_with").path("ratio").asDouble()).isEqualTo(1.3);
        assertThat(row.path("limit").path("held").asBoolean()).isTrue();
        assertThat(document.path("sections")
                        .path(0)
                        .path("rows")
                        .path(1)
                        .path("not_measured")
                        .asString())
                .isEqualTo("there is none");
    }

    @Test
    void ratioWhenMoreIsBetterTellsHowManyTimesWorse() {
        Row rate = Row.of("callers-1", "one caller", Unit.VERDICTS_PER_SECOND, Sample.ofRates(List.of(8.0, 10.0, 9.0)))
                .comparedWith("its products alone", Sample.ofRates(List.of(15.0)));
        assertThat(rate.measured()).isEqualTo(new Sample(10, 9));
        assertThat(rate.ratio()).hasValue(1.5);
    }

    @Test
    void raceWhenRunMeasuresEachAfterOneWarmUp() throws InterruptedException {
        List<Long> first = new java.util.ArrayList<>(List.of(9_000_000L, 3_000_000L, 1_000_000L, 2_000_000L));
        List<Sample> samples = new Race(3, java.time.Duration.ofMinutes(1)).run(first::removeFirst, () -> 5_000_000L);
        assertThat(samples).containsExactly(new Sample(1, 2), new Sample(5, 5));
    }
}
