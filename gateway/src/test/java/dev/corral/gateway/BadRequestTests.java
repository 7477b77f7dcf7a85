package dev.corral.gateway;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.corral.gateway.testing.Completions;
import dev.corral.gateway.testing.LeakCheck;
import dev.corral.gateway.testing.ScriptedGuard;
import dev.corral.gateway.testing.ScriptedUpstream;
import dev.corral.gateway.testing.StreamClient;
import dev.corral.gateway.testing.TestGateway;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.util.Arrays;
import java.util.Map;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What clients send by mistake or on purpose: each has an answer in the envelope, and none reaches the upstream. */
@ExtendWith(LeakCheck.class)
class BadRequestTests {

    private static final ScriptedUpstream upstream = new ScriptedUpstream();
    private static TestGateway gateway;

    @BeforeAll
    static void start() {
        gateway = TestGateway.start(new ScriptedGuard(), Map.of("corral.upstream.url", upstream.url()));
    }

    @AfterAll
    static void stop() {
        gateway.close();
        upstream.close();
    }

    @BeforeEach
    void reset() {
        upstream.reset();
        upstream.says("Paris.");
    }

    private static void assertRefused(HttpResponse<String> answer, int status) {
        assertThat(answer.statusCode()).as(answer.body()).isEqualTo(status);
        assertThat(answer.body()).startsWith("{\"error\":{\"message\":\"").doesNotContain("Exception");
        assertThat(answer.headers().firstValue("content-type")).contains("application/json");
        assertThat(answer.headers().firstValue("x-corral-exchange")).isPresent();
        assertThat(upstream.received).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                " ",
                "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"he",
                "[]",
                "null",
                "{\"model\":\"m\"}",
                "{\"model\":\"m\",\"messages\":null}",
                "{\"model\":\"m\",\"messages\":\"hello\"}",
                "{\"model\":\"m\",\"messages\":[\"hello\"]}",
                "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":7}]}",
                "{\"model\":\"m\",\"messages\":[{\"role\":\"wizard\",\"content\":\"hello\"}]}",
                "{\"model\":\"m\",\"stream\":\"yes\",\"messages\":[{\"role\":\"user\",\"content\":\"hello\"}]}",
                "{\"model\":\"m\",\"model\":\"n\",\"messages\":[{\"role\":\"user\",\"content\":\"hello\"}]}",
                "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"hello\",\"content\":\"<S9>\"}]}",
                "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"hello\"}]} trailing"
            })
    void postWhenMalformedIsTheClientsMistake(String body) {
        assertRefused(gateway.chat(body), 400);
    }

    @Test
    void postWhenContentIsOfAnUnknownKindIsBlocked() {
        HttpResponse<String> answer = gateway.chat(
                "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"hologram\",\"x\":1}]}]}");
        assertThat(answer.body()).contains("hologram");
        assertThat(answer.headers().firstValue("x-corral-decision")).contains("block");
        assertThat(upstream.received).isEmpty();
    }

    @Test
    void postWhenNestedTenThousandDeepIsRefused() {
        assertRefused(
                gateway.chat("{\"model\":\"m\",\"messages\":" + "[".repeat(10_000) + "]".repeat(10_000) + "}"), 400);
    }

    @Test
    void postWhenTextHasLoneSurrogatesIsJudgedOrRefusedButNeverFails() {
        HttpResponse<String> answer = gateway.chat(
                "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"\\ud800 <S9> \\udc00\"}]}");
        assertThat(answer.statusCode()).isIn(200, 400);
        assertThat(upstream.received).isEmpty();
    }

    @Test
    void postWhenBytesAreNotUtf8IsRefused() {
        byte[] body = Completions.request("hello ?").getBytes(UTF_8);
        body[new String(body, UTF_8).indexOf('?')] = (byte) 0xC3;
        assertRefused(gateway.chat(body), 400);
    }

    @Test
    void postWhenAskingForFiftyChoicesNeverFails() {
        HttpResponse<String> answer =
                gateway.chat("{\"model\":\"m\",\"n\":50,\"messages\":[{\"role\":\"user\",\"content\":\"hello\"}]}");
        assertThat(answer.statusCode()).isIn(200, 400);
    }

    @Test
    void postWhenCompressedIsRefused() throws IOException {
        ByteArrayOutputStream zipped = new ByteArrayOutputStream();
        try (GZIPOutputStream gzip = new GZIPOutputStream(zipped)) {
            gzip.write(Completions.request("<S9>").getBytes(UTF_8));
        }
        HttpResponse<String> answer = gateway.send(gateway.request("/v1/chat/completions")
                .header("Content-Type", "application/json")
                .header("Content-Encoding", "gzip")
                .POST(BodyPublishers.ofByteArray(zipped.toByteArray())));
        assertRefused(answer, 415);
        assertThat(answer.body()).contains("gzip");
    }

    @Test
    void postWhenFortyMegabytesAreAnnouncedIsRefusedBeforeTheyCome() throws IOException {
        try (StreamClient client = StreamClient.announce(gateway.port(), 40 << 20)) {
            client.awaitBody("413");
            client.awaitBody("request_too_large");
        }
        assertThat(upstream.received).isEmpty();
    }

    @Test
    void postWhenFortyMegabytesComeTellsAClientThatReadsOnlyAfterwards() {
        byte[] body = new byte[40 << 20];
        Arrays.fill(body, (byte) ' ');
        assertRefused(gateway.chat(body), 413);
    }

    @Test
    void postWhenFortyMegabytesComeInChunksIsRefused() throws IOException {
        byte[] chunk = new byte[1 << 20];
        Arrays.fill(chunk, (byte) ' ');
        try (StreamClient client = StreamClient.chunked(gateway.port())) {
            client.chunks(chunk, 40);
            client.awaitBody("413");
            client.awaitBody("request_too_large");
        }
        assertThat(upstream.received).isEmpty();
    }

    @Test
    void postWhenInChunksWithoutLengthPasses() {
        String body = Completions.request("chunked");
        HttpResponse<String> answer = gateway.send(gateway.request("/v1/chat/completions")
                .header("Content-Type", "application/json")
                .POST(BodyPublishers.ofInputStream(() -> new ByteArrayInputStream(body.getBytes(UTF_8)))));
        assertThat(answer.statusCode()).isEqualTo(200);
        assertThat(upstream.last().body()).isEqualTo(body.getBytes(UTF_8));
    }
}
