package dev.corral.gateway.dialect;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class SseFramesTests {

    @ParameterizedTest
    @ValueSource(strings = {"\n", "\r\n", "\r"})
    void splitWhenLinesEndInAnyWayGivesOneFrameForEachEvent(String lineEnd) {
        String first = "event: a" + lineEnd + "data: 1" + lineEnd + lineEnd;
        String second = "data: 2" + lineEnd + "data: 3" + lineEnd + lineEnd;

        assertThat(frames(List.of(bytes(first + second)))).containsExactly(first, second);
    }

    @Test
    void splitWhenLineEndsAreMixedEndsAnEventAtTheFirstEmptyLine() {
        assertThat(frames(List.of(bytes("data: 1\n\r\ndata: 2\r\n\ndata: 3\r\rdata: 4\n\n"))))
                .containsExactly("data: 1\n\r\n", "data: 2\r\n\n", "data: 3\r\r", "data: 4\n\n");
    }

    @Test
    void splitWhenCutInsideTheLineEndKeepsItsHalvesTogether() {
        assertThat(frames(List.of(bytes("data: 1\r\n\r"), bytes("\ndata: 2\r"), bytes("\n\r\n"))))
                .containsExactly("data: 1\r\n\r\n", "data: 2\r\n\r\n");
    }

    @Test
    void splitWhenTheEventIsCompleteDoesNotWaitForMore() {
        SseFrames frames = new SseFrames();

        assertThat(frames.split(bytes("data: 1\r\n\r\n"))).hasSize(1);
        assertThat(frames.flush()).isEmpty();
    }

    @Test
    void splitWhenTheStreamStartsWithAByteOrderMarkKeepsIt() {
        assertThat(frames(List.of(bytes("\uFEFFdata: 1\n\n")))).containsExactly("\uFEFFdata: 1\n\n");
    }

    @Test
    void flushWhenTheLastEventHasNoBlankLineGivesIt() {
        SseFrames frames = new SseFrames();

        assertThat(frames.split(bytes("data: 1\n\ndata: 2"))).hasSize(1);
        assertThat(frames.flush()).hasValueSatisfying(rest -> assertThat(rest).isEqualTo(bytes("data: 2")));
        assertThat(frames.flush()).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "data: a\n\ndata: b\n\n",
                "\uFEFFdata: ä€😀\r\n\r\n: ping\r\n\r\ndata: [DONE]\r\n\r\n",
                "data: a\r\rdata: b\r\r",
                "data: a\r\n\n\r\n\r\r\n\n\rdata: b",
                "\n\n\r\n\r\r",
                ""
            })
    void splitWhenCutAtEveryByteGivesTheSameFrames(String stream) {
        byte[] bytes = bytes(stream);
        List<String> whole = frames(List.of(bytes));

        assertThat(String.join("", whole)).isEqualTo(stream);
        List<byte[]> single = new ArrayList<>();
        for (byte one : bytes) {
            single.add(new byte[] {one});
        }
        assertThat(frames(single)).isEqualTo(whole);
        for (int cut = 0; cut <= bytes.length; cut++) {
            assertThat(frames(List.of(Arrays.copyOfRange(bytes, 0, cut), Arrays.copyOfRange(bytes, cut, bytes.length))))
                    .as("cut at byte %d", cut)
                    .isEqualTo(whole);
        }
    }

    @Test
    void splitWhenChunkedAtRandomLosesAndChangesNothing() {
        String[] pieces = {"data: x", "data: ü", ": c", "\n", "\r", "\r\n", "\n\n", "\r\n\r\n", "\uFEFF", "event: e"};
        for (int seed = 0; seed < 2_000; seed++) {
            Random random = new Random(seed);
            StringBuilder stream = new StringBuilder();
            for (int i = random.nextInt(20); i >= 0; i--) {
                stream.append(pieces[random.nextInt(pieces.length)]);
            }
            byte[] bytes = bytes(stream.toString());
            List<byte[]> chunks = new ArrayList<>();
            for (int from = 0; from < bytes.length; ) {
                int to = Math.min(bytes.length, from + random.nextInt(5));
                chunks.add(Arrays.copyOfRange(bytes, from, to));
                from = to;
            }

            List<String> frames = frames(chunks);

            assertThat(String.join("", frames)).as("seed %d", seed).isEqualTo(stream.toString());
            assertThat(frames).as("seed %d", seed).isEqualTo(frames(List.of(bytes)));
        }
    }

    @Test
    void splitWhenAnEventIsLargerThanTheLimitSaysSo() {
        SseFrames frames = new SseFrames(10);

        assertThat(frames.split(bytes("data: 12\n\ndata: "))).hasSize(1);
        assertThatExceptionOfType(DialectException.class)
                .isThrownBy(() -> frames.split(bytes("12345")))
                .withMessageContaining("more than 10 bytes")
                .satisfies(e -> assertThat(e.error().status()).isEqualTo(502));
    }

    private static List<String> frames(List<byte[]> chunks) {
        SseFrames frames = new SseFrames();
        List<byte[]> all = new ArrayList<>();
        chunks.forEach(chunk -> all.addAll(frames.split(chunk)));
        frames.flush().ifPresent(all::add);
        return all.stream().map(frame -> new String(frame, UTF_8)).toList();
    }

    private static byte[] bytes(String text) {
        return text.getBytes(UTF_8);
    }
}
