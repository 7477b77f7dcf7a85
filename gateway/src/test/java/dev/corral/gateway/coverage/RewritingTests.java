package dev.corral.gateway.coverage;

import static org.assertj.core.api.Assertions.assertThat;

import dev.corral.gateway.coverage.Surface.Way;
import dev.corral.gateway.dialect.AnswerStream;
import dev.corral.gateway.dialect.Dialect;
import dev.corral.gateway.dialect.DialectException;
import dev.corral.gateway.dialect.Dialects;
import dev.corral.gateway.dialect.FrameRedactor;
import dev.corral.gateway.dialect.ModeratedRequest;
import dev.corral.gateway.dialect.Redactor;
import dev.corral.gateway.dialect.WireResponse;
import dev.corral.gateway.testing.ScriptedGuard;
import dev.corral.gateway.testing.TestGateway;
import dev.corral.guardmodels.conversation.Conversation;
import dev.corral.guardmodels.conversation.Part;
import dev.corral.guardmodels.conversation.Turn;
import dev.corral.policies.pattern.Redaction;
import dev.corral.policies.policy.ContentSource;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.springframework.http.HttpMethod;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/** What is written is what was read, in every API and for a text in each of its places; and what the gateway says, it reads. */
class RewritingTests {

    private static final int MESSAGES = 200;
    private static final List<String> ODD =
            List.of("word", " ", "é", "\uD83D\uDE00", "\n", "\"", "\\", "\\u0041", "\u2028", "{}", "data: ", "</s>");

    private static final Redactor NOTHING = new Redactor() {
        @Override
        public Redaction redaction(String text, ContentSource source) {
            return new Redaction(List.of());
        }

        @Override
        public int holdBack() {
            return 0;
        }
    };

    private static Dialects dialects;

    @BeforeAll
    static void assemble() {
        try (TestGateway gateway = TestGateway.start(new ScriptedGuard(), Map.of())) {
            dialects = gateway.bean(Dialects.class);
        }
    }

    static Stream<Surface> requests() {
        return surfaces(Way.REQUEST);
    }

    static Stream<Surface> answers() {
        return surfaces(Way.ANSWER);
    }

    static Stream<Surface> events() {
        return surfaces(Way.EVENT);
    }

    private static Stream<Surface> surfaces(Way way) {
        return Surface.all().stream().filter(surface -> surface.way() == way && dialect(surface) != null);
    }

    private static Dialect dialect(Surface surface) {
        return dialects.of(HttpMethod.POST, surface.path()).orElse(null);
    }

    @ParameterizedTest
    @MethodSource("requests")
    void redactRequestWhenNothingIsTakenOutSaysTheSame(Surface surface) {
        Dialect dialect = dialect(surface);
        Random random = new Random(1);
        int read = 0;
        for (Place place : surface.places()) {
            byte[] body = surface.request(place, text(random));
            if (!reads(dialect, body)) {
                continue;
            }
            read++;
            byte[] again = dialect.redactRequest(body, NOTHING);
            assertThat(spelledOnce(json(again))).as(place.name()).isEqualTo(spelledOnce(json(body)));
            assertThat(dialect.read(again))
                    .as(place.name())
                    .isEqualTo(dialect.read(spelledOnce(json(body)).toString().getBytes(StandardCharsets.UTF_8)));
        }
        assertThat(read).isPositive();
    }

    @ParameterizedTest
    @MethodSource("answers")
    void redactAnswerWhenNothingIsTakenOutSaysTheSame(Surface surface) {
        Dialect dialect = dialect(surface);
        Random random = new Random(2);
        for (Place place : rewritten(surface)) {
            byte[] body = surface.sent(place, text(random));
            assertThat(spelledOnce(json(dialect.redactAnswer(body, NOTHING))))
                    .as(place.name())
                    .isEqualTo(spelledOnce(json(body)));
        }
    }

    @ParameterizedTest
    @MethodSource("events")
    void redactFramesWhenNothingIsTakenOutSaysTheSame(Surface surface) {
        Dialect dialect = dialect(surface);
        Random random = new Random(3);
        for (Place place : rewritten(surface)) {
            byte[] frame = surface.sent(place, text(random));
            FrameRedactor redactor = dialect.frameRedactor(NOTHING);
            List<byte[]> frames = new ArrayList<>(redactor.redact(List.of(frame)));
            frames.addAll(redactor.end());

            assertThat(frames.stream().map(each -> spelledOnce(value(dialect, each))))
                    .as(place.name())
                    .containsExactly(spelledOnce(value(dialect, frame)));
        }
    }

    private static boolean reads(Dialect dialect, byte[] body) {
        try {
            dialect.read(body);
            return true;
        } catch (DialectException _) {
            return false;
        }
    }

    private static List<Place> rewritten(Surface surface) {
        return surface.places().stream()
                .filter(place -> !place.path().contains("logprobs"))
                .toList();
    }

    /** Log probabilities spell texts once more, and are not written anew; to ask for some is not to spell. */
    private static JsonNode spelledOnce(JsonNode value) {
        if (value instanceof ArrayNode list) {
            list.values().forEach(RewritingTests::spelledOnce);
        } else if (value instanceof ObjectNode object) {
            JsonNode tokens = object.path("logprobs");
            if (tokens.isArray() || tokens.isNull() || tokens.has("content") || tokens.isEmpty()) {
                object.remove("logprobs");
            }
            object.values().forEach(RewritingTests::spelledOnce);
        }
        return value;
    }

    private static JsonNode value(Dialect dialect, byte[] frame) {
        return dialect.value(frame).orElseThrow();
    }

    @Test
    void answersWhenTheGatewayWritesThemAreReadAsWhatTheySay() {
        Random random = new Random(4);
        ModeratedRequest request = new ModeratedRequest(new Conversation(List.of()), "m", true);
        List<Dialect> streaming =
                surfaces(Way.EVENT).map(RewritingTests::dialect).toList();
        for (int i = 0; i < MESSAGES; i++) {
            String message = text(random).asString();
            for (Dialect dialect : streaming) {
                for (WireResponse whole :
                        List.of(dialect.reply(request, "1", message), dialect.refusal(request, "1", message))) {
                    assertThat(said(dialect.readAnswer(whole.body()).choices())).isEqualTo(message);
                }
                for (List<byte[]> frames : List.of(
                        dialect.replyStream(request, "1", message), dialect.refusalStream(request, "1", message))) {
                    AnswerStream stream = dialect.answerStream();
                    dialect.frames(1 << 20)
                            .split(joined(frames).getBytes(StandardCharsets.UTF_8))
                            .forEach(stream::accept);
                    assertThat(said(stream.soFar().choices())).isEqualTo(message);
                }
            }
        }
    }

    private static String said(List<Turn> turns) {
        return String.join(
                "",
                turns.stream()
                        .flatMap(turn -> turn.parts().stream())
                        .map(part -> part instanceof Part.TextPart text ? text.text() : part.toString())
                        .toList());
    }

    private static JsonNode text(Random random) {
        StringBuilder text = new StringBuilder("text");
        for (int i = random.nextInt(8); i >= 0; i--) {
            text.append(ODD.get(random.nextInt(ODD.size())));
        }
        return JsonNodeFactory.instance.stringNode(text.toString());
    }

    private static JsonNode json(byte[] body) {
        return JsonMapper.shared().readTree(body);
    }

    private static String joined(List<byte[]> frames) {
        ByteArrayOutputStream joined = new ByteArrayOutputStream();
        frames.forEach(joined::writeBytes);
        return joined.toString(StandardCharsets.UTF_8);
    }
}
