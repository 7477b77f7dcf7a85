package dev.corral.gateway;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.corral.gateway.testing.ScriptedGuard;
import dev.corral.gateway.testing.ScriptedUpstream;
import dev.corral.gateway.testing.TestGateway;
import java.net.http.HttpResponse;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import reactor.core.publisher.Flux;

/** Arguments of calls that are no JSON, or not the JSON that a tool takes: judged as the text that they are, and passed as such. */
class MalformedArgumentsTests {

    private static final ScriptedGuard guard = new ScriptedGuard();
    private static final ScriptedUpstream upstream = new ScriptedUpstream();
    private static TestGateway gateway;

    /** A call in each API that has calls; each of its arguments is cut short, or of the wrong kind. */
    enum Api {
        CHAT(
                "/v1/chat/completions",
                "text/event-stream",
                "{\"messages\":[{\"role\":\"user\",\"content\":\"hello\"},{\"role\":\"assistant\",\"tool_calls\":[{\"id\":\"1\","
                        + "\"type\":\"function\",\"function\":{\"name\":\"f\",\"arguments\":\"{\\\"a\\\": %s\"}}]},"
                        + "{\"role\":\"tool\",\"tool_call_id\":\"1\",\"content\":\"ok\"}]%s}",
                "{\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\",\"tool_calls\":[{\"id\":\"1\",\"type\":\"function\","
                        + "\"function\":{\"name\":\"f\",\"arguments\":\"{\\\"a\\\": %s\"}}]}}]}",
                List.of(
                        "data: {\"choices\":[{\"index\":0,\"delta\":{\"tool_calls\":[{\"index\":0,\"id\":\"1\",\"type\":\"function\","
                                + "\"function\":{\"name\":\"f\",\"arguments\":\"{\\\"a\\\": \"}}]}}]}\n\n",
                        "data: {\"choices\":[{\"index\":0,\"delta\":{\"tool_calls\":[{\"index\":0,\"function\":{\"arguments\":\"%s\"}}]}}]}\n\n",
                        "data: [DONE]\n\n")),
        RESPONSES(
                "/v1/responses",
                "text/event-stream",
                "{\"input\":[{\"role\":\"user\",\"content\":\"hello\"},{\"type\":\"function_call\",\"call_id\":\"1\",\"name\":\"f\","
                        + "\"arguments\":\"{\\\"a\\\": %s\"},{\"type\":\"function_call_output\",\"call_id\":\"1\",\"output\":\"ok\"}]%s}",
                "{\"output\":[{\"type\":\"function_call\",\"call_id\":\"1\",\"name\":\"f\",\"arguments\":\"{\\\"a\\\": %s\"}]}",
                List.of(
                        "data: {\"type\":\"response.output_item.added\",\"output_index\":0,\"item\":{\"type\":\"function_call\","
                                + "\"call_id\":\"1\",\"name\":\"f\",\"arguments\":\"\"}}\n\n",
                        "data: {\"type\":\"response.function_call_arguments.delta\",\"output_index\":0,\"delta\":\"{\\\"a\\\": \"}\n\n",
                        "data: {\"type\":\"response.function_call_arguments.delta\",\"output_index\":0,\"delta\":\"%s\"}\n\n")),
        MESSAGES(
                "/v1/messages",
                "text/event-stream",
                "{\"max_tokens\":9,\"messages\":[{\"role\":\"user\",\"content\":\"hello\"},{\"role\":\"assistant\",\"content\":["
                        + "{\"type\":\"tool_use\",\"id\":\"1\",\"name\":\"f\",\"input\":\"{\\\"a\\\": %s\"}]},{\"role\":\"user\","
                        + "\"content\":[{\"type\":\"tool_result\",\"tool_use_id\":\"1\",\"content\":\"ok\"}]}]%s}",
                "{\"type\":\"message\",\"content\":[{\"type\":\"tool_use\",\"id\":\"1\",\"name\":\"f\",\"input\":[\"{\\\"a\\\": %s\"]}]}",
                List.of(
                        "event: content_block_start\ndata: {\"type\":\"content_block_start\",\"index\":0,\"content_block\":{"
                                + "\"type\":\"tool_use\",\"id\":\"1\",\"name\":\"f\",\"input\":{}}}\n\n",
                        "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{"
                                + "\"type\":\"input_json_delta\",\"partial_json\":\"{\\\"a\\\": \"}}\n\n",
                        "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{"
                                + "\"type\":\"input_json_delta\",\"partial_json\":\"%s\"}}\n\n",
                        "event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n")),
        OLLAMA(
                "/api/chat",
                "application/x-ndjson",
                "{\"messages\":[{\"role\":\"user\",\"content\":\"hello\"},{\"role\":\"assistant\",\"content\":\"\",\"tool_calls\":[{"
                        + "\"function\":{\"name\":\"f\",\"arguments\":\"{\\\"a\\\": %s\"}}]},{\"role\":\"tool\",\"content\":\"ok\"}]%s}",
                "{\"message\":{\"role\":\"assistant\",\"content\":\"\",\"tool_calls\":[{\"function\":{\"name\":\"f\",\"arguments\":"
                        + "\"{\\\"a\\\": %s\"}}]},\"done\":true}",
                List.of(
                        "{\"message\":{\"role\":\"assistant\",\"content\":\"\",\"tool_calls\":[{\"function\":{\"name\":\"f\","
                                + "\"arguments\":\"{\\\"a\\\": %s\"}}]},\"done\":false}\n",
                        "{\"message\":{\"role\":\"assistant\",\"content\":\"\"},\"done\":true}\n")) {
            @Override
            String wholeOrStream(boolean stream) {
                return ",\"stream\":" + stream;
            }
        },
        LLAMA_STACK(
                "/v1/inference/chat-completion",
                "text/event-stream",
                "{\"messages\":[{\"role\":\"user\",\"content\":\"hello\"},{\"role\":\"assistant\",\"content\":\"\",\"tool_calls\":[{"
                        + "\"call_id\":\"1\",\"tool_name\":\"f\",\"arguments\":\"{\\\"a\\\": %s\"}]},{\"role\":\"tool\",\"call_id\":\"1\","
                        + "\"content\":\"ok\"}]%s}",
                "{\"completion_message\":{\"role\":\"assistant\",\"content\":\"\",\"tool_calls\":[{\"call_id\":\"1\","
                        + "\"tool_name\":\"f\",\"arguments\":\"{\\\"a\\\": %s\"}]}}",
                List.of(
                        "data: {\"event\":{\"event_type\":\"progress\",\"delta\":{\"type\":\"tool_call\",\"tool_call\":\"[f(a=\","
                                + "\"parse_status\":\"in_progress\"}}}\n\n",
                        "data: {\"event\":{\"event_type\":\"progress\",\"delta\":{\"type\":\"tool_call\",\"tool_call\":\"%s\","
                                + "\"parse_status\":\"failed\"}}}\n\n"));

        private final String path;
        private final String streamType;
        private final String request;
        private final String whole;
        private final List<String> frames;

        Api(String path, String streamType, String request, String whole, List<String> frames) {
            this.path = path;
            this.streamType = streamType;
            this.request = request;
            this.whole = whole;
            this.frames = List.copyOf(frames);
        }

        String wholeOrStream(boolean stream) {
            return stream ? ",\"stream\":true" : "";
        }

        String request(String arguments, boolean stream) {
            return request.formatted(arguments, wholeOrStream(stream));
        }

        String whole(String arguments) {
            return whole.formatted(arguments);
        }

        String stream(String arguments) {
            return String.join("", frames).formatted(arguments);
        }
    }

    @BeforeAll
    static void start() {
        gateway = TestGateway.start(guard, upstream, """
                policy: arguments
                version: 1
                block: { message: Stopped. }
                streaming: { window: 200 characters, first-window: 100 characters }
                """);
    }

    @AfterAll
    static void stop() {
        gateway.close();
        upstream.close();
    }

    @BeforeEach
    void reset() {
        upstream.reset();
    }

    @ParameterizedTest
    @EnumSource
    void requestWhenArgumentsAreMalformedIsJudgedAsText(Api api) {
        HttpResponse<String> answer = gateway.post(api.path, api.request("harm <S9>", false));

        assertThat(answer.headers().firstValue("x-corral-decision")).contains("block");
        assertThat(upstream.received).isEmpty();
    }

    @ParameterizedTest
    @EnumSource
    void requestWhenMalformedArgumentsAreHarmlessGoesOnByteForByte(Api api) {
        upstream.answers(200, "application/json", api.whole("fine").getBytes(UTF_8));
        String request = api.request("fine", false);

        gateway.post(api.path, request);

        assertThat(new String(upstream.last().body(), UTF_8)).isEqualTo(request);
    }

    @ParameterizedTest
    @EnumSource
    void answerWhenArgumentsAreMalformedIsJudgedAsText(Api api) {
        upstream.answers(200, "application/json", api.whole("harm <S9>").getBytes(UTF_8));

        HttpResponse<String> answer = gateway.post(api.path, api.request("fine", false));

        assertThat(answer.headers().firstValue("x-corral-decision")).contains("block");
        assertThat(answer.body()).doesNotContain("harm", "tool_calls\":[{", "tool_use");
    }

    @ParameterizedTest
    @EnumSource
    void answerWhenMalformedArgumentsAreHarmlessPassesByteForByte(Api api) {
        upstream.answers(200, "application/json", api.whole("fine").getBytes(UTF_8));

        assertThat(gateway.post(api.path, api.request("fine", false)).body()).isEqualTo(api.whole("fine"));
    }

    @ParameterizedTest
    @EnumSource
    void streamWhenArgumentsAreMalformedIsJudgedAsText(Api api) {
        upstream.streams(api.streamType, Flux.just(api.stream("harm <S9>").getBytes(UTF_8)));

        HttpResponse<String> answer = gateway.post(api.path, api.request("fine", true));

        assertThat(answer.body()).contains("Stopped.").doesNotContain("harm", "{\\\"a\\\"");
    }

    @ParameterizedTest
    @EnumSource
    void streamWhenMalformedArgumentsAreHarmlessPassesByteForByte(Api api) {
        upstream.streams(api.streamType, Flux.just(api.stream("fine").getBytes(UTF_8)));

        assertThat(gateway.post(api.path, api.request("fine", true)).body()).isEqualTo(api.stream("fine"));
    }
}
