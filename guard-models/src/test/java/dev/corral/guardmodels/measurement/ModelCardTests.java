package dev.corral.guardmodels.measurement;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;
import static org.assertj.core.api.Assumptions.assumeThat;

import dev.corral.guardmodels.dataset.LabelledRow;
import dev.corral.guardmodels.dataset.LabelledRows;
import dev.corral.policies.taxonomy.StandardHazard;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** The probabilities that the starter guard's float weights give, measured here, against the table of its model card. */
class ModelCardTests {

    private static final Path SHARED = Path.of("../../shared");

    @Test
    void studyWhenOfTheCardsProbabilitiesGivesTheCardsFigures() throws IOException {
        Path data = SHARED.resolve("data/safety/eval.jsonl.xz");
        Path card = SHARED.resolve("starter-guard");
        assumeThat(data).as("the labelled rows are not beside this checkout").exists();
        assumeThat(card.resolve("eval-scores.json"))
                .as("nor are the card's probabilities")
                .exists();
        JsonNode scores = JsonMapper.shared().readTree(Files.readAllBytes(card.resolve("eval-scores.json")));
        List<Judged> judged = new ArrayList<>();
        for (LabelledRow row : LabelledRows.read(data, Integer.MAX_VALUE).rows()) {
            judged.add(
                    Rows.judged(row, StandardHazard.S1, scores.get(row.index()).doubleValue()));
        }

        Study study = Study.of(List.of(Rows.CANDIDATE), judged, new Bootstrap(100, 1), 0.6, 0);

        int compared = 0;
        for (String line : Files.readAllLines(card.resolve("README.md"))) {
            String[] cells = line.split("\\|");
            if (cells.length == 8 && cells[2].strip().matches("[0-9]+")) {
                compare(group(study, cells[1].strip()), cells);
                compared++;
            }
        }
        assertThat(compared).isEqualTo(17);
    }

    private static Group group(Study study, String name) {
        return Stream.of(Stream.of(study.all()), study.sets().stream(), study.languages().stream())
                .flatMap(groups -> groups)
                .filter(group -> group.name().equals(name.equals("English") ? "en" : name))
                .findFirst()
                .orElseThrow();
    }

    private static void compare(Group group, String[] cells) {
        assertThat(group.rows()).isEqualTo(Integer.parseInt(cells[2].strip()));
        assertThat(group.unsafe()).isEqualTo(Integer.parseInt(cells[3].strip()));
        List<Measure> measures = List.of(Measure.AUC, Measure.F1, Measure.RECALL, Measure.FALSE_POSITIVES);
        for (int i = 0; i < measures.size(); i++) {
            Estimate found = group.figures().getFirst().get(measures.get(i));
            String expected = cells[4 + i].strip();
            if (found != null && !expected.equals("–")) {
                assertThat(found.value())
                        .as(group.name() + " " + measures.get(i))
                        .isCloseTo(Double.parseDouble(expected), within(0.00011));
            }
        }
    }
}
