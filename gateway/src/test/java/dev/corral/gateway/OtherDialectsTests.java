package dev.corral.gateway;

import static dev.corral.gateway.testing.Completions.quoted;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.corral.gateway.testing.Completions;
import dev.corral.gateway.testing.LeakCheck;
import dev.corral.gateway.testing.ScriptedGuard;
import dev.corral.gateway.testing.ScriptedUpstream;
import dev.corral.gateway.testing.TestGateway;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import reactor.core.publisher.Flux;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** Dialects other than OpenAI's, through the whole gateway. */
@ExtendWith(LeakCheck.class)
class OtherDialectsTests {

    private static final String POLICY = """
            policy: others
            version: 1
            hazards:
              cards: { name: Card numbers, numbers: card, replacement: "[card]" }
            rules:
              - { id: cards, when: { hazard: cards }, then: redact }
              - { id: ask, when: { hazard: S6 }, then: respond, message: Ask a doctor. }
              - { id: rest, when: { hazard: any }, then: block }
            block: { message: Not here. }
            streaming: { window: 8 characters, first-window: 4 characters, lookback: all }
            """;

    private static final String PLAIN = """
            policy: plain
            version: 1
            block: { message: Not here. }
            streaming: { window: 8 characters, first-window: 4 characters, lookback: all }
            """;

    private static final String CARD = "4111 1111 1111 1111";
    private static final JsonMapper JSON = JsonMapper.builder().build();

    private static final ScriptedGuard guard = new ScriptedGuard();
    private static final ScriptedUpstream upstream = new ScriptedUpstream();
    private static TestGateway gateway;

    /** Under a policy that redacts nothing: what passes is passed as it came. */
    private static TestGateway plain;

    /** What a dialect looks like on the wire. */
    enum Api {
        ANTHROPIC("/v1/messages", "/v1/messages", "text/event-stream") {
            @Override
            String request(String prompt, boolean stream, String more) {
                return "{\"model\":\"llama\",\"max_tokens\":9,\"stream\":" + stream
                        + ",\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":" + quoted(prompt)
                        + "}" + more + "]}]}";
            }

            @Override
            String image() {
                return ",{\"type\":\"image\",\"source\":{\"type\":\"url\",\"url\":\"https://e/x.png\"}}";
            }

            @Override
            String whole(String text) {
                return "{ \"id\":\"msg_1\",\"type\":\"message\",\"role\":\"assistant\",\"model\":\"llama\",\"content\":["
                        + "{\"type\":\"text\",\"text\":" + quoted(text) + "}],\"stop_reason\":\"end_turn\"}\n";
            }

            @Override
            String call(String arguments) {
                return "{\"id\":\"msg_1\",\"type\":\"message\",\"role\":\"assistant\",\"content\":[{\"type\":\"tool_use\","
                        + "\"id\":\"t\",\"name\":\"f\",\"input\":{\"a\":" + quoted(arguments) + "}}]}";
            }

            @Override
            List<String> stream(String... texts) {
                List<String> frames = new ArrayList<>();
                frames.add(event("{\"type\":\"message_start\",\"message\":{\"id\":\"msg_1\",\"content\":[]}}"));
                frames.add(event("{\"type\":\"content_block_start\",\"index\":0,\"content_block\":{\"type\":\"text\","
                        + "\"text\":\"\"}}"));
                for (String text : texts) {
                    frames.add(event("{\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"text_delta\","
                            + "\"text\":" + quoted(text) + "}}"));
                }
                frames.add(event("{\"type\":\"content_block_stop\",\"index\":0}"));
                frames.add(event("{\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"end_turn\"},"
                        + "\"usage\":{\"output_tokens\":5}}"));
                frames.add(event("{\"type\":\"message_stop\"}"));
                return frames;
            }

            private static String event(String data) {
                return "event: x\ndata: " + data + "\n\n";
            }

            @Override
            String text(String stream) {
                return joined(stream, "/delta/text");
            }

            @Override
            String refused() {
                return "\"stop_reason\":\"refusal\"";
            }

            @Override
            String error(JsonNode body) {
                return body.at("/error/message").asString("");
            }
        },
        OLLAMA_CHAT("/api/chat", "/api/chat", "application/x-ndjson") {
            @Override
            String request(String prompt, boolean stream, String more) {
                return "{\"model\":\"llama\"" + (stream ? "" : ",\"stream\":false")
                        + ",\"messages\":[{\"role\":\"user\",\"content\":" + quoted(prompt) + more + "}]}";
            }

            @Override
            String image() {
                return ",\"images\":[\"iVBORw0\"]";
            }

            @Override
            String whole(String text) {
                return "{ \"model\":\"llama\",\"created_at\":\"t\",\"message\":{\"role\":\"assistant\",\"content\":"
                        + quoted(text) + "},\"done\":true,\"done_reason\":\"stop\"}\n";
            }

            @Override
            String call(String arguments) {
                return "{\"model\":\"llama\",\"message\":{\"role\":\"assistant\",\"content\":\"\",\"tool_calls\":["
                        + "{\"function\":{\"name\":\"f\",\"arguments\":{\"a\":" + quoted(arguments)
                        + "}}}]},\"done\":true}";
            }

            @Override
            List<String> stream(String... texts) {
                List<String> frames = new ArrayList<>();
                for (String text : texts) {
                    frames.add("{\"model\":\"llama\",\"message\":{\"role\":\"assistant\",\"content\":" + quoted(text)
                            + "},\"done\":false}\n");
                }
                frames.add(
                        "{\"model\":\"llama\",\"message\":{\"role\":\"assistant\",\"content\":\"\"},\"done\":true}\n");
                return frames;
            }

            @Override
            String text(String stream) {
                return joined(stream, "/message/content");
            }

            @Override
            String refused() {
                return "\"done_reason\":\"content_filter\"";
            }

            @Override
            String error(JsonNode body) {
                return body.at("/error").asString("");
            }
        },
        OLLAMA_GENERATE("/api/generate", "/api/generate", "application/x-ndjson") {
            @Override
            String request(String prompt, boolean stream, String more) {
                return "{\"model\":\"llama\",\"stream\":" + stream + ",\"prompt\":" + quoted(prompt) + more + "}";
            }

            @Override
            String image() {
                return ",\"images\":[\"iVBORw0\"]";
            }

            @Override
            String whole(String text) {
                return "{ \"model\":\"llama\",\"response\":" + quoted(text) + ",\"done\":true,\"context\":[1,2]}\n";
            }

            @Override
            String call(String arguments) {
                return "{\"model\":\"llama\",\"response\":\"\",\"thinking\":" + quoted(arguments) + ",\"done\":true}";
            }

            @Override
            List<String> stream(String... texts) {
                List<String> frames = new ArrayList<>();
                for (String text : texts) {
                    frames.add("{\"model\":\"llama\",\"response\":" + quoted(text) + ",\"done\":false}\n");
                }
                frames.add("{\"model\":\"llama\",\"response\":\"\",\"done\":true,\"context\":[1,2]}\n");
                return frames;
            }

            @Override
            String text(String stream) {
                return joined(stream, "/response");
            }

            @Override
            String refused() {
                return "\"done_reason\":\"content_filter\"";
            }

            @Override
            String error(JsonNode body) {
                return body.at("/error").asString("");
            }
        },
        LLAMA_STACK("/v1/inference/chat-completion", "/v1/inference/chat-completion", "text/event-stream") {
            @Override
            String request(String prompt, boolean stream, String more) {
                return "{\"model_id\":\"llama\",\"stream\":" + stream
                        + ",\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":" + quoted(prompt)
                        + "}" + more + "]}]}";
            }

            @Override
            String image() {
                return ",{\"type\":\"image\",\"image\":{\"url\":{\"uri\":\"https://e/x.png\"}}}";
            }

            @Override
            String whole(String text) {
                return "{ \"completion_message\":{\"role\":\"assistant\",\"content\":" + quoted(text)
                        + ",\"stop_reason\":\"end_of_turn\",\"tool_calls\":[]},\"logprobs\":null}\n";
            }

            @Override
            String call(String arguments) {
                return "{\"completion_message\":{\"role\":\"assistant\",\"content\":\"\",\"tool_calls\":[{\"call_id\":\"1\","
                        + "\"tool_name\":\"f\",\"arguments\":{\"a\":" + quoted(arguments) + "}}]}}";
            }

            @Override
            List<String> stream(String... texts) {
                List<String> frames = new ArrayList<>();
                frames.add(event("start", "", "null"));
                for (String text : texts) {
                    frames.add(event("progress", text, "null"));
                }
                frames.add(event("complete", "", "\"end_of_turn\""));
                return frames;
            }

            private static String event(String type, String text, String stop) {
                return "data: {\"event\":{\"event_type\":\"" + type + "\",\"delta\":{\"type\":\"text\",\"text\":"
                        + quoted(text) + "},\"stop_reason\":" + stop + "}}\n\n";
            }

            @Override
            String text(String stream) {
                return joined(stream, "/event/delta/text");
            }

            @Override
            String refused() {
                return "\"stop_reason\":\"end_of_turn\"";
            }

            @Override
            String error(JsonNode body) {
                return body.at("/detail").asString("");
            }
        };

        final String path;
        final String upstreamPath;
        final String streamType;

        Api(String path, String upstreamPath, String streamType) {
            this.path = path;
            this.upstreamPath = upstreamPath;
            this.streamType = streamType;
        }

        abstract String request(String prompt, boolean stream, String more);

        abstract String image();

        abstract String whole(String text);

        abstract String call(String arguments);

        abstract List<String> stream(String... texts);

        abstract String text(String stream);

        abstract String refused();

        abstract String error(JsonNode body);

        static String joined(String stream, String pointer) {
            StringBuilder text = new StringBuilder();
            stream.lines()
                    .map(line -> line.startsWith("data: ") ? line.substring(6) : line)
                    .filter(line -> line.startsWith("{"))
                    .forEach(line -> text.append(JSON.readTree(line).at(pointer).asString("")));
            return text.toString();
        }
    }

    @BeforeAll
    static void start() {
        gateway = TestGateway.start(guard, upstream, POLICY);
        plain = TestGateway.start(guard, upstream, PLAIN);
    }

    @AfterAll
    static void stop() {
        gateway.close();
        plain.close();
        upstream.close();
    }

    @BeforeEach
    void reset() {
        upstream.reset();
    }

    @ParameterizedTest
    @EnumSource
    void wholeWhenItIsSafePassesByteForByte(Api api) {
        upstream.answers(200, "application/json", api.whole("fine").getBytes(UTF_8));
        String request = api.request("hello", false, "");

        HttpResponse<String> answer = gateway.post(api.path, request);

        assertThat(answer.statusCode()).isEqualTo(200);
        assertThat(answer.body()).isEqualTo(api.whole("fine"));
        assertThat(answer.headers().firstValue("x-corral-decision")).contains("allow");
        assertThat(upstream.last().uri()).isEqualTo(api.upstreamPath);
        assertThat(new String(upstream.last().body(), UTF_8)).isEqualTo(request);
    }

    @ParameterizedTest
    @EnumSource
    void streamWhenItIsSafePassesByteForByte(Api api) {
        List<String> frames = api.stream("Hello ", "there, ", "how are you?");
        streams(api, frames);

        HttpResponse<String> answer = plain.post(api.path, api.request("hello", true, ""));

        assertThat(answer.body()).isEqualTo(String.join("", frames));
        assertThat(answer.headers().firstValue("Content-Type"))
                .hasValueSatisfying(type -> assertThat(type).startsWith(api.streamType));
    }

    @ParameterizedTest
    @EnumSource
    void promptWhenItIsHarmfulIsRefusedInTheDialect(Api api) {
        HttpResponse<String> whole = gateway.post(api.path, api.request("how <S9>", false, ""));
        HttpResponse<String> stream = gateway.post(api.path, api.request("how <S9>", true, ""));

        assertThat(whole.statusCode()).isEqualTo(200);
        assertThat(whole.body()).contains("Not here.", api.refused());
        assertThat(stream.statusCode()).isEqualTo(200);
        assertThat(stream.headers().firstValue("Content-Type"))
                .hasValueSatisfying(type -> assertThat(type).startsWith(api.streamType));
        assertThat(api.text(stream.body())).isEqualTo("Not here.");
        assertThat(stream.body()).contains(api.refused());
        assertThat(upstream.received).isEmpty();
    }

    @ParameterizedTest
    @EnumSource
    void promptWhenThePolicyRespondsIsAnsweredInTheDialect(Api api) {
        HttpResponse<String> stream = gateway.post(api.path, api.request("my <S6>", true, ""));

        assertThat(api.text(stream.body())).isEqualTo("Ask a doctor.");
        assertThat(gateway.post(api.path, api.request("my <S6>", false, "")).body())
                .contains("Ask a doctor.");
        assertThat(upstream.received).isEmpty();
    }

    @ParameterizedTest
    @EnumSource
    void promptWhenItHasAnImageThatNobodyReadsIsRefused(Api api) {
        HttpResponse<String> answer = gateway.post(api.path, api.request("what is it", false, api.image()));

        assertThat(answer.body()).contains("Not here.");
        assertThat(upstream.received).isEmpty();
    }

    @ParameterizedTest
    @EnumSource
    void answerWhenItIsHarmfulIsRefusedInTheDialect(Api api) {
        upstream.answers(200, "application/json", api.whole("so <S9>").getBytes(UTF_8));
        HttpResponse<String> text = gateway.post(api.path, api.request("hello", false, ""));
        upstream.answers(200, "application/json", api.call("so <S9>").getBytes(UTF_8));
        HttpResponse<String> call = gateway.post(api.path, api.request("hello", false, ""));

        for (HttpResponse<String> answer : List.of(text, call)) {
            assertThat(answer.statusCode()).isEqualTo(200);
            assertThat(answer.body()).contains("Not here.", api.refused()).doesNotContain("S9");
            assertThat(answer.headers().firstValue("x-corral-decision")).contains("block");
        }
    }

    @ParameterizedTest
    @EnumSource
    void streamWhenItBecomesHarmfulEndsInTheDialectAndLeavesTheUpstream(Api api) {
        List<String> frames = api.stream("harmless ", "words ", "then <S9>", "and more", "and more");
        Flux<byte[]> begun =
                Flux.fromIterable(frames.subList(0, frames.size() - 1)).map(frame -> frame.getBytes(UTF_8));
        upstream.streams(api.streamType, begun.concatWith(Flux.never()));

        HttpResponse<String> answer = plain.post(api.path, api.request("hello", true, ""));

        assertThat(answer.body()).doesNotContain("S9", "and more").contains(api.refused());
        assertThat(api.text(answer.body())).startsWith("harmless ").endsWith("Not here.");
        await().atMost(Duration.ofSeconds(5))
                .untilAsserted(() -> assertThat(upstream.cancelled).hasValue(1));
    }

    @ParameterizedTest
    @EnumSource
    void requestWhenItHasACardReachesTheUpstreamWithoutIt(Api api) {
        upstream.answers(
                200, "application/json", api.whole("with " + CARD + " done").getBytes(UTF_8));

        HttpResponse<String> answer = gateway.post(api.path, api.request("pay by " + CARD, false, ""));

        assertThat(new String(upstream.last().body(), UTF_8))
                .contains("pay by [card]")
                .doesNotContain("4111");
        assertThat(answer.body()).contains("with [card] done").doesNotContain("4111");
    }

    @ParameterizedTest
    @EnumSource
    void streamWhenACardIsSpreadOverFramesLeavesWithoutIt(Api api) {
        streams(api, api.stream("pay by ", "4111 11", "11 1111 1", "111", " please"));

        HttpResponse<String> answer = gateway.post(api.path, api.request("hello", true, ""));

        assertThat(api.text(answer.body())).isEqualTo("pay by [card] please");
        assertThat(answer.body()).doesNotContain("4111");
    }

    @ParameterizedTest
    @EnumSource
    void streamWhenACardIsAtItsEndLeavesWithoutIt(Api api) {
        streams(api, api.stream("pay by ", CARD));

        assertThat(api.text(
                        gateway.post(api.path, api.request("hello", true, "")).body()))
                .isEqualTo("pay by [card]");
    }

    @ParameterizedTest
    @EnumSource
    void requestWhenItIsMalformedIsAnErrorOfTheDialect(Api api) {
        HttpResponse<String> answer = gateway.post(api.path, "{\"model\":");

        assertThat(answer.statusCode()).isEqualTo(400);
        assertThat(api.error(JSON.readTree(answer.body()))).startsWith("the body is not valid JSON");
    }

    @ParameterizedTest
    @EnumSource
    void errorWhenItIsTheUpstreamsPassesOrIsReplaced(Api api) {
        String error = "{\"error\":{\"message\":\"no such model\"}}";
        upstream.answers(404, "application/json", error.getBytes(UTF_8));
        HttpResponse<String> passed = gateway.post(api.path, api.request("hello", false, ""));
        upstream.answers(404, "application/json", "{\"error\":\"bad <S9>\"}".getBytes(UTF_8));
        HttpResponse<String> replaced = gateway.post(api.path, api.request("hello", false, ""));

        assertThat(passed.statusCode()).isEqualTo(404);
        assertThat(passed.body()).isEqualTo(error);
        assertThat(replaced.statusCode()).isEqualTo(404);
        assertThat(api.error(JSON.readTree(replaced.body()))).contains("its own message is not passed on");
    }

    @ParameterizedTest
    @CsvSource({
        "/api/pull, {\"model\":\"x\"}",
        "/api/create, {\"model\":\"x\"}",
        "/api/delete, {\"model\":\"x\"}",
        "/api/copy, {\"source\":\"x\"}",
        "/api/push, {\"model\":\"x\"}",
        "/api/blobs/sha256:0, {}"
    })
    void requestWhenItWouldChangeOllamaIsRefused(String path, String body) {
        HttpResponse<String> answer = gateway.post(path, body);

        assertThat(answer.statusCode()).isEqualTo(404);
        assertThat(JSON.readTree(answer.body()).at("/error").asString("")).contains("not moderated");
        assertThat(upstream.received).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(strings = {"/api/tags", "/api/version", "/api/ps"})
    void requestWhenItAsksForOllamasStatePasses(String path) {
        upstream.answers(200, "application/json", "{\"models\":[]}".getBytes(UTF_8));

        assertThat(gateway.get(path).body()).isEqualTo("{\"models\":[]}");
        assertThat(upstream.last().uri()).isEqualTo(path);
    }

    @Test
    void embeddingsWhenATextIsHarmfulAreAnError() {
        upstream.answers(200, "application/json", "{\"model\":\"m\",\"embeddings\":[[0.5]]}".getBytes(UTF_8));

        assertThat(gateway.post("/api/embed", "{\"model\":\"m\",\"input\":[\"a\",\"b\"]}")
                        .body())
                .contains("0.5");
        HttpResponse<String> refused = gateway.post("/api/embed", "{\"model\":\"m\",\"input\":[\"a\",\"<S9>\"]}");
        assertThat(refused.statusCode()).isEqualTo(400);
        assertThat(refused.body()).isEqualTo("{\"error\":\"Not here.\"}");
    }

    @Test
    void countWhenATextIsHarmfulIsAnError() {
        upstream.answers(200, "application/json", "{\"input_tokens\":7}".getBytes(UTF_8));

        assertThat(gateway.post("/v1/messages/count_tokens", Api.ANTHROPIC.request("hello", false, ""))
                        .body())
                .isEqualTo("{\"input_tokens\":7}");
        assertThat(upstream.last().uri()).isEqualTo("/v1/messages/count_tokens");
        HttpResponse<String> refused =
                gateway.post("/v1/messages/count_tokens", Api.ANTHROPIC.request("<S9>", false, ""));
        assertThat(refused.statusCode()).isEqualTo(400);
        assertThat(refused.body())
                .isEqualTo(
                        "{\"type\":\"error\",\"error\":{\"type\":\"invalid_request_error\",\"message\":\"Not here.\"}}");
    }

    @Test
    void chatWhenItComesByLlamaStacksPathIsOpenAis() {
        upstream.says("fine");

        assertThat(gateway.post("/v1/openai/v1/chat/completions", Completions.request("hello"))
                        .body())
                .isEqualTo(Completions.whole("fine"));
        assertThat(upstream.last().uri()).isEqualTo("/v1/openai/v1/chat/completions");
        assertThat(gateway.post("/v1/openai/v1/moderations", "{\"input\":\"<S9>\"}")
                        .body())
                .contains("\"flagged\":true");
    }

    @Test
    void shieldWhenAMessageIsHarmfulReportsAViolation() {
        String safe =
                "{\"shield_id\":\"llama-guard\",\"messages\":[{\"role\":\"user\",\"content\":\"hello\"}],\"params\":{}}";

        assertThat(gateway.post("/v1/safety/run-shield", safe).body()).isEqualTo("{\"violation\":null}");
        assertThat(gateway.post("/v1/safety/run-shield", safe.replace("hello", "<S9>"))
                        .body())
                .isEqualTo("{\"violation\":{\"violation_level\":\"error\",\"user_message\":\"Not here.\","
                        + "\"metadata\":{\"violation_type\":\"S9\"}}}");
        assertThat(gateway.post("/v1/safety/run-shield", "{}").statusCode()).isEqualTo(400);
        assertThat(gateway.get("/v1/safety/run-shield").statusCode()).isEqualTo(405);
        assertThat(upstream.received).isEmpty();
    }

    @Test
    void guardrailWhenLiteLlmAsksIsTold() {
        assertThat(guardrail("request", "\"texts\":[\"hello\"]")).isEqualTo("{\"action\":\"NONE\"}");
        assertThat(guardrail("request", "\"texts\":[\"hello\",\"<S9>\"]"))
                .isEqualTo("{\"action\":\"BLOCKED\",\"blocked_reason\":\"Not here.\"}");
        assertThat(guardrail("response", "\"texts\":[\"take " + CARD + "\",\"hello\"]"))
                .isEqualTo("{\"action\":\"GUARDRAIL_INTERVENED\",\"texts\":[\"take [card]\",\"hello\"]}");
        assertThat(guardrail("request", "\"texts\":[],\"images\":[\"https://e/x.png\"]"))
                .contains("BLOCKED");
        assertThat(guardrail(
                        "response",
                        "\"texts\":[],\"tool_calls\":[{\"id\":\"1\",\"type\":\"function\",\"function\":{\"name\":\"f\","
                                + "\"arguments\":\"<S9>\"}}]"))
                .contains("BLOCKED");
        assertThat(guardrail(
                        "request",
                        "\"texts\":[\"hi\"],\"tools\":[{\"type\":\"function\",\"function\":"
                                + "{\"name\":\"f\",\"description\":\"<S9>\"}}]"))
                .contains("BLOCKED");
        assertThat(guardrail(
                        "request",
                        "\"texts\":[\"hi\"],\"structured_messages\":[{\"role\":\"user\",\"content\":\"hi\"},"
                                + "{\"role\":\"tool\",\"tool_call_id\":\"1\",\"content\":\"" + CARD + "\"}]"))
                .contains("BLOCKED");
        assertThat(gateway.post("/beta/litellm_basic_guardrail_api", "{\"texts\":[\"x\"]}")
                        .statusCode())
                .isEqualTo(400);
        assertThat(upstream.received).isEmpty();
    }

    private static String guardrail(String type, String more) {
        return gateway.post(
                        "/beta/litellm_basic_guardrail_api",
                        "{\"input_type\":\"" + type + "\",\"litellm_call_id\":\"1\",\"request_data\":{}," + more + "}")
                .body();
    }

    private static void streams(Api api, List<String> frames) {
        byte[] all = String.join("", frames).getBytes(UTF_8);
        List<byte[]> pieces = new ArrayList<>();
        for (int from = 0; from < all.length; from += 37) {
            pieces.add(Arrays.copyOfRange(all, from, Math.min(all.length, from + 37)));
        }
        upstream.streams(api.streamType, Flux.fromIterable(pieces));
    }
}
