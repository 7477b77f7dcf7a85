package dev.corral.gateway.dialect.openai;

import static dev.corral.gateway.testing.Quoted.frame;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.corral.gateway.dialect.AnswerStream;
import dev.corral.gateway.dialect.DialectException;
import dev.corral.gateway.dialect.FrameContent;
import dev.corral.gateway.dialect.Words;
import dev.corral.guardmodels.conversation.Part;
import dev.corral.guardmodels.conversation.Part.OpaquePart;
import dev.corral.guardmodels.conversation.Part.TextPart;
import dev.corral.guardmodels.conversation.Part.ToolCallPart;
import dev.corral.guardmodels.conversation.Role;
import dev.corral.guardmodels.conversation.Turn;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

class OpenAiChatStreamTests {

    private static final JsonMapper JSON = JsonMapper.shared();

    private final OpenAiChat dialect = new OpenAiChat(InstantSource.fixed(Instant.ofEpochSecond(1_700_000_000)));

    private final AnswerStream stream = dialect.answerStream();

    @Test
    void acceptWhenTheStreamIsOrdinaryGathersItsText() {
        assertThat(stream.accept(delta(0, "'role':'assistant','content':''"))).isEqualTo(FrameContent.of(0));
        assertThat(stream.accept(delta(0, "'content':'Hel'"))).isEqualTo(FrameContent.of(3));
        assertThat(stream.accept(delta(0, "'content':'lo'"))).isEqualTo(FrameContent.of(2));
        assertThat(stream.accept(frame("{'choices':[{'index':0,'delta':{},'finish_reason':'stop'}],'usage':null}")))
                .isEqualTo(FrameContent.of(0));
        assertThat(stream.accept(frame("{'choices':[],'usage':{'prompt_tokens':1,'completion_tokens':2}}")))
                .isEqualTo(FrameContent.of(0));
        assertThat(stream.accept(frame("[DONE]"))).isEqualTo(FrameContent.last());

        assertThat(stream.soFar().choices()).containsExactly(turn(new TextPart("Hello", "choices[0].delta.content")));
    }

    static Stream<Arguments> frames() {
        return Stream.of(
                Arguments.of(
                        delta(0, "'reasoning_content':'hm'"),
                        2,
                        List.of(new TextPart("hm", "choices[0].delta.reasoning_content"))),
                Arguments.of(
                        delta(0, "'reasoning':'hm','content':null"),
                        2,
                        List.of(new TextPart("hm", "choices[0].delta.reasoning"))),
                Arguments.of(delta(0, "'refusal':'No.'"), 3, List.of(new TextPart("No.", "choices[0].delta.refusal"))),
                Arguments.of(
                        delta(
                                0,
                                "'tool_calls':[{'index':0,'id':'1','type':'function','function':{'name':'f','arguments':'{}'}}]"),
                        3,
                        List.of(new ToolCallPart("f", "{}", "choices[0].delta.tool_calls[0]"))),
                Arguments.of(
                        delta(0, "'audio':{'data':'AA'}"),
                        1,
                        List.of(new OpaquePart("field 'audio'", "choices[0].delta.audio"))),
                Arguments.of(
                        frame("{'choices':[{'index':0,'delta':{'content':'a'},'novelty':'b'}]}"),
                        2,
                        List.of(
                                new TextPart("a", "choices[0].delta.content"),
                                new OpaquePart("field 'novelty'", "choices[0].novelty"))),
                Arguments.of(
                        frame("{'error':{'message':'overloaded','code':500}}"),
                        10,
                        List.of(new TextPart("overloaded", "error.message"))),
                Arguments.of(
                        "event: error\ndata: {\"error\":\ndata: \"broken\"}\n\n".getBytes(UTF_8),
                        6,
                        List.of(new TextPart("broken", "error"))),
                Arguments.of(
                        frame("{'choices':[],'citations':['x']}"),
                        1,
                        List.of(new OpaquePart("field 'citations'", "citations"))),
                Arguments.of(
                        (": " + "x".repeat(70) + "\n\n").getBytes(UTF_8),
                        72,
                        List.of(new TextPart(": " + "x".repeat(70), "a line of the stream that is not data"))));
    }

    @ParameterizedTest
    @MethodSource("frames")
    void acceptWhenAFrameHoldsAnythingToJudgeCountsIt(byte[] frame, int newCharacters, List<Part> parts) {
        assertThat(stream.accept(frame).newCharacters()).isEqualTo(newCharacters);
        assertThat(stream.soFar().choices()).containsExactly(new Turn(Role.ASSISTANT, parts));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                ": ping\n\n",
                ":\r\n\r\n",
                "\n",
                "event: ping\n\n",
                "id: 7\nretry: 10\n\n",
                "data:\n\n",
                "data\n\n",
                ""
            })
    void acceptWhenAFrameIsForTheConnectionOnlyIsEmpty(String frame) {
        assertThat(stream.accept(frame.getBytes(UTF_8))).isEqualTo(FrameContent.of(0));
        assertThat(stream.soFar().choices()).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{'choices':[{'index':0,'delta':{'content':'a",
                "{'choices':[]}{'choices':[]}",
                "{'choices':[{'index':0,'delta':{'content':'a','content':'b'}}]}",
                "[DONE] and more",
                "[]",
                "text",
                "{'choices':{}}",
                "{'choices':[{'index':4096}]}"
            })
    void acceptWhenAFrameCannotBeReadThrows(String data) {
        assertThatExceptionOfType(DialectException.class)
                .isThrownBy(() -> stream.accept(frame(data)))
                .withMessageStartingWith("the upstream's answer cannot be read: ")
                .satisfies(e -> assertThat(e.error().status()).isEqualTo(502));
    }

    @Test
    void acceptWhenToolCallsComeInFragmentsJoinsThemByIndex() {
        stream.accept(delta(0, "'tool_calls':[{'index':0,'id':'1','function':{'name':'f','arguments':''}}]"));
        stream.accept(delta(0, "'tool_calls':[{'index':1,'id':'2','function':{'name':'g','arguments':'x'}}]"));
        stream.accept(delta(0, "'tool_calls':[{'index':0,'function':{'arguments':'{\\u005cu00'}}]"));
        stream.accept(
                delta(
                        0,
                        "'tool_calls':[{'index':0,'function':{'arguments':'62omb}'}},{'index':1,'function':{'arguments':'y'}}]"));

        assertThat(stream.soFar().choices())
                .containsExactly(turn(
                        new ToolCallPart("f", "{\\u0062omb}", "choices[0].delta.tool_calls[0]"),
                        new TextPart("{bomb}", "choices[0].delta.tool_calls[0]"),
                        new ToolCallPart("g", "xy", "choices[0].delta.tool_calls[1]")));
    }

    @Test
    void acceptWhenEveryToolCallHasIndexZeroTellsThemApartById() {
        stream.accept(delta(0, "'tool_calls':[{'index':0,'id':'1','function':{'name':'f','arguments':'a'}}]"));
        stream.accept(delta(0, "'tool_calls':[{'index':0,'id':'2','function':{'name':'g','arguments':'b'}}]"));
        stream.accept(delta(0, "'tool_calls':[{'index':0,'function':{'arguments':'c'}}]"));

        assertThat(stream.soFar().choices())
                .containsExactly(turn(
                        new ToolCallPart("f", "a", "choices[0].delta.tool_calls[0]"),
                        new ToolCallPart("g", "bc", "choices[0].delta.tool_calls[1]")));
    }

    @Test
    void acceptWhenToolCallsHaveNoIndexTellsThemApartByIdOrName() {
        stream.accept(delta(0, "'tool_calls':[{'id':'1','function':{'name':'f','arguments':'a'}}]"));
        stream.accept(delta(0, "'tool_calls':[{'function':{'arguments':'b'}}]"));
        stream.accept(
                delta(
                        0,
                        "'tool_calls':[{'id':'2','function':{'name':'g','arguments':'c'}},{'function':{'name':'h','arguments':'d'}}]"));

        assertThat(stream.soFar().choices().getFirst().parts())
                .extracting(part -> ((ToolCallPart) part).name() + ((ToolCallPart) part).arguments())
                .containsExactly("fab", "gc", "hd");
    }

    @Test
    void acceptWhenChoicesAndCallsComeByTurnsHearsEachByItself() {
        assertThat(stream.accept(
                        frame("{'choices':[{'index':0,'delta':{'content':'a'}},{'index':1,'delta':{'content':'bcd',"
                                + "'tool_calls':[{'index':1,'function':{'name':'f','arguments':'{'}}]}}]}")))
                .isEqualTo(
                        new FrameContent(Map.of("", 1, "choices[1]", 3, "choices[1].delta.tool_calls[0]", 2), false));
    }

    @Test
    void acceptWhenLogprobsSpellTheTextCountsItOnce() {
        assertThat(
                        stream.accept(
                                frame(
                                        "{'choices':[{'index':0,'delta':{'content':'ab'},'logprobs':{'content':[{'token':'ab','bytes':[97,98]}]}}]}")))
                .isEqualTo(FrameContent.of(2));
        assertThat(stream.accept(
                        frame("{'choices':[{'index':0,'delta':{},'logprobs':{'content':[{'token':'xyz'}]}}]}")))
                .isEqualTo(FrameContent.of(3));
        assertThat(stream.soFar().choices().getFirst().parts())
                .containsExactly(
                        new TextPart("ab", "choices[0].delta.content"),
                        new TextPart("abxyz", "choices[0].logprobs.content"));
    }

    @Test
    void acceptWhenASurrogatePairIsCutIntoTwoFramesJoinsIt() {
        stream.accept(delta(0, "'content':'\\ud83d'"));
        assertThat(stream.soFar().choices()).containsExactly(turn(new TextPart("\uFFFD", "choices[0].delta.content")));
        stream.accept(delta(0, "'content':'\\ude00'"));
        assertThat(stream.soFar().choices()).containsExactly(turn(new TextPart("😀", "choices[0].delta.content")));
    }

    @Test
    void soFarWhenAnAnswerIsStreamedInAnyFragmentsEqualsTheWholeAnswer() {
        for (int seed = 0; seed < 500; seed++) {
            Random random = new Random(seed);
            ArrayNode whole = JSON.createArrayNode();
            List<List<ObjectNode>> deltas = new ArrayList<>();
            for (int choice = random.nextInt(3); choice >= 0; choice--) {
                ObjectNode message =
                        whole.addObject().put("index", whole.size() - 1).putObject("message");
                List<ObjectNode> fragments = new ArrayList<>();
                for (String field : List.of("reasoning_content", "content", "refusal")) {
                    String text = text(random);
                    if (!text.isEmpty()) {
                        message.put(field, text);
                        fragments(random, text)
                                .forEach(part ->
                                        fragments.add(JSON.createObjectNode().put(field, part)));
                    }
                }
                int calls = random.nextInt(3);
                for (int call = 0; call < calls; call++) {
                    String arguments = text(random);
                    ArrayNode list = message.withArray("tool_calls");
                    list.addObject()
                            .put("index", call)
                            .put("id", "call" + call)
                            .putObject("function")
                            .put("name", "f" + call)
                            .put("arguments", arguments);
                    List<String> parts = new ArrayList<>(fragments(random, arguments));
                    for (int i = 0; i < Math.max(1, parts.size()); i++) {
                        ObjectNode delta = JSON.createObjectNode();
                        ObjectNode fragment =
                                delta.putArray("tool_calls").addObject().put("index", call);
                        ObjectNode function = fragment.putObject("function");
                        if (i == 0) {
                            fragment.put("id", "call" + call);
                            function.put("name", "f" + call);
                        }
                        if (i < parts.size()) {
                            function.put("arguments", parts.get(i));
                        }
                        fragments.add(delta);
                    }
                }
                deltas.add(fragments);
            }
            ObjectNode body = JSON.createObjectNode();
            body.set("choices", whole);

            AnswerStream stream = dialect.answerStream();
            List<String> sizes = new ArrayList<>();
            int counted = 0;
            while (deltas.stream().anyMatch(list -> !list.isEmpty())) {
                int choice = random.nextInt(deltas.size());
                if (!deltas.get(choice).isEmpty()) {
                    ObjectNode chunk = JSON.createObjectNode();
                    chunk.putArray("choices")
                            .addObject()
                            .put("index", choice)
                            .set("delta", deltas.get(choice).removeFirst());
                    counted += stream.accept(("data: " + JSON.writeValueAsString(chunk) + "\r\n\r\n").getBytes(UTF_8))
                            .newCharacters();
                    sizes.add(chunk.toString());
                }
            }

            List<Turn> expected =
                    dialect.readAnswer(JSON.writeValueAsBytes(body)).choices();
            List<Turn> streamed = stream.soFar().choices();
            assertThat(said(streamed)).as("seed %d: %s", seed, sizes).isEqualTo(said(expected));
            assertThat(counted).as("seed %d", seed).isEqualTo(characters(streamed));
        }
    }

    @Test
    void refusalFramesWhenTextWasSentEndsTheChoiceInTheUpstreamsName() {
        stream.accept(delta(0, "'role':'assistant'"));
        stream.passed();
        stream.accept(delta(0, "'content':'bad'"));

        List<JsonNode> frames = written(stream.refusalFrames("No."));

        assertThat(frames)
                .containsExactly(
                        chunk(0, "{'refusal':'No.'}", "null"),
                        chunk(0, "{}", "'content_filter'"),
                        JSON.readTree("\"[DONE]\""));
    }

    @Test
    void refusalFramesWhenTheRoleWasHeldBackSaysIt() {
        stream.accept(delta(0, "'role':'assistant','content':'bad'"));

        assertThat(written(stream.refusalFrames("No.")).getFirst())
                .isEqualTo(chunk(0, "{'role':'assistant','content':''}", "null"));
    }

    @Test
    void refusalFramesWhenAChoiceHasEndedForTheClientLeavesItAlone() {
        stream.accept(delta(0, "'role':'assistant','content':'fine'"));
        stream.accept(frame("{'choices':[{'index':0,'delta':{},'finish_reason':'stop'}]}"));
        stream.accept(delta(1, "'role':'assistant'"));
        stream.passed();
        stream.accept(delta(1, "'content':'bad'"));
        stream.accept(frame("{'choices':[{'index':1,'delta':{},'finish_reason':'stop'}]}"));

        assertThat(written(stream.refusalFrames("No.")))
                .extracting(frame -> frame.path("choices").path(0).path("index").asInt(-1))
                .containsExactly(1, 1, -1);
    }

    @Test
    void refusalFramesWhenTheEndWasHeldBackEndsTheChoice() {
        stream.accept(delta(0, "'role':'assistant'"));
        stream.passed();
        stream.accept(delta(0, "'content':'bad'"));
        stream.accept(frame("{'choices':[{'index':0,'delta':{},'finish_reason':'stop'}]}"));
        stream.accept(frame("[DONE]"));

        assertThat(written(stream.refusalFrames("No."))).hasSize(3);
    }

    @Test
    void refusalFramesWhenNothingCameIsAnAnswerOfItsOwn() {
        List<JsonNode> frames = written(stream.refusalFrames("No."));

        assertThat(frames).hasSize(4);
        assertThat(frames.getFirst().path("id").stringValue()).isEqualTo("chatcmpl-corral");
        assertThat(frames.getFirst().path("created").asLong()).isEqualTo(1_700_000_000);
    }

    @Test
    void refusalFramesWhenTheStreamIsOverForTheClientIsNothing() {
        stream.accept(frame("[DONE]"));
        stream.passed();

        assertThat(stream.refusalFrames("No.")).isEmpty();
    }

    @Test
    void replyFramesWhenTextWasSentGoOnWithTheText() {
        stream.accept(delta(0, "'role':'assistant'"));
        stream.passed();
        stream.accept(delta(0, "'content':'bad'"));

        assertThat(written(stream.replyFrames("Call 112.")))
                .containsExactly(
                        chunk(0, "{'content':'Call 112.'}", "null"),
                        chunk(0, "{}", "'stop'"),
                        JSON.readTree("\"[DONE]\""));
    }

    private static byte[] delta(int index, String fields) {
        return frame(
                "{'id':'chatcmpl-up','object':'chat.completion.chunk','created':17,'model':'llama','choices':[{'index':"
                        + index + ",'delta':{" + fields + "},'logprobs':null,'finish_reason':null}]}");
    }

    private static JsonNode chunk(int index, String delta, String finishReason) {
        return JSON.readTree(
                ("{'id':'chatcmpl-up','object':'chat.completion.chunk','created':17,'model':'llama','choices':[{'index':"
                                + index + ",'delta':" + delta + ",'logprobs':null,'finish_reason':" + finishReason
                                + "}]}")
                        .replace('\'', '"'));
    }

    /** Frames as a client reads them; the end as a text. */
    private static List<JsonNode> written(List<byte[]> frames) {
        return frames.stream()
                .map(frame -> new String(frame, UTF_8))
                .peek(frame -> assertThat(frame).startsWith("data: ").endsWith("\n\n"))
                .map(frame -> frame.substring(6).strip())
                .map(data -> JSON.readTree(data.equals("[DONE]") ? "\"[DONE]\"" : data))
                .toList();
    }

    private static String text(Random random) {
        StringBuilder text = new StringBuilder();
        for (int i = random.nextInt(12); i > 0; i--) {
            text.append(List.of("a", "ß", "€", "😀", "\n", "\"", "{", "\\").get(random.nextInt(8)));
        }
        return text.toString();
    }

    private static List<String> fragments(Random random, String text) {
        List<String> fragments = new ArrayList<>();
        int at = 0;
        while (at < text.length()) {
            int to = text.offsetByCodePoints(at, 1 + random.nextInt(text.codePointCount(at, text.length())));
            fragments.add(text.substring(at, to));
            at = to;
        }
        return fragments;
    }

    /** What was said, without the places: those of calls depend on the order in which they came. */
    private static List<List<String>> said(List<Turn> turns) {
        return turns.stream()
                .map(turn -> turn.parts().stream()
                        .map(part -> switch (part) {
                            case TextPart text -> text.where().replaceAll(".*\\.", "") + ": " + text.text();
                            case ToolCallPart call -> "call " + call.name() + ": " + call.arguments();
                            default -> part.toString();
                        })
                        .sorted()
                        .toList())
                .toList();
    }

    private static int characters(List<Turn> turns) {
        return turns.stream()
                .flatMap(turn -> turn.parts().stream())
                .mapToInt(Words::size)
                .sum();
    }

    private static Turn turn(Part... parts) {
        return new Turn(Role.ASSISTANT, List.of(parts));
    }
}
