package dev.corral.gateway;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.AppenderBase;
import dev.corral.gateway.exchange.ExchangeLog;
import dev.corral.gateway.testing.Completions;
import dev.corral.gateway.testing.LeakCheck;
import dev.corral.gateway.testing.ScriptedGuard;
import dev.corral.gateway.testing.ScriptedUpstream;
import dev.corral.gateway.testing.ScriptedUpstream.Received;
import dev.corral.gateway.testing.StreamClient;
import dev.corral.gateway.testing.TestGateway;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelOption;
import java.io.IOException;
import java.net.ServerSocket;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.reactivestreams.Publisher;
import org.slf4j.LoggerFactory;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;
import reactor.netty.http.server.HttpServerRequest;
import reactor.netty.http.server.HttpServerResponse;

/**
 * Many exchanges at random against upstreams with faults: each has exactly one outcome, the one that its fault asks for,
 * no request is seen twice, and nothing is left behind.
 */
@ExtendWith(LeakCheck.class)
class UpstreamExchangesTests {

    private static final int CLIENTS = 16;
    private static final Pattern SEEN = Pattern.compile("exchange-(\\d+)");
    private static final Pattern LINE = Pattern.compile("^exchange (\\S+) route ");

    /** What an exchange is about; the mark in its prompt tells the upstream what to do. */
    private enum Fault {
        NONE,
        /** The answer is harmful. */
        HARMFUL_ANSWER,
        /** So is the prompt. */
        HARMFUL_PROMPT,
        /** The upstream says that it is busy. */
        BUSY,
        /** The connection breaks before a byte of the answer. */
        RESET,
        /** And after some. */
        CUT,
        /** The client leaves in the middle of a stream that has no end. */
        CLIENT_LEAVES;

        String mark() {
            return "[" + name() + "]";
        }
    }

    private record Exchange(int number, Fault fault, boolean stream) {

        String request() {
            String prompt = "exchange-" + number + " " + fault.mark() + (fault == Fault.HARMFUL_PROMPT ? " <S9>" : "");
            return stream ? Completions.streamed(prompt) : Completions.request(prompt);
        }
    }

    private final ScriptedGuard guard = new ScriptedGuard();
    private final ScriptedUpstream upstream = new ScriptedUpstream();
    private final Map<String, AtomicInteger> outcomes = new ConcurrentHashMap<>();
    private final AppenderBase<ILoggingEvent> log = new AppenderBase<>() {
        @Override
        protected void append(ILoggingEvent event) {
            Matcher line = LINE.matcher(event.getFormattedMessage());
            if (line.find()) {
                outcomes.computeIfAbsent(line.group(1), _ -> new AtomicInteger())
                        .incrementAndGet();
            }
        }
    };

    @Test
    void exchangesWhenUpstreamsFailAtRandomHaveOneOutcomeEach(@TempDir Path folder) throws Exception {
        exchange(folder, 120, 20_261_124);
    }

    @Test
    @Tag("slow")
    void exchangesWhenThereAreTenThousandHaveOneOutcomeEach(@TempDir Path folder) throws Exception {
        exchange(folder, 10_000, 4_711);
    }

    private void exchange(Path folder, int count, long seed) throws Exception {
        Logger logger = (Logger) LoggerFactory.getLogger(ExchangeLog.class);
        log.setContext(logger.getLoggerContext());
        log.start();
        upstream.answer(UpstreamExchangesTests::play);
        Random random = new Random(seed);
        List<Exchange> exchanges = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            Fault fault = Fault.values()[random.nextInt(Fault.values().length)];
            exchanges.add(new Exchange(i, fault, random.nextBoolean() || fault == Fault.CLIENT_LEAVES));
        }
        try (TestGateway careful = TestGateway.start(guard, settings(folder, false));
                TestGateway quick = TestGateway.start(guard, settings(folder, true));
                ExecutorService clients = Executors.newFixedThreadPool(CLIENTS)) {
            logger.addAppender(log); // a start takes away what was there before
            logger.setAdditive(false);
            List<Future<?>> done = new ArrayList<>();
            for (Exchange exchange : exchanges) {
                TestGateway gateway = random.nextBoolean() ? careful : quick;
                done.add(clients.submit(() -> {
                    meet(exchange, gateway);
                    return null;
                }));
            }
            for (Future<?> each : done) {
                each.get();
            }
            await().untilAsserted(() -> assertThat(outcomes).hasSize(count));
            assertThat(outcomes.values()).allMatch(lines -> lines.get() == 1);
            assertThat(guard.holding).hasValue(0);
            assertThat(upstream.received.stream()
                            .map(received -> number(new String(received.body(), UTF_8)))
                            .toList())
                    .doesNotHaveDuplicates()
                    .containsAll(exchanges.stream()
                            .filter(exchange -> exchange.fault() != Fault.HARMFUL_PROMPT)
                            .map(Exchange::number)
                            .toList());
            for (TestGateway gateway : List.of(careful, quick)) {
                assertThat(gateway.metric("corral_upstream_fallbacks_total", "from=\"down\"", "to=\"live\""))
                        .isPositive();
                await().untilAsserted(() -> assertThat(
                                gateway.metric("reactor_netty_connection_provider_active_connections", "upstream-live"))
                        .isZero());
            }
        } finally {
            logger.detachAppender(log);
            logger.setAdditive(true);
            upstream.close();
        }
    }

    /** Two upstreams of the same weight, of which one is not there. */
    private Map<String, String> settings(Path folder, boolean optimistic) throws IOException {
        Path policy = Files.writeString(
                folder.resolve(optimistic + ".yaml"), "policy: p\nversion: 1\noptimistic: " + optimistic + "\n");
        int free;
        try (ServerSocket socket = new ServerSocket(0)) {
            free = socket.getLocalPort();
        }
        Map<String, String> settings = new LinkedHashMap<>();
        settings.put("corral.policy.file", policy.toString());
        settings.put("corral.upstreams.live.url", upstream.url());
        settings.put("corral.upstreams.live.breaker.failure-rate", "100");
        settings.put("corral.upstreams.live.breaker.requests", "100");
        settings.put("corral.upstreams.down.url", "http://127.0.0.1:" + free + "/v1");
        return settings;
    }

    private static int number(String body) {
        Matcher seen = SEEN.matcher(body);
        assertThat(seen.find()).isTrue();
        return Integer.parseInt(seen.group(1));
    }

    private static void meet(Exchange exchange, TestGateway gateway) throws IOException {
        if (exchange.fault() == Fault.CLIENT_LEAVES) {
            try (StreamClient client = StreamClient.post(gateway.port(), exchange.request())) {
                client.awaitBody("word");
            }
            return;
        }
        HttpResponse<String> answer = gateway.chat(exchange.request());
        String body = answer.body();
        assertThat(answer.statusCode())
                .as("%s: %s", exchange, body)
                .isEqualTo(
                        switch (exchange.fault()) {
                            case NONE, HARMFUL_ANSWER, HARMFUL_PROMPT, CLIENT_LEAVES -> 200;
                            case BUSY -> 503;
                            case RESET -> 502;
                            case CUT -> exchange.stream() ? 200 : 502;
                        });
        assertThat(body).doesNotContain("<S9>");
        switch (exchange.fault()) {
            case NONE ->
                assertThat(body)
                        .isEqualTo(exchange.stream() ? Completions.joined(words()) : Completions.whole("word by word"));
            case HARMFUL_ANSWER, HARMFUL_PROMPT -> assertThat(body).contains("content_filter");
            case BUSY -> assertThat(body).contains("come back later");
            case RESET -> assertThat(body).contains("upstream_failed");
            case CUT -> assertThat(body).contains("upstream_").doesNotContain("[DONE]");
            case CLIENT_LEAVES -> {}
        }
    }

    private static List<byte[]> words() {
        return Completions.stream("word by word, enough of them for a window of this stream, and then", " the rest");
    }

    private static Publisher<Void> play(Received received, HttpServerRequest request, HttpServerResponse response) {
        String body = new String(received.body(), UTF_8);
        boolean stream = body.contains("\"stream\":true");
        Fault fault = Arrays.stream(Fault.values())
                .filter(each -> body.contains(each.mark()))
                .findFirst()
                .orElseThrow();
        return switch (fault) {
            case NONE, HARMFUL_PROMPT -> stream ? stream(response, words(), false) : whole(response, "word by word");
            case HARMFUL_ANSWER ->
                stream
                        ? stream(response, Completions.stream("word by word, until it turns: ", "<S9>"), false)
                        : whole(response, "<S9>");
            case BUSY ->
                response.status(503)
                        .header("Content-Type", "application/json")
                        .sendString(Mono.just("{\"error\":{\"message\":\"come back later\"}}"));
            case RESET -> {
                request.withConnection(connection -> {
                    connection.channel().config().setOption(ChannelOption.SO_LINGER, 0);
                    connection.channel().close();
                });
                yield Mono.never();
            }
            case CUT ->
                stream
                        ? stream(response, words().subList(0, 1), true)
                        : bytes(
                                response.header("Content-Type", "application/json"),
                                List.of("{\"choices\":".getBytes(UTF_8)),
                                true);
            case CLIENT_LEAVES ->
                response.header("Content-Type", "text/event-stream")
                        .send(
                                Flux.fromIterable(words().subList(0, 2))
                                        .concatWith(Flux.never())
                                        .map(Unpooled::wrappedBuffer),
                                _ -> true);
        };
    }

    private static Publisher<Void> whole(HttpServerResponse response, String text) {
        return response.header("Content-Type", "application/json").sendString(Mono.just(Completions.whole(text)));
    }

    private static Publisher<Void> stream(HttpServerResponse response, List<byte[]> frames, boolean cut) {
        return bytes(response.header("Content-Type", "text/event-stream"), frames, cut);
    }

    private static Publisher<Void> bytes(HttpServerResponse response, List<byte[]> pieces, boolean cut) {
        Mono<byte[]> end =
                cut ? Mono.delay(Duration.ofMillis(20)).then(Mono.error(new IOException("scripted"))) : Mono.empty();
        return response.send(Flux.fromIterable(pieces).concatWith(end).map(Unpooled::wrappedBuffer), _ -> true);
    }
}
