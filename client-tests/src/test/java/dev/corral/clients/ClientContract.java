package dev.corral.clients;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.corral.gateway.testing.ScriptedGuard;
import dev.corral.gateway.testing.ScriptedUpstream;
import dev.corral.gateway.testing.TestGateway;
import dev.corral.guardmodels.conversation.Role;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import reactor.core.publisher.Flux;

/** What holds for each client library as it comes, retries included: it sees an answer, a refusal or an error of its own, and asks once. */
@Timeout(60)
abstract class ClientContract {

    private static final String POLICY = """
            policy: clients
            version: 1
            block: { style: refusal, message: Not here. }
            streaming: { window: 8 characters, first-window: 4 characters, lookback: all }
            """;

    private static final ScriptedGuard guard = new ScriptedGuard();
    private static ScriptedUpstream upstream;

    /** Those that refuse in the words of each API, by what their upstream speaks. */
    private static final Map<Backend, TestGateway> refusing = new EnumMap<>(Backend.class);

    /** Those that tell blocks as errors. */
    private static final Map<Backend, TestGateway> failing = new EnumMap<>(Backend.class);

    /** Those whose policy lets pass what no guard reads. */
    private static final Map<Backend, TestGateway> lenient = new EnumMap<>(Backend.class);

    private static TestGateway refusing(Client client) {
        return refusing.computeIfAbsent(
                client.backend(), backend -> TestGateway.start(guard, settings(backend, POLICY)));
    }

    private static TestGateway failing(Client client) {
        return failing.computeIfAbsent(
                client.backend(),
                backend -> TestGateway.start(guard, settings(backend, POLICY.replace("refusal", "error"))));
    }

    private static TestGateway lenient(Client client) {
        return lenient.computeIfAbsent(
                client.backend(),
                backend -> TestGateway.start(guard, settings(backend, POLICY + "unscanned: allow\n")));
    }

    /** Without memory for verdicts: the guard is asked anew for whatever is sent again. */
    private static Map<String, String> settings(Backend backend, String rules) {
        try {
            Path policy = Files.createTempFile("policy", ".yaml");
            policy.toFile().deleteOnExit();
            Files.writeString(policy, rules);
            return Map.of(
                    "corral.upstream.url",
                    upstream.url(),
                    "corral.upstream.dialect",
                    backend.name().toLowerCase(Locale.ROOT),
                    "corral.policy.file",
                    policy.toString(),
                    "corral.guard.cache-size",
                    "0B");
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @BeforeAll
    static void start() {
        upstream = new ScriptedUpstream();
    }

    @AfterAll
    static void stop() {
        Stream.of(refusing, failing, lenient).forEach(gateways -> {
            gateways.values().forEach(TestGateway::close);
            gateways.clear();
        });
        upstream.close();
    }

    @BeforeEach
    void reset() {
        upstream.reset();
        guard.asked.clear();
    }

    @ParameterizedTest
    @MethodSource("clients")
    void wholeWhenItIsSafeIsWhatTheUpstreamSaid(Client client) {
        says(client.backend().whole("Hello to you"));

        Reply reply = client.at(refusing(client).port()).ask("hello");

        assertThat(reply.text()).isEqualTo("Hello to you");
        assertThat(reply.ending()).isNotEqualToIgnoringCase(client.refused());
        assertThat(upstream.received).hasSize(1);
    }

    @ParameterizedTest
    @MethodSource("clients")
    void streamWhenItIsSafeIsWhatTheUpstreamSaid(Client client) {
        streams(client.backend(), "Hello ", "there, ", "how are you?");

        Reply reply = client.at(refusing(client).port()).stream("hello");

        assertThat(reply.text()).isEqualTo("Hello there, how are you?");
        assertThat(reply.ending()).isNotEqualToIgnoringCase(client.refused());
        assertThat(upstream.received).hasSize(1);
    }

    @ParameterizedTest
    @MethodSource("clients")
    void callWhenItIsSafeReachesTheApplication(Client client) {
        says(client.backend().call("Oslo"));

        List<String> calls = client.at(refusing(client).port())
                .askWithTool("the weather in Oslo?")
                .calls();

        assertThat(calls).hasSize(1);
        assertThat(calls.getFirst()).contains("city").contains("Oslo");
        assertThat(new String(upstream.last().body(), UTF_8)).contains("weather");
        assertThat(upstream.received).hasSize(1);
    }

    @ParameterizedTest
    @MethodSource("clients")
    void callWhenItsArgumentsAreHarmfulIsRefused(Client client) {
        says(client.backend().call("<S9>"));

        Reply reply = client.at(refusing(client).port()).askWithTool("the weather in Oslo?");

        assertThat(reply.calls()).isEmpty();
        assertThat(reply.ending()).isEqualToIgnoringCase(client.refused());
        assertThat(upstream.received).hasSize(1);
        assertThat(requests()).isEqualTo(1);
    }

    @ParameterizedTest
    @MethodSource("clients")
    void imageWhenNoGuardReadsItIsRefusedOnce(Client client) {
        Reply reply = client.at(refusing(client).port()).askWithImage("what is it?");

        assertThat(reply.ending()).isEqualToIgnoringCase(client.refused());
        assertThat(upstream.received).isEmpty();
        assertThat(requests()).isEqualTo(1);
    }

    @ParameterizedTest
    @MethodSource("clients")
    void imageWhenThePolicyLetsItPassReachesTheUpstream(Client client) {
        says(client.backend().whole("A pixel"));

        Reply reply = client.at(lenient(client).port()).askWithImage("what is it?");

        assertThat(reply.text()).isEqualTo("A pixel");
        assertThat(new String(upstream.last().body(), UTF_8)).contains(Pixel.BASE64);
        assertThat(upstream.received).hasSize(1);
    }

    @ParameterizedTest
    @MethodSource("clients")
    void promptWhenItIsHarmfulIsRefusedOnce(Client client) {
        Reply reply = client.at(refusing(client).port()).ask("how <S9>");

        assertThat(reply.ending()).isEqualToIgnoringCase(client.refused());
        assertThat(upstream.received).isEmpty();
        assertThat(requests()).isEqualTo(1);
    }

    @ParameterizedTest
    @MethodSource("clients")
    void promptOfAStreamWhenItIsHarmfulIsRefusedOnce(Client client) {
        Reply reply = client.at(refusing(client).port()).stream("how <S9>");

        assertThat(reply.ending()).isEqualToIgnoringCase(client.refused());
        assertThat(upstream.received).isEmpty();
        assertThat(requests()).isEqualTo(1);
    }

    @ParameterizedTest
    @MethodSource("clients")
    void promptWhenBlocksAreErrorsIsAnErrorOfTheLibraryOnce(Client client) {
        assertThatThrownBy(() -> client.at(failing(client).port()).ask("how <S9>"))
                .satisfies(error -> assertThat(client.nameOf(error)).isEqualTo(client.error()))
                .hasMessageContaining("Not here.");

        assertThat(upstream.received).isEmpty();
        assertThat(requests()).isEqualTo(1);
    }

    @ParameterizedTest
    @MethodSource("clients")
    void answerWhenItIsHarmfulIsRefusedAndAskedForOnce(Client client) {
        says(client.backend().whole("so <S9>"));

        Reply reply = client.at(refusing(client).port()).ask("hello");

        assertThat(reply.text()).doesNotContain("S9");
        assertThat(reply.ending()).isEqualToIgnoringCase(client.refused());
        assertThat(upstream.received).hasSize(1);
        assertThat(requests()).isEqualTo(1);
    }

    @ParameterizedTest
    @MethodSource("clients")
    void answerWhenBlocksAreErrorsIsAnErrorOfTheLibraryOnce(Client client) {
        says(client.backend().whole("so <S9>"));

        assertThatThrownBy(() -> client.at(failing(client).port()).ask("hello"))
                .satisfies(error -> assertThat(client.nameOf(error)).isEqualTo(client.error()));

        assertThat(upstream.received).hasSize(1);
        assertThat(requests()).isEqualTo(1);
    }

    @ParameterizedTest
    @MethodSource("clients")
    void streamWhenItBecomesHarmfulEndsAsARefusalAndIsAskedForOnce(Client client) {
        streams(client.backend(), "harmless ", "words ", "then <S9>", "and more");

        Reply reply = client.at(refusing(client).port()).stream("hello");

        assertThat(reply.text()).startsWith("harmless ").doesNotContain("S9", "and more");
        assertThat(reply.ending()).isEqualToIgnoringCase(client.refused());
        assertThat(upstream.received).hasSize(1);
        assertThat(requests()).isEqualTo(1);
    }

    private static void says(String body) {
        upstream.answers(200, "application/json", body.getBytes(UTF_8));
    }

    private static void streams(Backend backend, String... texts) {
        upstream.streams(backend.streamType, Flux.fromIterable(backend.stream(texts)));
    }

    /** How often the gateway was asked: each request has its prompt judged once. */
    private static long requests() {
        return guard.asked.stream()
                .filter(asked -> asked.turns().getLast().role() == Role.USER)
                .count();
    }
}
