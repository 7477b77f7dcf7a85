package dev.corral.gateway.dialect;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import java.util.List;
import org.junit.jupiter.api.Test;

class SseEventTests {

    @Test
    void parseWhenDataHasSeveralLinesJoinsThem() {
        assertThat(event("data: {\"a\":\ndata:1}\ndata\n\n").data()).isEqualTo("{\"a\":\n1}\n");
    }

    @Test
    void parseWhenDataStartsWithTwoSpacesTakesOneAway() {
        assertThat(event("data:  a\r\n\r\n").data()).isEqualTo(" a");
    }

    @Test
    void parseWhenThereIsNoDataKeepsTheOtherLinesAsNotes() {
        SseEvent event = event(": ping\nevent: delta\nid: 7\ndatum: x\n\n");

        assertThat(event.data()).isNull();
        assertThat(event.notes()).isEqualTo(List.of(": ping", "event: delta", "id: 7", "datum: x"));
    }

    @Test
    void parseWhenThereIsAByteOrderMarkReadsTheFirstLine() {
        assertThat(event("\uFEFFdata: a\n\n").data()).isEqualTo("a");
    }

    @Test
    void parseWhenTheBytesAreNotUtf8Throws() {
        assertThatExceptionOfType(DialectException.class)
                .isThrownBy(() -> SseEvent.parse(new byte[] {'d', 'a', 't', 'a', ':', (byte) 0xC3, '\n', '\n'}))
                .withMessageContaining("not UTF-8")
                .satisfies(e -> assertThat(e.error().status()).isEqualTo(502));
    }

    private static SseEvent event(String frame) {
        return SseEvent.parse(frame.getBytes(UTF_8));
    }
}
