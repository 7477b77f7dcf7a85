package dev.corral.gateway.dialect.llamastack;

import static dev.corral.gateway.testing.Quoted.frame;
import static dev.corral.gateway.testing.Quoted.json;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.corral.gateway.dialect.AnswerStream;
import dev.corral.gateway.dialect.DialectException;
import dev.corral.gateway.dialect.FrameContent;
import dev.corral.gateway.dialect.ModeratedRequest;
import dev.corral.gateway.dialect.VerdictRequest;
import dev.corral.guardmodels.conversation.Part;
import dev.corral.guardmodels.conversation.Part.ImagePart;
import dev.corral.guardmodels.conversation.Part.OpaquePart;
import dev.corral.guardmodels.conversation.Part.TextPart;
import dev.corral.guardmodels.conversation.Part.ToolCallPart;
import dev.corral.guardmodels.conversation.Part.ToolDefinitionPart;
import dev.corral.guardmodels.conversation.Part.ToolResultPart;
import dev.corral.guardmodels.conversation.Role;
import dev.corral.guardmodels.conversation.Turn;
import dev.corral.policies.policy.Direction;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class LlamaStackInferenceTests {

    private final LlamaStackInference chat = new LlamaStackInference(LlamaStackApi.CHAT);
    private final LlamaStackInference completion = new LlamaStackInference(LlamaStackApi.COMPLETION);

    @Test
    void readWhenAChatUsesEverythingKeepsAllTexts() {
        ModeratedRequest request = chat.read(json("""
                {'model_id':'llama','stream':true,'sampling_params':{'strategy':{'type':'greedy'}},
                 'tools':[{'tool_name':'f','description':'Does it.'}],'response_format':{'type':'grammar','bnf':{'a':'b'}},
                 'messages':[
                  {'role':'system','content':'Be kind.'},
                  {'role':'user','content':[{'type':'text','text':'what'},{'type':'image','image':{'url':{'uri':'https://e/x'}}}],'context':'more'},
                  {'role':'assistant','content':'','stop_reason':'end_of_message','tool_calls':[{'call_id':'1','tool_name':'f','arguments':{'a':'b'}}]},
                  {'role':'tool','call_id':'1','tool_name':'f','content':'found'}]}"""));

        assertThat(request.model()).isEqualTo("llama");
        assertThat(request.stream()).isTrue();
        assertThat(request.conversation().turns())
                .containsExactly(
                        new Turn(
                                Role.SYSTEM,
                                List.of(
                                        new ToolDefinitionPart(
                                                "f", "{\"tool_name\":\"f\",\"description\":\"Does it.\"}", "tools[0]"),
                                        new TextPart(
                                                "{\"type\":\"grammar\",\"bnf\":{\"a\":\"b\"}}", "response_format"))),
                        new Turn(Role.SYSTEM, List.of(new TextPart("Be kind.", "messages[0].content"))),
                        new Turn(
                                Role.USER,
                                List.of(
                                        new TextPart("what", "messages[1].content[0].text"),
                                        new ImagePart("https://e/x", "messages[1].content[1].image"),
                                        new TextPart("more", "messages[1].context"))),
                        new Turn(
                                Role.ASSISTANT,
                                List.of(
                                        new TextPart("", "messages[2].content"),
                                        new ToolCallPart("f", "{\"a\":\"b\"}", "messages[2].tool_calls[0]"))),
                        new Turn(Role.TOOL, List.of(new ToolResultPart("found", "messages[3].content", "f"))));
    }

    @Test
    void readWhenTextIsToBeCompletedKeepsIt() {
        assertThat(completion
                        .read(json("{'model_id':'llama','content':'once','novelty':'x'}"))
                        .conversation()
                        .turns())
                .containsExactly(
                        new Turn(Role.SYSTEM, List.of(new OpaquePart("field 'novelty'", "novelty"))),
                        new Turn(Role.USER, List.of(new TextPart("once", "content"))));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{}",
                "{'messages':[]}",
                "{'messages':[{'role':'user','content':7}]}",
                "{'messages':[{'role':'god','content':'x'}]}",
                "{'messages':[{'role':'user','content':'x','Content':'y'}]}"
            })
    void readWhenAChatIsMalformedRefusesIt(String body) {
        assertThatExceptionOfType(DialectException.class)
                .isThrownBy(() -> chat.read(json(body)))
                .satisfies(e -> assertThat(e.error().status()).isEqualTo(400));
    }

    static Stream<Arguments> answers() {
        return Stream.of(
                Arguments.of(
                        "{'completion_message':{'role':'assistant','content':'a','stop_reason':'end_of_turn','tool_calls':[{'call_id':'1','tool_name':'f','arguments':'{}'}]},'logprobs':null,'metrics':[{'metric':'tokens','value':1,'unit':null}]}",
                        List.of(
                                new TextPart("a", "content"),
                                new ToolCallPart("f", "{}", "completion_message.tool_calls"))),
                Arguments.of("{'content':'a','stop_reason':'end_of_turn'}", List.of(new TextPart("a", "content"))),
                Arguments.of(
                        "{'content':'ab','logprobs':[{'logprobs_by_token':{'a':-1}},{'logprobs_by_token':{'b':-1}}]}",
                        List.of(new TextPart("ab", "content"))),
                Arguments.of(
                        "{'content':'ab','logprobs':[{'logprobs_by_token':{'x':-1}}]}",
                        List.of(new TextPart("ab", "content"), new TextPart("x", "logprobs"))),
                Arguments.of("{'detail':'no such model'}", List.of(new TextPart("no such model", "detail"))),
                Arguments.of(
                        "{'content':{'type':'image','image':{}},'novelty':'x'}",
                        List.of(
                                new OpaquePart("item of type 'image'", "content"),
                                new OpaquePart("field 'novelty'", "novelty"))));
    }

    @ParameterizedTest
    @MethodSource("answers")
    void readAnswerWhenItIsWholeKeepsAllTexts(String body, List<Part> parts) {
        assertThat(chat.readAnswer(json(body)).choices()).containsExactly(new Turn(Role.ASSISTANT, parts));
    }

    @Test
    void acceptWhenAChatIsStreamedGathersItsTexts() {
        AnswerStream stream = chat.answerStream();

        assertThat(stream.accept(event("start", "{'type':'text','text':''}", "null")))
                .isEqualTo(FrameContent.of(0));
        assertThat(stream.accept(event("progress", "{'type':'text','text':'Hello'}", "null")))
                .isEqualTo(FrameContent.of(5));
        assertThat(stream.accept(event(
                        "progress", "{'type':'tool_call','tool_call':'[f(','parse_status':'in_progress'}", "null")))
                .isEqualTo(FrameContent.of("tool_call", 3));
        assertThat(stream.accept(event(
                        "progress",
                        "{'type':'tool_call','tool_call':{'call_id':'1','tool_name':'f','arguments':{}},'parse_status':'succeeded'}",
                        "null")))
                .isEqualTo(FrameContent.of("tool_call", 3));
        assertThat(stream.accept(event("complete", "{'type':'text','text':''}", "'end_of_turn'")))
                .isEqualTo(FrameContent.last());
        assertThat(stream.soFar().choices())
                .containsExactly(new Turn(
                        Role.ASSISTANT,
                        List.of(
                                new TextPart("Hello", "content"),
                                new ToolCallPart("", "[f(", "tool_call"),
                                new ToolCallPart("f", "{}", "event.delta.tool_call"))));
    }

    @Test
    void acceptWhenACompletionIsStreamedGathersItsText() {
        AnswerStream stream = completion.answerStream();

        assertThat(stream.accept(frame("{'delta':'Hel','stop_reason':null,'logprobs':null}")))
                .isEqualTo(FrameContent.of(3));
        assertThat(stream.accept(frame("{'delta':'lo','stop_reason':'end_of_turn'}")))
                .isEqualTo(FrameContent.last(2));
        assertThat(stream.soFar().choices())
                .containsExactly(new Turn(Role.ASSISTANT, List.of(new TextPart("Hello", "content"))));
    }

    @Test
    void refusalFramesWhenTextHasPassedBeginAParagraph() {
        AnswerStream stream = chat.answerStream();
        stream.accept(event("start", "{'type':'text','text':''}", "null"));
        stream.accept(event("progress", "{'type':'text','text':'good'}", "null"));
        stream.passed();
        stream.accept(event("progress", "{'type':'text','text':'bad'}", "null"));

        assertThat(joined(stream.refusalFrames("No."))).isEqualTo("""
                        data: {"event":{"event_type":"progress","delta":{"type":"text","text":"\\n\\nNo."},"logprobs":null,"stop_reason":null}}

                        data: {"event":{"event_type":"complete","delta":{"type":"text","text":""},"logprobs":null,"stop_reason":"end_of_turn"}}

                        """);
    }

    @Test
    void readWhenAShieldIsRunJudgesEveryMessage() {
        LlamaStackShields shields = new LlamaStackShields();

        VerdictRequest asked = shields.read(
                json(
                        "{'shield_id':'llama-guard','params':{},'messages':[{'role':'user','content':'a'},{'role':'assistant','content':'b'}]}"),
                "");

        assertThat(asked.model()).isEqualTo("llama-guard");
        assertThat(asked.policy()).isEmpty();
        assertThat(asked.direction()).isEqualTo(Direction.COMPLETION);
        assertThat(asked.inputs().stream().map(input -> input.turns().getLast()).distinct())
                .containsExactly(
                        new Turn(Role.USER, List.of(new TextPart("a", "messages[0].content"))),
                        new Turn(Role.ASSISTANT, List.of(new TextPart("b", "messages[1].content"))));
        assertThat(shields.serves("/v1/safety/run-shield")).isTrue();
        assertThat(shields.serves("/v1/safety/run-shields")).isFalse();
    }

    private static byte[] event(String type, String delta, String stopReason) {
        return frame("{'event':{'event_type':'" + type + "','delta':" + delta + ",'logprobs':null,'stop_reason':"
                + stopReason + "}}");
    }

    private static String joined(List<byte[]> frames) {
        return frames.stream().map(frame -> new String(frame, UTF_8)).collect(Collectors.joining());
    }
}
