package dev.corral.gateway.dialect.openai;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.corral.gateway.dialect.AnswerStream;
import dev.corral.gateway.dialect.GatewayError;
import dev.corral.gateway.dialect.ModeratedRequest;
import dev.corral.gateway.dialect.WireResponse;
import dev.corral.guardmodels.conversation.Conversation;
import dev.corral.guardmodels.conversation.Part.TextPart;
import dev.corral.guardmodels.conversation.Role;
import dev.corral.guardmodels.conversation.Turn;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.springframework.http.MediaType;

class OpenAiChatWritingTests {

    private final OpenAiChat dialect = new OpenAiChat(InstantSource.fixed(Instant.ofEpochSecond(1_700_000_000)));

    private final ModeratedRequest request = new ModeratedRequest(new Conversation(List.of()), "llama", false);

    @Test
    void refusalWhenWholeIsAnAnswerWithoutContent() {
        WireResponse response = dialect.refusal(request, "42", "I can't \"help\" with that.");

        assertThat(response.status()).isEqualTo(200);
        assertThat(response.contentType()).isEqualTo(MediaType.APPLICATION_JSON);
        assertThat(text(response.body())).isEqualTo("""
                {"id":"chatcmpl-42","object":"chat.completion","created":1700000000,"model":"llama","choices":[{"index":0,\
                "message":{"role":"assistant","content":null,"refusal":"I can't \\"help\\" with that."},"logprobs":null,\
                "finish_reason":"content_filter"}],"usage":{"prompt_tokens":0,"completion_tokens":0,"total_tokens":0}}""");
    }

    @Test
    void replyWhenWholeIsAnOrdinaryAnswer() {
        assertThat(text(dialect.reply(request, "42", "Call 112 – ä€😀").body())).isEqualTo("""
                {"id":"chatcmpl-42","object":"chat.completion","created":1700000000,"model":"llama","choices":[{"index":0,\
                "message":{"role":"assistant","content":"Call 112 – ä€😀","refusal":null},"logprobs":null,\
                "finish_reason":"stop"}],"usage":{"prompt_tokens":0,"completion_tokens":0,"total_tokens":0}}""");
    }

    @Test
    void refusalStreamWhenNothingWasSentIsAWholeStream() {
        assertThat(dialect.refusalStream(request, "42", "No.").stream().map(OpenAiChatWritingTests::text))
                .containsExactly(
                        frame("{\"role\":\"assistant\",\"content\":\"\"}", "null"),
                        frame("{\"refusal\":\"No.\"}", "null"),
                        frame("{}", "\"content_filter\""),
                        "data: [DONE]\n\n");
    }

    @Test
    void replyStreamWhenNothingWasSentIsAWholeStream() {
        assertThat(dialect.replyStream(request, "42", "Hi.").stream().map(OpenAiChatWritingTests::text))
                .containsExactly(
                        frame("{\"role\":\"assistant\",\"content\":\"\"}", "null"),
                        frame("{\"content\":\"Hi.\"}", "null"),
                        frame("{}", "\"stop\""),
                        "data: [DONE]\n\n");
    }

    @Test
    void refusalWhenReadBackIsWhatWasSaid() {
        AnswerStream stream = dialect.answerStream();
        dialect.refusalStream(request, "42", "No.").forEach(stream::accept);

        assertThat(stream.soFar().choices())
                .containsExactly(new Turn(Role.ASSISTANT, List.of(new TextPart("No.", "choices[0].delta.refusal"))));
        assertThat(dialect.readAnswer(dialect.refusal(request, "42", "No.").body())
                        .choices())
                .containsExactly(new Turn(Role.ASSISTANT, List.of(new TextPart("No.", "choices[0].message.refusal"))));
    }

    @Test
    void errorWhenItHasEverythingWritesTheEnvelopeAndWhenToComeBack() {
        WireResponse response = dialect.error(new GatewayError(
                503, "server_error", "guard_unavailable", "messages", "Try again.", Duration.ofMillis(1_001)));

        assertThat(response.status()).isEqualTo(503);
        assertThat(response.headers()).isEqualTo(Map.of("Retry-After", "2"));
        assertThat(text(response.body())).isEqualTo("""
                {"error":{"message":"Try again.","type":"server_error","param":"messages","code":"guard_unavailable"}}""");
    }

    @Test
    void errorWhenItHasLittleWritesNulls() {
        WireResponse response = dialect.error(GatewayError.invalidRequest(null, "No."));

        assertThat(response.headers()).isEmpty();
        assertThat(text(response.body())).isEqualTo("""
                {"error":{"message":"No.","type":"invalid_request_error","param":null,"code":null}}""");
    }

    @Test
    void errorFrameWhenInAStreamIsAnEventWithTheEnvelope() {
        assertThat(text(dialect.errorFrame(GatewayError.upstream("Gone.")))).isEqualTo("""
                data: {"error":{"message":"Gone.","type":"upstream_error","param":null,"code":null}}

                """);
    }

    private static String frame(String delta, String finishReason) {
        return "data: {\"id\":\"chatcmpl-42\",\"object\":\"chat.completion.chunk\",\"created\":1700000000,\"model\":\"llama\","
                + "\"choices\":[{\"index\":0,\"delta\":" + delta + ",\"logprobs\":null,\"finish_reason\":"
                + finishReason
                + "}]}\n\n";
    }

    private static String text(byte[] bytes) {
        return new String(bytes, UTF_8);
    }
}
