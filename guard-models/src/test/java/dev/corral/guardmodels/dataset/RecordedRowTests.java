package dev.corral.guardmodels.dataset;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.corral.guardmodels.conversation.Role;
import dev.corral.policies.assessment.Probability;
import dev.corral.policies.policy.Direction;
import dev.corral.policies.policy.Facts;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class RecordedRowTests {

    @TempDir
    private Path folder;

    private RecordedRow row(String json) throws IOException, BrokenLineException {
        Path file = Files.writeString(folder.resolve("traffic.jsonl"), json + "\n");
        try (JsonLines lines = JsonLines.open(file)) {
            return RecordedRow.of(Objects.requireNonNull(lines.next()));
        }
    }

    @Test
    void ofWhenLineHasTextHasNoScores() throws Exception {
        RecordedRow row = row("{'text':'Hi','tenant':'acme','route':'r','model':'m','lang':'de'}".replace('\'', '"'));
        assertThat(row.text()).isEqualTo("Hi");
        assertThat(row.hasText()).isTrue();
        assertThat(row.scores()).isEmpty();
        assertThat(row.facts()).isEqualTo(new Facts(Direction.PROMPT, "r", "acme", "m", List.of("de")));
    }

    @Test
    void ofWhenLineHasAResponseIsACompletion() throws Exception {
        RecordedRow row = row("{'text':'Hi','response':'Ho','scores':{'unsafe':0.8,'S9':0.5}}".replace('\'', '"'));
        assertThat(row.text()).isEqualTo("Ho");
        assertThat(row.facts().direction()).isEqualTo(Direction.COMPLETION);
        assertThat(row.scores())
                .isEqualTo(
                        Optional.of(new RecordedRow.Scores(new Probability(0.8), Map.of("S9", new Probability(0.5)))));
    }

    @Test
    void ofWhenLineHasScoresOnlyTakesTheirSumAndItsDirection() throws Exception {
        RecordedRow row = row("{'scores':{'S1':0.25,'S9':0.5},'direction':'completion'}".replace('\'', '"'));
        assertThat(row.hasText()).isFalse();
        assertThat(row.text()).isEmpty();
        assertThat(row.conversation().turns().getLast().role()).isEqualTo(Role.ASSISTANT);
        assertThat(row.scores().orElseThrow().unsafe()).isEqualTo(new Probability(0.75));
        assertThat(row("{'scores':{}}".replace('\'', '"')).facts().direction()).isEqualTo(Direction.PROMPT);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', textBlock = """
                    {"label":"safe"}               | 1  | there is neither 'text' nor 'turns' nor 'scores'
                    {"scores":[0.5]}               | 11 | 'scores' must be an object such as
                    {"scores":{"S9":1.2}}          | 17 | a score must be a number between 0 and 1: 1.2
                    {"scores":{"S9":"high"}}       | 17 | a score must be a number between 0 and 1: "high"
                    {"scores":{},"direction":"up"} | 26 | 'direction' must be prompt or completion: 'up'
                    {"text":7}                     | 9  | 'text' must be text
                    """)
    void ofWhenLineIsBrokenSaysWhereAndWhatMustBe(String json, int column, String rule) {
        assertThatExceptionOfType(BrokenLineException.class)
                .isThrownBy(() -> row(json))
                .satisfies(broken -> assertThat(broken.column()).isEqualTo(column))
                .satisfies(broken -> assertThat(broken.rule()).startsWith(rule));
    }
}
