package dev.corral.gateway.translation;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.corral.gateway.translation.Wordings.Direction;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import java.util.function.BiConsumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/**
 * The same said in each API, in files: a request, a whole answer, a stream. What is in a folder of requests or of answers
 * means the same in all its files; what a stream becomes stands beside it.
 */
class TranslationGoldenTests {

    private static Stream<DynamicTest> each(String kind, BiConsumer<Direction, Path> check) {
        return Wordings.cases(kind).stream()
                .flatMap(folder -> Direction.all()
                        .filter(direction -> Files.exists(file(folder, direction.client()))
                                && Files.exists(file(folder, direction.upstream())))
                        .map(direction -> DynamicTest.dynamicTest(
                                folder.getFileName() + ", " + direction, () -> check.accept(direction, folder))));
    }

    private static Path file(Path folder, ChatApi api) {
        return folder.resolve(Wordings.name(api) + ".json");
    }

    @TestFactory
    Stream<DynamicTest> requestWhenItIsTranslatedIsTheUpstreams() {
        return each(
                "requests",
                (direction, folder) -> assertThat(
                                Wordings.json(direction.request(Wordings.bytes(file(folder, direction.client())))))
                        .isEqualTo(Wordings.json(Wordings.bytes(file(folder, direction.upstream())))));
    }

    /** What Ollama does not say, such as an identifier, is made up for others; it is left out of the comparison. */
    @TestFactory
    Stream<DynamicTest> answerWhenItIsTranslatedIsTheClients() {
        return each("answers", (direction, folder) -> {
            String said = new String(direction.answer(Wordings.bytes(file(folder, direction.upstream()))), UTF_8);
            String expected = Wordings.json(Wordings.bytes(file(folder, direction.client())))
                    .toString();
            if (direction.upstream() == ChatApi.OLLAMA) {
                String made = (direction.client() == ChatApi.OPENAI ? "chatcmpl-" : "msg_") + Wordings.EXCHANGE;
                expected = expected.replaceFirst("\"id\":\"[^\"]*\"", "\"id\":\"" + made + "\"")
                        .replace(",\"prompt_tokens_details\":{\"cached_tokens\":20}", "")
                        .replace("\"input_tokens\":10,\"cache_read_input_tokens\":20", "\"input_tokens\":30");
            }
            assertThat(Wordings.json(said.getBytes(UTF_8))).isEqualTo(Wordings.json(expected.getBytes(UTF_8)));
        });
    }

    @TestFactory
    Stream<DynamicTest> streamWhenItIsTranslatedIsTheClientsWhateverItsChunks() {
        return Direction.all()
                .map(direction -> DynamicTest.dynamicTest(direction.toString(), () -> {
                    Path folder =
                            Path.of("src/test/resources/translation/streams", Wordings.name(direction.upstream()));
                    byte[] said = Wordings.bytes(folder.resolve("in.txt"));
                    String expected = Files.readString(folder.resolve(Wordings.name(direction.client()) + ".txt"));
                    assertThat(new String(direction.stream(List.of(said)), UTF_8))
                            .isEqualTo(expected);
                    Random random = new Random(5);
                    for (int i = 0; i < 20; i++) {
                        assertThat(new String(direction.stream(Wordings.pieces(said, random)), UTF_8))
                                .isEqualTo(expected);
                    }
                }));
    }
}
