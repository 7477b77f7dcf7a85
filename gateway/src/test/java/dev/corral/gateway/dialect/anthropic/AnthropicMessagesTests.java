package dev.corral.gateway.dialect.anthropic;

import static dev.corral.gateway.testing.Quoted.json;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.corral.gateway.dialect.AnswerStream;
import dev.corral.gateway.dialect.DialectException;
import dev.corral.gateway.dialect.FrameContent;
import dev.corral.gateway.dialect.ModeratedRequest;
import dev.corral.guardmodels.conversation.Part;
import dev.corral.guardmodels.conversation.Part.ImagePart;
import dev.corral.guardmodels.conversation.Part.OpaquePart;
import dev.corral.guardmodels.conversation.Part.TextPart;
import dev.corral.guardmodels.conversation.Part.ToolCallPart;
import dev.corral.guardmodels.conversation.Part.ToolDefinitionPart;
import dev.corral.guardmodels.conversation.Part.ToolResultPart;
import dev.corral.guardmodels.conversation.Role;
import dev.corral.guardmodels.conversation.Turn;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.http.HttpMethod;

class AnthropicMessagesTests {

    private final AnthropicMessages dialect = new AnthropicMessages();
    private final AnswerStream stream = dialect.answerStream();

    @Test
    void servesWhenItIsAPostOfMessages() {
        assertThat(dialect.serves(HttpMethod.POST, "/v1/messages")).isTrue();
        assertThat(dialect.serves(HttpMethod.GET, "/v1/messages")).isFalse();
        assertThat(dialect.serves(HttpMethod.POST, "/v1/messages/batches")).isFalse();
        assertThat(dialect.serves(HttpMethod.POST, "/v1/messages/count_tokens")).isFalse();
        assertThat(new AnthropicTokenCount().serves(HttpMethod.POST, "/v1/messages/count_tokens"))
                .isTrue();
    }

    @Test
    void readWhenARequestUsesEverythingKeepsAllTexts() {
        ModeratedRequest request = dialect.read(json("""
                {'model':'claude','max_tokens':9,'stream':true,'temperature':1,'metadata':{'user_id':'u'},
                 'system':[{'type':'text','text':'Be kind.','cache_control':{'type':'ephemeral'}}],
                 'tools':[{'name':'f','description':'Does it.','input_schema':{'type':'object'}}],
                 'messages':[
                  {'role':'user','content':'hello'},
                  {'role':'assistant','content':[
                    {'type':'thinking','thinking':'hm','signature':'AbC+/='},
                    {'type':'tool_use','id':'t1','name':'f','input':{'a':'b'}}]},
                  {'role':'user','content':[
                    {'type':'text','text':'before'},
                    {'type':'tool_result','tool_use_id':'t1','content':[{'type':'text','text':'found'}]},
                    {'type':'text','text':'after'}]}]}"""));

        assertThat(request.model()).isEqualTo("claude");
        assertThat(request.stream()).isTrue();
        assertThat(request.conversation().turns())
                .containsExactly(
                        new Turn(
                                Role.SYSTEM,
                                List.of(
                                        new TextPart("Be kind.", "system[0].text"),
                                        new ToolDefinitionPart(
                                                "f",
                                                "{\"name\":\"f\",\"description\":\"Does it.\",\"input_schema\":{\"type\":\"object\"}}",
                                                "tools[0]"))),
                        new Turn(Role.USER, List.of(new TextPart("hello", "messages[0].content"))),
                        new Turn(
                                Role.ASSISTANT,
                                List.of(
                                        new TextPart("hm", "messages[1].content[0].thinking"),
                                        new ToolCallPart("f", "{\"a\":\"b\"}", "messages[1].content[1].input"))),
                        new Turn(Role.USER, List.of(new TextPart("before", "messages[2].content[0].text"))),
                        new Turn(
                                Role.TOOL,
                                List.of(new ToolResultPart("found", "messages[2].content[1].content[0].text", "f"))),
                        new Turn(Role.USER, List.of(new TextPart("after", "messages[2].content[2].text"))));
    }

    static Stream<Arguments> blocks() {
        String at = "messages[0].content[0]";
        return Stream.of(
                Arguments.of(
                        "{'type':'image','source':{'type':'base64','media_type':'image/png','data':'AA=='}}",
                        List.of(new ImagePart("data:image/png;base64,AA==", at + ".source"))),
                Arguments.of(
                        "{'type':'image','source':{'type':'url','url':'https://e/x.png'}}",
                        List.of(new ImagePart("https://e/x.png", at + ".source"))),
                Arguments.of(
                        "{'type':'image','source':{'type':'file','file_id':'f'}}",
                        List.of(new OpaquePart("image that is not in the request", at + ".source"))),
                Arguments.of(
                        "{'type':'document','title':'T','context':'C','source':{'type':'text','media_type':'text/plain','data':'words'}}",
                        List.of(
                                new TextPart("words", at + ".source.data"),
                                new TextPart("T", at + ".title"),
                                new TextPart("C", at + ".context"))),
                Arguments.of(
                        "{'type':'document','source':{'type':'content','content':[{'type':'text','text':'in'}]}}",
                        List.of(new TextPart("in", at + ".source.content[0].text"))),
                Arguments.of(
                        "{'type':'document','source':{'type':'base64','media_type':'application/pdf','data':'AA'}}",
                        List.of(new OpaquePart("document", at + ".source"))),
                Arguments.of(
                        "{'type':'search_result','source':'https://e','title':'T','content':[{'type':'text','text':'hit'}]}",
                        List.of(
                                new TextPart("hit", at + ".content[0].text"),
                                new TextPart("T", at + ".title"),
                                new TextPart("https://e", at + ".source"))),
                Arguments.of(
                        "{'type':'redacted_thinking','data':'AA'}",
                        List.of(new OpaquePart("block of type 'redacted_thinking'", at))),
                Arguments.of(
                        "{'type':'server_tool_use','id':'s','name':'web_search','input':{}}",
                        List.of(new OpaquePart("block of type 'server_tool_use'", at))),
                Arguments.of(
                        "{'type':'thinking','thinking':'hm','signature':'not a seal'}",
                        List.of(new TextPart("hm", at + ".thinking"), new TextPart("not a seal", at + ".signature"))),
                Arguments.of(
                        "{'type':'text','text':'a','novelty':'b'}",
                        List.of(new TextPart("a", at + ".text"), new OpaquePart("field 'novelty'", at + ".novelty"))));
    }

    @ParameterizedTest
    @MethodSource("blocks")
    void readWhenAMessageHasABlockKeepsWhatIsInIt(String block, List<Part> parts) {
        assertThat(dialect.read(json("{'messages':[{'role':'user','content':[" + block + "]}]}"))
                        .conversation()
                        .turns())
                .containsExactly(new Turn(Role.USER, parts));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "[]",
                "{}",
                "{'messages':[]}",
                "{'messages':'hello'}",
                "{'messages':[{'role':'tool','content':'x'}]}",
                "{'messages':[{'role':'user'}]}",
                "{'messages':[{'role':'user','content':7}]}",
                "{'messages':[{'role':'user','content':[{'text':'no type'}]}]}",
                "{'messages':[{'role':'user','content':[{'type':'image'}]}]}",
                "{'messages':[{'role':'user','content':'a','Content':'b'}]}",
                "{'messages':[{'role':'user','content':'a'}],'max_tokens':'9'}",
                "{'messages':[{'role':'user','content':'\\ud83d'}]}"
            })
    void readWhenARequestIsMalformedRefusesIt(String body) {
        assertThatExceptionOfType(DialectException.class)
                .isThrownBy(() -> dialect.read(json(body)))
                .satisfies(e -> assertThat(e.error().status()).isEqualTo(400));
    }

    @Test
    void readWhenAFieldIsNotKnownIsOpaque() {
        assertThat(dialect.read(json("{'messages':[{'role':'user','content':'a'}],'mcp_servers':[{'url':'x'}]}"))
                        .conversation()
                        .turns()
                        .getFirst())
                .isEqualTo(new Turn(Role.SYSTEM, List.of(new OpaquePart("field 'mcp_servers'", "mcp_servers"))));
    }

    @Test
    void readAnswerWhenItHasBlocksOfEveryKindKeepsThem() {
        assertThat(dialect.readAnswer(json("""
                        {'id':'msg_1','type':'message','role':'assistant','model':'claude','content':[
                         {'type':'thinking','thinking':'hm','signature':'AA=='},
                         {'type':'text','text':'hello','citations':[{'type':'char_location','cited_text':'quoted','document_index':0}]},
                         {'type':'tool_use','id':'t','name':'f','input':{'a':'\\\\u0062'}},
                         {'type':'web_search_tool_result','tool_use_id':'s','content':[]}],
                         'stop_reason':'tool_use','stop_sequence':null,'usage':{'input_tokens':1,'output_tokens':2},'novelty':'x'}""")).choices())
                .containsExactly(
                        new Turn(
                                Role.ASSISTANT,
                                List.of(
                                        new TextPart("hm", "content[0].thinking"),
                                        new TextPart("hello", "content[1].text"),
                                        new TextPart("char_location", "content[1].citations.type"),
                                        new TextPart("quoted", "content[1].citations.cited_text"),
                                        new ToolCallPart("f", "{\"a\":\"\\\\u0062\"}", "content[2].input"),
                                        new TextPart("{\"a\":\"\\b\"}", "content[2].input"),
                                        new OpaquePart("block of type 'web_search_tool_result'", "content[3]"))),
                        new Turn(Role.ASSISTANT, List.of(new OpaquePart("field 'novelty'", "novelty"))));
    }

    @Test
    void readAnswerWhenItIsAnErrorKeepsItsWords() {
        assertThat(dialect.readAnswer(
                                json(
                                        "{'type':'error','error':{'type':'overloaded_error','message':'Overloaded'},'request_id':'r'}"))
                        .choices())
                .containsExactly(new Turn(
                        Role.ASSISTANT,
                        List.of(
                                new TextPart("overloaded_error", "error.type"),
                                new TextPart("Overloaded", "error.message"))));
    }

    @ParameterizedTest
    @ValueSource(strings = {"{}", "[]", "{'content':'", "{'choices':[]}"})
    void readAnswerWhenItIsNoMessageThrows(String body) {
        assertThatExceptionOfType(DialectException.class)
                .isThrownBy(() -> dialect.readAnswer(json(body)))
                .satisfies(e -> assertThat(e.error().status()).isEqualTo(502));
    }

    @Test
    void acceptWhenTheStreamIsOrdinaryGathersItsTexts() {
        assertThat(stream.accept(start())).isEqualTo(FrameContent.of(0));
        assertThat(stream.accept(event("{'type':'ping'}"))).isEqualTo(FrameContent.of(0));
        assertThat(stream.accept(begin(0, "{'type':'thinking','thinking':'','signature':''}")))
                .isEqualTo(FrameContent.of(0));
        assertThat(stream.accept(delta(0, "{'type':'thinking_delta','thinking':'hm'}")))
                .isEqualTo(FrameContent.of(2));
        assertThat(stream.accept(delta(0, "{'type':'signature_delta','signature':'AA=='}")))
                .isEqualTo(FrameContent.of(0));
        assertThat(stream.accept(stop(0))).isEqualTo(FrameContent.of(0));
        stream.accept(begin(1, "{'type':'text','text':''}"));
        assertThat(stream.accept(text(1, "Hel"))).isEqualTo(FrameContent.of(3));
        assertThat(stream.accept(text(1, "lo"))).isEqualTo(FrameContent.of(2));
        stream.accept(stop(1));
        assertThat(stream.accept(begin(2, "{'type':'tool_use','id':'t','name':'f','input':{}}")))
                .isEqualTo(FrameContent.of("content[2]", 1));
        assertThat(stream.accept(delta(2, "{'type':'input_json_delta','partial_json':'{}'}")))
                .isEqualTo(FrameContent.of("content[2]", 2));
        stream.accept(stop(2));
        assertThat(
                        stream.accept(
                                event(
                                        "{'type':'message_delta','delta':{'stop_reason':'end_turn','stop_sequence':null},'usage':{'output_tokens':5}}")))
                .isEqualTo(FrameContent.of(0));
        assertThat(stream.accept(event("{'type':'message_stop'}"))).isEqualTo(FrameContent.last());

        assertThat(stream.soFar().choices())
                .containsExactly(new Turn(
                        Role.ASSISTANT,
                        List.of(
                                new TextPart("hm", "content[0].thinking"),
                                new TextPart("Hello", "content[1].text"),
                                new ToolCallPart("f", "{}", "content[2].input"))));
    }

    static Stream<Arguments> odd() {
        return Stream.of(
                Arguments.of(event("{'type':'novelty','text':'x'}"), "event of type 'novelty'"),
                Arguments.of(
                        begin(0, "{'type':'server_tool_use','id':'s','name':'n','input':{}}"),
                        "block of type 'server_tool_use'"),
                Arguments.of(delta(0, "{'type':'novel_delta','x':'y'}"), "event of type 'novel_delta'"),
                Arguments.of(text(0, "a").clone(), ""));
    }

    @ParameterizedTest
    @MethodSource("odd")
    void acceptWhenAnEventIsNotKnownIsOpaque(byte[] frame, String what) {
        FrameContent content = stream.accept(frame);

        assertThat(content.empty()).isFalse();
        assertThat(stream.soFar().choices().stream().flatMap(turn -> turn.parts().stream()))
                .anyMatch(part -> part instanceof OpaquePart opaque
                        ? opaque.what().equals(what)
                        : part.equals(new TextPart("a", "content[0].text")));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{'type':'content_block_delta','delta':{'type':'text_delta','text':'a'}}",
                "{'type':'content_block_start','index':99999,'content_block':{}}",
                "{'type':'ping'",
                "[DONE]"
            })
    void acceptWhenAnEventCannotBeReadThrows(String data) {
        assertThatExceptionOfType(DialectException.class)
                .isThrownBy(() -> stream.accept(event(data)))
                .satisfies(e -> assertThat(e.error().status()).isEqualTo(502));
    }

    @Test
    void refusalFramesWhenNothingHasPassedAreAWholeStream() {
        stream.accept(start());
        stream.accept(begin(0, "{'type':'text','text':''}"));
        stream.accept(text(0, "bad"));

        assertThat(types(stream.refusalFrames("No.")))
                .isEqualTo("message_start content_block_start content_block_delta content_block_stop message_delta"
                        + " message_stop");
        assertThat(joined(stream.refusalFrames("No."))).contains("\"stop_reason\":\"refusal\"", "\"text\":\"No.\"");
    }

    @Test
    void refusalFramesWhenABlockIsOpenEndItFirst() {
        stream.accept(start());
        stream.accept(begin(0, "{'type':'text','text':''}"));
        stream.accept(text(0, "good"));
        stream.passed();
        stream.accept(text(0, "bad"));
        stream.accept(stop(0));

        assertThat(types(stream.refusalFrames("No.")))
                .isEqualTo("content_block_stop content_block_start content_block_delta content_block_stop message_delta"
                        + " message_stop");
        assertThat(joined(stream.refusalFrames("No.")))
                .contains("\"type\":\"content_block_stop\",\"index\":0", "\"index\":1")
                .doesNotContain("bad");
        assertThat(joined(stream.replyFrames("No."))).contains("\"stop_reason\":\"end_turn\"");
    }

    @Test
    void refusalFramesWhenTheEndHasPassedSayNoMoreThanIsLacking() {
        stream.accept(start());
        stream.accept(event("{'type':'message_delta','delta':{'stop_reason':'end_turn'},'usage':{'output_tokens':5}}"));
        stream.passed();
        assertThat(types(stream.refusalFrames("No."))).isEqualTo("message_stop");

        stream.accept(event("{'type':'message_stop'}"));
        stream.passed();
        assertThat(stream.refusalFrames("No.")).isEmpty();
    }

    private static byte[] start() {
        return event(
                "{'type':'message_start','message':{'id':'msg_1','type':'message','role':'assistant','model':'claude',"
                        + "'content':[],'stop_reason':null,'usage':{'input_tokens':1,'output_tokens':1}}}");
    }

    private static byte[] begin(int index, String block) {
        return event("{'type':'content_block_start','index':" + index + ",'content_block':" + block + "}");
    }

    private static byte[] text(int index, String text) {
        return delta(index, "{'type':'text_delta','text':'" + text + "'}");
    }

    private static byte[] delta(int index, String delta) {
        return event("{'type':'content_block_delta','index':" + index + ",'delta':" + delta + "}");
    }

    private static byte[] stop(int index) {
        return event("{'type':'content_block_stop','index':" + index + "}");
    }

    private static byte[] event(String data) {
        return ("event: e\ndata: " + data.replace('\'', '"') + "\n\n").getBytes(UTF_8);
    }

    private static String joined(List<byte[]> frames) {
        return frames.stream().map(frame -> new String(frame, UTF_8)).collect(Collectors.joining());
    }

    private static String types(List<byte[]> frames) {
        return joined(frames)
                .lines()
                .filter(line -> line.startsWith("event: "))
                .map(line -> line.substring(7))
                .collect(Collectors.joining(" "));
    }
}
