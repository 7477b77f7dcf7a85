package dev.corral.gateway.translation;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.corral.gateway.dialect.DialectException;
import dev.corral.gateway.translation.Wordings.Direction;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/**
 * What becomes of each field of a request: the tables of {@code docs/translation.md}, which are written from the same rows
 * as the fields are tried by.
 */
class TranslationTableTests {

    private static final Path DOCUMENT = Path.of("../docs/translation.md");
    private static final Path FIELDS = Path.of("src/test/resources/translation/fields.tsv");

    private static final String REFUSED = "refused";
    private static final String WITHOUT_MEANING = "no meaning";

    /**
     * One line of the tables.
     *
     * @param sample fields that are put into a request
     * @param outcomes what becomes of them in front of each other API, in their order: a place in the upstream's request,
     *     {@code refused} or {@code no meaning}
     */
    private record Row(ChatApi api, String field, String sample, List<String> outcomes) {

        static Row parse(String line) {
            List<String> cells =
                    Arrays.stream(line.split("\t+")).map(String::strip).toList();
            return new Row(
                    ChatApi.valueOf(cells.getFirst()), cells.get(1), cells.get(2), cells.subList(3, cells.size()));
        }

        String line() {
            return "| " + field + " | "
                    + String.join(" | ", outcomes.stream().map(Row::cell).toList()) + " |\n";
        }

        private static String cell(String outcome) {
            return outcome.equals(REFUSED) || outcome.equals(WITHOUT_MEANING) ? outcome : "`" + outcome + "`";
        }
    }

    private static List<Row> rows() throws IOException {
        return Files.readAllLines(FIELDS).stream()
                .filter(line -> !line.isBlank() && !line.startsWith("#"))
                .map(Row::parse)
                .toList();
    }

    private static List<ChatApi> others(ChatApi api) {
        return Arrays.stream(ChatApi.values()).filter(other -> other != api).toList();
    }

    private static byte[] request(ChatApi client, String sample) {
        ObjectNode body = (ObjectNode) Wordings.json(
                ("{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"hello\"}],\"stream\":false"
                                + (client == ChatApi.ANTHROPIC ? ",\"max_tokens\":9" : "") + "}")
                        .getBytes(UTF_8));
        ((ObjectNode) Wordings.json(sample.getBytes(UTF_8)))
                .properties()
                .forEach(field -> body.set(field.getKey(), field.getValue()));
        return body.toString().getBytes(UTF_8);
    }

    /** A value by its place, such as {@code messages[0].content}. */
    private static Optional<JsonNode> at(JsonNode body, String place) {
        return Optional.of(
                        body.at("/" + place.replace("[", "/").replace("]", "").replace('.', '/')))
                .filter(value -> !value.isMissingNode());
    }

    @TestFactory
    Stream<DynamicTest> fieldWhenItIsTranslatedBecomesWhatTheTableSays() throws IOException {
        List<DynamicTest> tests = new ArrayList<>();
        for (Row row : rows()) {
            List<ChatApi> others = others(row.api());
            for (int i = 0; i < others.size(); i++) {
                Direction direction = new Direction(row.api(), others.get(i));
                String outcome = row.outcomes().get(i);
                tests.add(
                        DynamicTest.dynamicTest(row.field() + ", " + direction, () -> check(direction, row, outcome)));
            }
        }
        return tests.stream();
    }

    private static void check(Direction direction, Row row, String outcome) {
        byte[] body = request(direction.client(), row.sample());
        if (outcome.equals(REFUSED)) {
            assertThatExceptionOfType(DialectException.class)
                    .isThrownBy(() -> direction.request(body))
                    .satisfies(refused -> {
                        assertThat(refused.error().status()).isEqualTo(400);
                        assertThat(refused.error().code()).isEqualTo("untranslatable");
                        assertThat(refused.error().message())
                                .contains("'far'", direction.upstream().title());
                    });
            return;
        }
        JsonNode translated = Wordings.json(direction.request(body));
        JsonNode without = Wordings.json(direction.request(request(direction.client(), "{}")));
        if (outcome.equals(WITHOUT_MEANING)) {
            assertThat(translated).isEqualTo(without);
        } else {
            assertThat(at(translated, outcome)).as(translated.toString()).isPresent();
            assertThat(translated).isNotEqualTo(without);
        }
    }

    @Test
    void tablesWhenTheyAreRenderedAreTheDocuments() throws IOException {
        String document = Files.readString(DOCUMENT);
        for (ChatApi api : ChatApi.values()) {
            StringBuilder table = new StringBuilder("| field | to "
                    + String.join(
                            " | to ", others(api).stream().map(ChatApi::title).toList()) + " |\n|---|---|---|\n");
            rows().stream().filter(row -> row.api() == api).forEach(row -> table.append(row.line()));
            assertThat(document)
                    .as(api.title())
                    .contains("<!-- " + Wordings.name(api) + " -->\n\n" + table + "\n<!-- /" + Wordings.name(api)
                            + " -->");
        }
    }
}
