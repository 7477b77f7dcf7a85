package dev.corral.guardmodels.dataset;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.corral.guardmodels.conversation.Conversation;
import dev.corral.guardmodels.conversation.Role;
import dev.corral.guardmodels.conversation.Turn;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.tukaani.xz.LZMA2Options;
import org.tukaani.xz.XZOutputStream;

class LabelledRowsTests {

    @TempDir
    private Path directory;

    private LabelledRows read(String... lines) throws IOException {
        return LabelledRows.read(Files.write(directory.resolve("data.jsonl"), List.of(lines)), Integer.MAX_VALUE);
    }

    @ParameterizedTest
    @ValueSource(strings = {"\"unsafe\"", "\"Unsafe\"", "1", "\"1\"", "true", "\"true\""})
    void readWhenLabelMeansUnsafeIsUnsafe(String label) throws IOException {
        assertThat(read("{\"text\": \"a\", \"label\": " + label + "}")
                        .rows()
                        .getFirst()
                        .unsafe())
                .isTrue();
    }

    @ParameterizedTest
    @ValueSource(strings = {"\"safe\"", "\"SAFE\"", "0", "\"0\"", "false", "\"false\""})
    void readWhenLabelMeansSafeIsSafe(String label) throws IOException {
        assertThat(read("{\"text\": \"a\", \"label\": " + label + "}")
                        .rows()
                        .getFirst()
                        .unsafe())
                .isFalse();
    }

    @Test
    void readWhenRowSaysEverythingTakesIt() throws IOException {
        LabelledRow row = read("", """
                        {"text": "a", "response": "b", "label": 1, "categories": ["S1", "S9", "S1"], "lang": "de", "source": "mine", "more": {}}""").rows().getFirst();
        assertThat(row)
                .isEqualTo(new LabelledRow(
                        2,
                        0,
                        new Conversation(List.of(Turn.of(Role.USER, "a"), Turn.of(Role.ASSISTANT, "b"))),
                        true,
                        Optional.of("mine"),
                        Optional.of("de"),
                        List.of("S1", "S9")));
        assertThat(row.text()).isEqualTo("b");
    }

    @Test
    void readWhenFieldsAreNullTakesThemAsLeftOut() throws IOException {
        LabelledRow row = read("""
                        {"text": "a", "response": null, "label": 0, "categories": null, "lang": null, "set": null}""").rows().getFirst();
        assertThat(row.conversation().turns()).hasSize(1);
        assertThat(row.categories()).isEmpty();
        assertThat(row.language()).isEmpty();
        assertThat(row.set()).isEmpty();
    }

    @Test
    void readWhenTurnsEndWithTheResponseTakesItOnce() throws IOException {
        String turns = "[{\"role\": \"user\", \"content\": \"a\"}, {\"role\": \"assistant\", \"content\": \"b\"}]";
        LabelledRows rows = read(
                "{\"turns\": " + turns + ", \"response\": \"b\", \"label\": 0}",
                "{\"turns\": " + turns + ", \"response\": \"c\", \"label\": 0}");
        assertThat(rows.rows().getFirst().conversation().turns()).hasSize(2);
        assertThat(rows.rows().getLast().conversation().turns()).hasSize(3);
    }

    @Test
    void readWhenLinesAreBrokenNamesPlaceAndRuleOfAll() throws IOException {
        LabelledRows rows = read(
                "{\"text\": \"a\", \"label\": \"maybe\"}",
                "{\"text\": \"a\"}",
                "{\"text\": \"a\", \"label\": 0, \"categories\": \"S1\"}",
                "{\"text\": \"a\", \"label\": 0, \"categories\": [\"S1\", 2]}",
                "{\"text\": \"a\", \"label\": 0, \"lang\": 1}",
                "{\"text\": \"a\", \"label\": 0} {}",
                "{\"text\": \"a\", \"label\": 0, \"label\": 1}",
                "{\"turns\": [{\"role\": \"user\", \"content\": \"a\"}, \"b\"], \"label\": 0}",
                "{\"turns\": [{\"role\": \"user\"}], \"label\": 0}",
                "{\"text\": \"a\", \"label\": 2}",
                "{\"text\": \"a\", \"label\": 0}");
        String labels = "'label' must be safe or unsafe, 0 or 1, false or true (1 and true: unsafe)";
        String file = directory.resolve("data.jsonl") + ":";
        assertThat(rows.broken())
                .extracting(BrokenLineException::getMessage)
                .satisfiesExactly(
                        m -> assertThat(m).isEqualTo(file + "1:24: " + labels + ": \"maybe\""),
                        m -> assertThat(m).isEqualTo(file + "2:1: there is no 'label'; " + labels),
                        m -> assertThat(m).startsWith(file + "3:41: 'categories' must be a list of hazard codes"),
                        m -> assertThat(m).startsWith(file + "4:48: a category must be a hazard's code"),
                        m -> assertThat(m).isEqualTo(file + "5:35: 'lang' must be text"),
                        m -> assertThat(m).startsWith(file + "6:").contains("this is not valid JSON: "),
                        m -> assertThat(m)
                                .startsWith(file + "7:")
                                .contains("uplicate")
                                .contains("label"),
                        m -> assertThat(m).startsWith(file + "8:46: a turn must be an object"),
                        m -> assertThat(m).isEqualTo(file + "9:12: there is no 'content'"),
                        m -> assertThat(m).isEqualTo(file + "10:24: " + labels + ": 2"));
        assertThat(rows.broken().getFirst().line()).isEqualTo(1);
        assertThat(rows.broken().getFirst().column()).isEqualTo(24);
        assertThat(rows.rows()).singleElement().satisfies(row -> {
            assertThat(row.line()).isEqualTo(11);
            assertThat(row.index()).isEqualTo(10);
        });
    }

    @Test
    void readWhenTextIsNotUtf8NamesThePlaceAndGoesOn() throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        bytes.write("\uFEFF{\"text\": \"é".getBytes(UTF_8));
        bytes.write(0xFF);
        bytes.write("\", \"label\": 0}\n{\"text\": \"a\", \"label\": 0}".getBytes(UTF_8));
        Path file = Files.write(directory.resolve("latin.jsonl"), bytes.toByteArray());
        LabelledRows rows = LabelledRows.read(file, Integer.MAX_VALUE);
        assertThat(rows.broken())
                .singleElement()
                .extracting(BrokenLineException::getMessage)
                .isEqualTo(file + ":1:13: the text must be UTF-8, and this byte is not");
        assertThat(rows.rows()).extracting(LabelledRow::index).containsExactly(1);
    }

    @Test
    void readWhenFileBeginsWithAByteOrderMarkSkipsIt() throws IOException {
        assertThat(read("\uFEFF{\"text\": \"a\", \"label\": 0}").rows()).hasSize(1);
    }

    @Test
    void readWhenLimitIsGivenReadsSoManyLines() throws IOException {
        Path file = Files.write(
                directory.resolve("data.jsonl"),
                List.of("{\"text\": \"a\", \"label\": 0}", "", "{", "{\"text\": \"b\", \"label\": 0}"));
        LabelledRows rows = LabelledRows.read(file, 2);
        assertThat(rows.rows()).hasSize(1);
        assertThat(rows.broken()).hasSize(1);
    }

    @Test
    void readWhenFileIsPackedUnpacksIt() throws IOException {
        byte[] line = "{\"text\": \"a\", \"label\": 0}\n".getBytes(UTF_8);
        Path gz = directory.resolve("data.jsonl.gz");
        Path xz = directory.resolve("data.jsonl.xz");
        try (OutputStream out = new GZIPOutputStream(Files.newOutputStream(gz))) {
            out.write(line);
        }
        try (OutputStream out = new XZOutputStream(Files.newOutputStream(xz), new LZMA2Options())) {
            out.write(line);
        }
        assertThat(LabelledRows.read(gz, 9).rows()).hasSize(1);
        assertThat(LabelledRows.read(xz, 9).rows()).hasSize(1);
        byte[] packed = Files.readAllBytes(xz);
        Files.write(xz, Arrays.copyOf(packed, packed.length / 2));
        assertThatExceptionOfType(IOException.class)
                .isThrownBy(() -> LabelledRows.read(xz, 9))
                .withMessageStartingWith(xz + " cannot be read or unpacked: ");
        Files.write(gz, line);
        assertThatExceptionOfType(IOException.class)
                .isThrownBy(() -> LabelledRows.read(gz, 9))
                .withMessageStartingWith(gz + " cannot be read or unpacked: ");
    }

    @Test
    void readWhenFileHasNoRowsSaysSo() throws IOException {
        Path file = Files.writeString(directory.resolve("empty.jsonl"), "\n \n");
        assertThatExceptionOfType(IOException.class)
                .isThrownBy(() -> LabelledRows.read(file, 9))
                .withMessage(file + " has no rows: it must hold a JSON object a line");
        assertThatExceptionOfType(IOException.class)
                .isThrownBy(() -> LabelledRows.read(directory, 9))
                .withMessage(directory + " is a directory; give a file of JSON lines");
    }
}
