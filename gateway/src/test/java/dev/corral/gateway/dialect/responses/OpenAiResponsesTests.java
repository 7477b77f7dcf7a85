package dev.corral.gateway.dialect.responses;

import static dev.corral.gateway.testing.Quoted.json;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.corral.gateway.dialect.AnswerStream;
import dev.corral.gateway.dialect.DialectException;
import dev.corral.gateway.dialect.FrameContent;
import dev.corral.gateway.dialect.FrameRedactor;
import dev.corral.gateway.dialect.GatewayError;
import dev.corral.gateway.dialect.ModeratedRequest;
import dev.corral.gateway.dialect.Redactor;
import dev.corral.gateway.dialect.SseEvent;
import dev.corral.guardmodels.conversation.Conversation;
import dev.corral.guardmodels.conversation.Part;
import dev.corral.guardmodels.conversation.Part.ImagePart;
import dev.corral.guardmodels.conversation.Part.OpaquePart;
import dev.corral.guardmodels.conversation.Part.TextPart;
import dev.corral.guardmodels.conversation.Part.ToolCallPart;
import dev.corral.guardmodels.conversation.Part.ToolResultPart;
import dev.corral.guardmodels.conversation.Role;
import dev.corral.guardmodels.conversation.Turn;
import dev.corral.policies.pattern.Redaction;
import dev.corral.policies.pattern.Span;
import dev.corral.policies.policy.ContentSource;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.http.HttpMethod;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

class OpenAiResponsesTests {

    private static final JsonMapper JSON = JsonMapper.shared();

    private final OpenAiResponses dialect =
            new OpenAiResponses(InstantSource.fixed(Instant.ofEpochSecond(1_700_000_000)));

    private final ModeratedRequest request = new ModeratedRequest(new Conversation(List.of()), "llama", false);

    private final AnswerStream stream = dialect.answerStream();

    @Test
    void servesWhenItIsAPostOfResponses() {
        assertThat(dialect.serves(HttpMethod.POST, "/v1/responses")).isTrue();
        assertThat(dialect.serves(HttpMethod.GET, "/v1/responses")).isFalse();
        assertThat(dialect.serves(HttpMethod.POST, "/v1/responses/resp_1/cancel"))
                .isFalse();
    }

    @Test
    void readWhenTheInputIsATextIsTheUsers() {
        ModeratedRequest read =
                dialect.read(json("{'model':'llama','instructions':'Be kind.','input':'Hello','stream':true,"
                        + "'store':false,'text':{'format':{'type':'text'}},'reasoning':{'effort':'low'}}"));

        assertThat(read.model()).isEqualTo("llama");
        assertThat(read.stream()).isTrue();
        assertThat(read.conversation().turns())
                .containsExactly(
                        turn(Role.SYSTEM, new TextPart("Be kind.", "instructions")),
                        turn(Role.USER, new TextPart("Hello", "input")));
    }

    @Test
    void readWhenTheInputHasItemsKnowsWhoSaysEach() {
        assertThat(dialect.read(json("{'input':["
                                + "{'role':'user','content':[{'type':'input_text','text':'a'},"
                                + "{'type':'input_image','image_url':'data:,','detail':'auto'},"
                                + "{'type':'input_file','file_id':'f'}]},"
                                + "{'type':'reasoning','id':'r','summary':[{'type':'summary_text','text':'hm'}]},"
                                + "{'type':'function_call','call_id':'c','name':'f','arguments':'{broken'},"
                                + "{'type':'function_call_output','call_id':'c','output':'sunny'},"
                                + "{'type':'message','role':'assistant','content':[{'type':'output_text','text':'b',"
                                + "'annotations':[]},{'type':'refusal','refusal':'no'}]},"
                                + "{'type':'teleport','to':'mars'}]}"))
                        .conversation()
                        .turns())
                .containsExactly(
                        turn(
                                Role.USER,
                                new TextPart("a", "input[0].content[0]"),
                                new ImagePart("data:,", "input[0].content[1].image_url"),
                                new OpaquePart("file", "input[0].content[2]")),
                        turn(Role.ASSISTANT, new TextPart("hm", "input[1].summary[0].reasoning")),
                        turn(Role.ASSISTANT, new ToolCallPart("f", "{broken", "input[2].arguments")),
                        turn(Role.TOOL, new ToolResultPart("sunny", "input[3].output", "f")),
                        turn(
                                Role.ASSISTANT,
                                new TextPart("b", "input[4].content[0]"),
                                new TextPart("no", "input[4].content[1]")),
                        turn(Role.ASSISTANT, new OpaquePart("item of type 'teleport'", "input[5]")));
    }

    @Test
    void readWhenThereAreToolsJudgesTheirDefinitions() {
        assertThat(dialect.read(json("{'input':'a','tools':[{'type':'function','name':'f','description':'d'}],"
                                + "'text':{'format':{'type':'json_schema','schema':{'description':'s'}}}}"))
                        .conversation()
                        .turns()
                        .getFirst()
                        .parts())
                .extracting(Part::where)
                .containsExactly("tools[0]", "text.format");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', textBlock = """
            {'input':'a','previous_response_id':'r'} | previous_response_id | unseen_content | never judged here
            {'input':'a','conversation':{'id':'c'}}  | conversation         | unseen_content | never judged here
            {'input':'a','prompt':{'id':'p'}}        | prompt               | unseen_content | never judged here
            {'input':[{'type':'item_reference','id':'i'}]} | input[0].id    | unseen_content | never judged here
            {'input':'a','background':true}          | background           |                | use 'stream'
            {}                                       | input                |                | is missing or null
            {'input':[]}                             | input                |                | has 0 items
            {'input':['a']}                          | input[0]             |                | must be an item
            {'input':[{'content':'a'}]}              | input[0].role        |                | is missing
            {'input':[{'role':'king','content':'a'}]} | input[0].role       |                | but is 'king'
            {'input':[{'role':'user'}]}              | input[0].content     |                | is missing
            """)
    void readWhenTheRequestIsRefusedSaysWhatAndWhere(String body, String param, String code, String message) {
        assertThatExceptionOfType(DialectException.class)
                .isThrownBy(() -> dialect.read(json(body)))
                .withMessageContaining(message)
                .satisfies(e -> {
                    assertThat(e.error().param()).isEqualTo(param);
                    assertThat(e.error().code()).isEqualTo(code);
                });
    }

    @Test
    void readAnswerWhenItRepeatsTheRequestDoesNotJudgeThatAnew() {
        ModeratedRequest asked = dialect.read(json(
                "{'input':'a','instructions':'Never help to kill.'," + "'tools':[{'type':'function','name':'f'}]}"));

        assertThat(dialect.readAnswer(
                                json(
                                        "{'id':'resp_1','object':'response','status':'completed','instructions':"
                                                + "'Never help to kill.','tools':[{'type':'function','name':'f'}],'output':["
                                                + "{'id':'m','type':'message','role':'assistant','status':'completed','content':"
                                                + "[{'type':'output_text','text':'Hi','annotations':[]}]},"
                                                + "{'id':'c','type':'function_call','call_id':'c','name':'f','arguments':'{}'}]}"),
                                asked)
                        .choices())
                .containsExactly(turn(
                        Role.ASSISTANT,
                        new TextPart("Hi", "output[0].content[0].text"),
                        new ToolCallPart("f", "{}", "output[1].arguments")));
    }

    @Test
    void readAnswerWhenItSaysOtherInstructionsJudgesThem() {
        assertThat(dialect.readAnswer(json("{'instructions':'Kill.','output':[]}"), request)
                        .choices())
                .containsExactly(turn(Role.ASSISTANT, new TextPart("Kill.", "instructions")));
    }

    @Test
    void readAnswerWhenAnItemIsNotKnownIsOpaque() {
        assertThat(dialect.readAnswer(json("{'output':[{'type':'teleport'},{'type':'reasoning','summary':[],"
                                + "'encrypted_content':'gAAA'}]}"))
                        .choices())
                .containsExactly(turn(
                        Role.ASSISTANT,
                        new OpaquePart("item of type 'teleport'", "output[0]"),
                        new OpaquePart("encrypted reasoning", "output[1].encrypted_content")));
    }

    @Test
    void acceptWhenEverythingIsSaidThreeTimesCountsItOnce() {
        int characters = 0;
        FrameContent last = FrameContent.of(0);
        for (byte[] frame : ordinary()) {
            last = stream.accept(frame);
            characters += last.newCharacters();
        }

        assertThat(last.end()).isTrue();
        assertThat(characters).isEqualTo("Hello youf{\"a\":1}hm".length());
        assertThat(stream.soFar().choices())
                .containsExactly(turn(
                        Role.ASSISTANT,
                        new TextPart("hm", "output[0].summary[0].reasoning"),
                        new TextPart("Hello you", "output[1].content[0].text"),
                        new ToolCallPart("f", "{\"a\":1}", "output[2].arguments")));
    }

    @Test
    void acceptWhenACallHasANameAndNothingElseJudgesTheName() {
        FrameContent added = stream.accept(event(
                "response.output_item.added",
                "'output_index':0,'item':{'type':'function_call','call_id':'c','name':'harm','arguments':''}"));

        assertThat(added.newCharacters()).isEqualTo("harm".length());
        assertThat(stream.soFar().choices())
                .containsExactly(turn(Role.ASSISTANT, new ToolCallPart("harm", "", "output[0]")));
    }

    @Test
    void acceptWhenTheLastWordsDifferFromThoseBeforeJudgesBoth() {
        stream.accept(event("response.output_text.delta", "'output_index':0,'content_index':0,'delta':'Hello'"));
        assertThat(stream.accept(event("response.output_text.done", "'output_index':0,'content_index':0,'text':'Kill'"))
                        .newCharacters())
                .isEqualTo(4);
        assertThat(stream.soFar().choices().getFirst().parts())
                .containsExactly(
                        new TextPart("Hello", "output[0].content[0].text"),
                        new TextPart("Kill", "output[0].content[0].text"));
    }

    @Test
    void acceptWhenAnEventIsNotKnownIsOpaque() {
        assertThat(stream.accept(event("response.teleport.delta", "'output_index':0,'to':'mars'")))
                .isEqualTo(FrameContent.of(1));
        assertThat(stream.soFar().choices()).containsExactly(turn(Role.ASSISTANT, new OpaquePart("field 'to'", "to")));
        assertThat(stream.accept(event("response.web_search_call.searching", "'output_index':0,'item_id':'w'")))
                .isEqualTo(FrameContent.of(0));
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3})
    void acceptWhenTheTextIsCutOtherwiseReadsTheSame(int seed) {
        Random random = new Random(seed);
        String text = "Some words – with ä€😀 and \\\"quotes\\\".";
        AnswerStream cut = dialect.answerStream();
        int at = 0;
        while (at < text.length()) {
            int to = Math.min(text.length(), at + 1 + random.nextInt(7));
            while (text.charAt(to - 1) == '\\' || Character.isHighSurrogate(text.charAt(to - 1))) {
                to++;
            }
            cut.accept(event(
                    "response.output_text.delta",
                    "'output_index':0,'content_index':0,'delta':'" + text.substring(at, to) + "'"));
            at = to;
        }
        stream.accept(event("response.output_text.delta", "'output_index':0,'content_index':0,'delta':'" + text + "'"));
        assertThat(cut.soFar()).isEqualTo(stream.soFar());
    }

    @Test
    void refusalWhenWholeIsAnIncompleteResponse() {
        assertThat(text(dialect.refusal(request, "42", "No.").body())).isEqualTo("""
                {"id":"resp_42","object":"response","created_at":1700000000,"status":"incomplete","error":null,\
                "incomplete_details":{"reason":"content_filter"},"instructions":null,"metadata":{},"model":"llama",\
                "output":[{"id":"msg_42","type":"message","status":"incomplete","role":"assistant",\
                "content":[{"type":"refusal","refusal":"No."}]}],"parallel_tool_calls":true,"temperature":null,\
                "tool_choice":"auto","tools":[],"top_p":null,"usage":{"input_tokens":0,\
                "input_tokens_details":{"cached_tokens":0},"output_tokens":0,\
                "output_tokens_details":{"reasoning_tokens":0},"total_tokens":0}}""");
    }

    @Test
    void refusalStreamWhenNothingWasSentHasEveryEventInOrder() {
        assertThat(types(dialect.refusalStream(request, "42", "No.")))
                .containsExactly(
                        "0 response.created",
                        "1 response.in_progress",
                        "2 response.output_item.added",
                        "3 response.content_part.added",
                        "4 response.refusal.delta",
                        "5 response.refusal.done",
                        "6 response.content_part.done",
                        "7 response.output_item.done",
                        "8 response.incomplete");
        assertThat(text(dialect.refusalStream(request, "42", "No.").get(4))).isEqualTo("""
                event: response.refusal.delta
                data: {"type":"response.refusal.delta","sequence_number":4,"item_id":"msg_42","output_index":0,\
                "content_index":0,"delta":"No."}

                """);
    }

    @Test
    void refusalStreamWhenReadBackIsWhatWasSaid() {
        dialect.refusalStream(request, "42", "No.").forEach(stream::accept);
        assertThat(stream.soFar().choices())
                .containsExactly(turn(Role.ASSISTANT, new TextPart("No.", "output[0].content[0].refusal")));
        assertThat(dialect.readAnswer(dialect.reply(request, "42", "Hi.").body())
                        .choices())
                .containsExactly(turn(Role.ASSISTANT, new TextPart("Hi.", "output[0].content[0].text")));
    }

    @Test
    void refusalFramesWhenSomeHasPassedGoOnAfterIt() {
        List<byte[]> frames = ordinary();
        for (int i = 0; i < 9; i++) {
            stream.accept(frames.get(i));
        }
        stream.passed();
        stream.accept(frames.get(9));
        List<byte[]> end = stream.refusalFrames("No.");

        assertThat(types(end))
                .containsExactly(
                        "9 response.output_item.done",
                        "10 response.output_item.done",
                        "11 response.output_item.added",
                        "12 response.content_part.added",
                        "13 response.refusal.delta",
                        "14 response.refusal.done",
                        "15 response.content_part.done",
                        "16 response.output_item.done",
                        "17 response.incomplete");
        assertThat(text(end.get(1)))
                .contains("\"output_index\":1", "\"id\":\"m\"", "\"status\":\"incomplete\"", "\"content\":[]");
        JsonNode last = JSON.readTree(SseEvent.parse(end.getLast()).data());
        assertThat(last.at("/response/id").stringValue()).isEqualTo("resp_1");
        assertThat(JSON.readTree(SseEvent.parse(end.get(2)).data())
                        .path("output_index")
                        .asInt())
                .isEqualTo(2);
    }

    @Test
    void errorFrameWhenSomeHasPassedHasTheNextNumber() {
        ordinary().subList(0, 5).forEach(stream::accept);
        stream.passed();
        stream.accept(ordinary().get(5));

        assertThat(text(dialect.errorFrame(GatewayError.upstream("Gone."), stream.nextNumber())))
                .startsWith("event: error\ndata: {\"type\":\"error\",\"sequence_number\":5,")
                .contains("Gone.");
    }

    @Test
    void acceptWhenCallsComeByTurnsHearsEachByItself() {
        for (int i = 0; i < 2; i++) {
            stream.accept(event(
                    "response.output_item.added",
                    "'output_index':" + i + ",'item':{'id':'c','type':'function_call','name':'f','arguments':''}"));
        }

        assertThat(stream.accept(event("response.function_call_arguments.delta", "'output_index':1,'delta':'{}'")))
                .isEqualTo(FrameContent.of("output[1]", 2));
    }

    @Test
    void refusalFramesWhenTheEndHasPassedAreNone() {
        ordinary().forEach(stream::accept);
        stream.passed();
        assertThat(stream.refusalFrames("No.")).isEmpty();
    }

    @Test
    void frameRedactorWhenNothingIsFoundSaysTheSameBeforeEachEnd() {
        List<byte[]> redacted = dialect.frameRedactor(secrets()).redact(ordinary());
        AnswerStream original = dialect.answerStream();
        ordinary().forEach(original::accept);
        redacted.forEach(stream::accept);

        assertThat(stream.soFar()).isEqualTo(original.soFar());
        assertThat(types(redacted))
                .hasSize(18)
                .containsSubsequence(
                        "7 response.output_text.delta",
                        "8 response.output_text.delta",
                        "8 response.output_text.delta",
                        "9 response.output_text.done");
    }

    @Test
    void frameRedactorWhenASpanIsCutTakesItOutEverywhere() {
        List<byte[]> frames = List.of(
                event("response.output_text.delta", "'output_index':0,'content_index':0,'delta':'a SEC'"),
                event("response.output_text.delta", "'output_index':0,'content_index':0,'delta':'RET b'"),
                event("response.web_search_call.searching", "'output_index':1"),
                event("response.output_text.done", "'output_index':0,'content_index':0,'text':'a SECRET b'"),
                event(
                        "response.completed",
                        "'response':{'output':[{'type':'message','role':'assistant','content':"
                                + "[{'type':'output_text','text':'a SECRET b'}]}]}"));
        FrameRedactor redactor = dialect.frameRedactor(secrets());
        List<byte[]> redacted = new ArrayList<>();
        frames.forEach(frame -> redacted.addAll(redactor.redact(List.of(frame))));
        redacted.addAll(redactor.end());
        redacted.forEach(stream::accept);

        assertThat(join(redacted)).doesNotContain("SECRET").doesNotContain("SEC\"");
        assertThat(stream.soFar().choices())
                .containsExactly(turn(Role.ASSISTANT, new TextPart("a [x] b", "output[0].content[0].text")));
    }

    @Test
    void redactRequestWhenSomeoneSaysASpanTakesItOut() {
        assertThat(text(dialect.redactRequest(
                        json("{'input':[{'role':'user','content':'SECRET'},{'type':'function_call_output',"
                                + "'call_id':'SECRET','output':'b SECRET'}],'store':false}"),
                        secrets())))
                .isEqualTo("{\"input\":[{\"role\":\"user\",\"content\":\"[x]\"},{\"type\":\"function_call_output\","
                        + "\"call_id\":\"SECRET\",\"output\":\"b [x]\"}],\"store\":false}");
    }

    private static Redactor secrets() {
        Pattern secret = Pattern.compile("SECRET");
        return new Redactor() {
            @Override
            public Redaction redaction(String text, ContentSource source) {
                return Redaction.of(secret.matcher(text)
                        .results()
                        .map(found -> new Redaction.Replacement(new Span(found.start(), found.end()), "[x]"))
                        .toList());
            }

            @Override
            public int holdBack() {
                return 6;
            }
        };
    }

    private static List<byte[]> ordinary() {
        String message = "'id':'m','type':'message','role':'assistant'";
        String call = "'id':'c','type':'function_call','call_id':'c1','name':'f'";
        return List.of(
                event(
                        "response.created",
                        "'sequence_number':0,'response':{'id':'resp_1','object':'response','status':'in_progress',"
                                + "'model':'llama','created_at':1,'output':[]}"),
                event(
                        "response.output_item.added",
                        "'sequence_number':1,'output_index':0,'item':{'id':'r','type':'reasoning','summary':[]}"),
                event(
                        "response.reasoning_summary_part.added",
                        "'sequence_number':2,'output_index':0,'summary_index':0,'part':{'type':'summary_text','text':''}"),
                event(
                        "response.reasoning_summary_text.delta",
                        "'sequence_number':3,'output_index':0,'summary_index':0,'delta':'hm'"),
                event(
                        "response.reasoning_summary_text.done",
                        "'sequence_number':4,'output_index':0,'summary_index':0,'text':'hm'"),
                event(
                        "response.output_item.added",
                        "'sequence_number':5,'output_index':1,'item':{" + message + ",'content':[]}"),
                event(
                        "response.content_part.added",
                        "'sequence_number':6,'output_index':1,'content_index':0,'part':{'type':'output_text','text':'',"
                                + "'annotations':[]}"),
                event(
                        "response.output_text.delta",
                        "'sequence_number':7,'output_index':1,'content_index':0,'delta':'Hello ','obfuscation':'xYz'"),
                event(
                        "response.output_text.delta",
                        "'sequence_number':8,'output_index':1,'content_index':0,'delta':'you'"),
                event(
                        "response.output_text.done",
                        "'sequence_number':9,'output_index':1,'content_index':0,'text':'Hello you'"),
                event(
                        "response.output_item.added",
                        "'sequence_number':10,'output_index':2,'item':{" + call + ",'arguments':''}"),
                event(
                        "response.function_call_arguments.delta",
                        "'sequence_number':11,'output_index':2,'delta':'{\\'a'"),
                event(
                        "response.function_call_arguments.delta",
                        "'sequence_number':12,'output_index':2,'delta':'\\':1}'"),
                event(
                        "response.function_call_arguments.done",
                        "'sequence_number':13,'output_index':2,'arguments':'{\\'a\\':1}'"),
                event(
                        "response.completed",
                        "'sequence_number':14,'response':{'id':'resp_1','status':'completed','output':["
                                + "{'id':'r','type':'reasoning','summary':[{'type':'summary_text','text':'hm'}]},{"
                                + message + ",'content':[{'type':'output_text','text':'Hello you','annotations':[]}]},{"
                                + call + ",'arguments':'{\\'a\\':1}'}]}"));
    }

    private static List<String> types(List<byte[]> frames) {
        return frames.stream()
                .map(frame -> JSON.readTree(SseEvent.parse(frame).data()))
                .map(event -> event.path("sequence_number").asInt() + " "
                        + event.path("type").stringValue())
                .toList();
    }

    private static byte[] event(String type, String fields) {
        return ("event: " + type + "\ndata: {\"type\":\"" + type + "\"," + fields.replace('\'', '"') + "}\n\n")
                .getBytes(UTF_8);
    }

    private static String join(List<byte[]> frames) {
        StringBuilder joined = new StringBuilder();
        frames.forEach(frame -> joined.append(text(frame)));
        return joined.toString();
    }

    private static String text(byte[] bytes) {
        return new String(bytes, UTF_8);
    }

    private static Turn turn(Role role, Part... parts) {
        return new Turn(role, List.of(parts));
    }
}
