package dev.corral.gateway.dialect.openai;

import static dev.corral.gateway.testing.Quoted.json;
import static java.nio.charset.StandardCharsets.UTF_16;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.corral.gateway.dialect.DialectException;
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
import java.time.InstantSource;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.http.HttpMethod;

class OpenAiChatRequestTests {

    private static final String HELLO = "'messages':[{'role':'user','content':'Hello'}]";

    private final OpenAiChat dialect = new OpenAiChat(InstantSource.system());

    @ParameterizedTest
    @CsvSource({
        "POST, /v1/chat/completions, true",
        "POST, /chat/completions/, true",
        "POST, /openai/deployments/x/chat/completions, true",
        "GET, /v1/chat/completions, false",
        "POST, /v1/completions, false",
        "POST, /v1/chat/completions/x, false",
    })
    void servesWhenItIsAPostOfChatCompletions(String method, String path, boolean served) {
        assertThat(dialect.serves(HttpMethod.valueOf(method), path)).isEqualTo(served);
    }

    @Test
    void readWhenMessagesAreTextsGivesATurnForEach() {
        ModeratedRequest request = dialect.read(json("""
                {'model':'llama','stream':true,'messages':[
                  {'role':'system','content':'Be kind.'},
                  {'role':'developer','content':'Be brief.'},
                  {'role':'user','name':'eve','content':'Hello ä€😀'},
                  {'role':'assistant','content':'Hi.'}]}"""));

        assertThat(request.model()).isEqualTo("llama");
        assertThat(request.stream()).isTrue();
        assertThat(request.conversation().turns())
                .containsExactly(
                        turn(Role.SYSTEM, new TextPart("Be kind.", "messages[0].content")),
                        turn(Role.SYSTEM, new TextPart("Be brief.", "messages[1].content")),
                        turn(
                                Role.USER,
                                new TextPart("eve", "messages[2].name"),
                                new TextPart("Hello ä€😀", "messages[2].content")),
                        turn(Role.ASSISTANT, new TextPart("Hi.", "messages[3].content")));
    }

    @Test
    void readWhenFieldsAreLeftOutTakesTheirDefaults() {
        ModeratedRequest request = dialect.read(json("{" + HELLO + ",'stream':null,'model':null,'n':null}"));

        assertThat(request.model()).isEmpty();
        assertThat(request.stream()).isFalse();
    }

    static Stream<Arguments> messages() {
        return Stream.of(
                Arguments.of(
                        "{'role':'user','content':[{'type':'text','text':'a'},{'type':'text','text':'b'},'c']}",
                        List.of(
                                new TextPart("a", "messages[0].content[0]"),
                                new TextPart("b", "messages[0].content[1]"),
                                new TextPart("c", "messages[0].content[2]"))),
                Arguments.of(
                        "{'role':'user','content':[{'type':'image_url','image_url':{'url':'https://x/y.png','detail':'low'}}]}",
                        List.of(new ImagePart("https://x/y.png", "messages[0].content[0].image_url"))),
                Arguments.of(
                        "{'role':'user','content':[{'type':'image_url','image_url':'data:,'}]}",
                        List.of(new ImagePart("data:,", "messages[0].content[0].image_url"))),
                Arguments.of(
                        "{'role':'user','content':[{'type':'input_audio','input_audio':{'data':'AA','format':'wav'}}]}",
                        List.of(new OpaquePart("audio", "messages[0].content[0]"))),
                Arguments.of(
                        "{'role':'user','content':[{'type':'file','file':{'file_id':'f'}}]}",
                        List.of(new OpaquePart("file", "messages[0].content[0]"))),
                Arguments.of(
                        "{'role':'user','content':[{'type':'hologram','x':'y'}]}",
                        List.of(new OpaquePart("part of type 'hologram'", "messages[0].content[0]"))),
                Arguments.of(
                        "{'role':'user','content':[{'type':'text','text':'a','hidden':'b'}]}",
                        List.of(
                                new TextPart("a", "messages[0].content[0]"),
                                new OpaquePart("field 'hidden'", "messages[0].content[0].hidden"))),
                Arguments.of(
                        "{'role':'user','content':[{'type':'text','text':'a','cache_control':{'type':'ephemeral'}}]}",
                        List.of(new TextPart("a", "messages[0].content[0]"))),
                Arguments.of(
                        "{'role':'user','content':'a','audio':null,'extra':1}",
                        List.of(
                                new TextPart("a", "messages[0].content"),
                                new OpaquePart("field 'extra'", "messages[0].extra"))),
                Arguments.of(
                        "{'role':'assistant','content':null,'refusal':'No.'}",
                        List.of(new TextPart("No.", "messages[0].refusal"))),
                Arguments.of(
                        "{'role':'assistant','content':'a','reasoning_content':'r','reasoning':'s','annotations':[],'function_call':null}",
                        List.of(
                                new TextPart("r", "messages[0].reasoning_content"),
                                new TextPart("s", "messages[0].reasoning"),
                                new TextPart("a", "messages[0].content"))),
                Arguments.of(
                        "{'role':'assistant','content':[{'type':'refusal','refusal':'No.'}]}",
                        List.of(new TextPart("No.", "messages[0].content[0]"))),
                Arguments.of(
                        "{'role':'assistant','audio':{'id':'audio_1'}}",
                        List.of(new OpaquePart("field 'audio'", "messages[0].audio"))),
                Arguments.of(
                        "{'role':'assistant','content':null,'tool_calls':[{'id':'1','type':'function','function':{'name':'f','arguments':'{not json'}},"
                                + "{'id':'2','type':'custom','custom':{'name':'g','input':'text'}}]}",
                        List.of(
                                new ToolCallPart("f", "{not json", "messages[0].tool_calls[0]"),
                                new ToolCallPart("g", "text", "messages[0].tool_calls[1]"))),
                Arguments.of(
                        "{'role':'assistant','tool_calls':[{'function':{'name':'f','arguments':{'a':1}}},{'function':{'name':'f','arguments':'x'}}]}",
                        List.of(
                                new ToolCallPart("f", "{\"a\":1}", "messages[0].tool_calls[0]"),
                                new ToolCallPart("f", "x", "messages[0].tool_calls[1]"))),
                Arguments.of(
                        "{'role':'assistant','tool_calls':[{'id':'1','function':{'name':'f','arguments':'x','more':'y'}},7]}",
                        List.of(
                                new ToolCallPart("f", "x", "messages[0].tool_calls[0]"),
                                new OpaquePart("field 'more'", "messages[0].tool_calls[0].function.more"),
                                new OpaquePart("call of a tool", "messages[0].tool_calls[1]"))),
                Arguments.of(
                        "{'role':'assistant','content':null,'function_call':{'name':'f','arguments':'{}'}}",
                        List.of(new ToolCallPart("f", "{}", "messages[0].function_call"))),
                Arguments.of(
                        "{'role':'tool','tool_call_id':'1','content':'42'}",
                        List.of(new ToolResultPart("42", "messages[0].content"))),
                Arguments.of(
                        "{'role':'tool','tool_call_id':'1','content':[{'type':'text','text':'42'}]}",
                        List.of(new ToolResultPart("42", "messages[0].content[0]"))),
                Arguments.of(
                        "{'role':'function','name':'f','content':'42'}",
                        List.of(
                                new TextPart("f", "messages[0].name"),
                                new ToolResultPart("42", "messages[0].content", "f"))),
                Arguments.of("{'role':'user','content':''}", List.of(new TextPart("", "messages[0].content"))),
                Arguments.of("{'role':'user','content':[]}", List.of()));
    }

    @ParameterizedTest
    @MethodSource("messages")
    void readWhenAMessageHasPartsLeavesNoneOut(String message, List<Part> parts) {
        List<Turn> turns = dialect.read(json("{'messages':[" + message + "]}"))
                .conversation()
                .turns();

        assertThat(turns).hasSize(1);
        assertThat(turns.getFirst().parts()).isEqualTo(parts);
    }

    @Test
    void readWhenJsonInsideATextIsEscapedGivesItsCharactersToo() {
        List<Turn> turns = dialect.read(json("""
                {'messages':[
                  {'role':'assistant','tool_calls':[{'function':{'name':'f','arguments':'{\\u005cu0062omb}'}}]},
                  {'role':'tool','content':'\\u005cu4f60'},
                  {'role':'user','content':'\\u005cu4f60'}]}""")).conversation().turns();

        assertThat(turns)
                .containsExactly(
                        turn(
                                Role.ASSISTANT,
                                new ToolCallPart("f", "{\\u0062omb}", "messages[0].tool_calls[0]"),
                                new TextPart("{bomb}", "messages[0].tool_calls[0]")),
                        turn(
                                Role.TOOL,
                                new ToolResultPart("\\u4f60", "messages[1].content"),
                                new ToolResultPart("你", "messages[1].content")),
                        turn(Role.USER, new TextPart("\\u4f60", "messages[2].content")));
    }

    static Stream<Arguments> fields() {
        return Stream.of(
                Arguments.of(
                        "'temperature':0.7,'top_p':1,'n':2,'max_tokens':5,'seed':1,'logprobs':true,'top_logprobs':3,'stop':['a','b'],"
                                + "'user':'u','stream_options':{'include_usage':true},'service_tier':'auto','store':false,'metadata':{'a':'b'},"
                                + "'parallel_tool_calls':true,'logit_bias':{'50256':-100},'tool_choice':{'type':'function','function':{'name':'f'}},"
                                + "'safety_identifier':'s','prompt_cache_key':'p','reasoning_effort':'low','verbosity':'low','keep_alive':'5m',"
                                + "'modalities':['text'],'response_format':{'type':'json_object'},'prediction':null,'tools':[],'top_k':null",
                        List.of()),
                Arguments.of(
                        "'prediction':{'type':'content','content':'x'}",
                        List.of(new OpaquePart("field 'prediction'", "prediction"))),
                Arguments.of("'unheard_of':0", List.of(new OpaquePart("field 'unheard_of'", "unheard_of"))),
                Arguments.of(
                        "'tools':[{'type':'function','function':{'name':'f','description':'\\u0062omb'}},'x']",
                        List.of(
                                new ToolDefinitionPart(
                                        "f",
                                        "{\"type\":\"function\",\"function\":{\"name\":\"f\",\"description\":\"bomb\"}}",
                                        "tools[0]"),
                                new ToolDefinitionPart("", "x", "tools[1]"))),
                Arguments.of(
                        "'functions':[{'name':'f'}]",
                        List.of(new ToolDefinitionPart("f", "{\"name\":\"f\"}", "functions[0]"))),
                Arguments.of(
                        "'response_format':{'type':'json_schema','json_schema':{'name':'n'}}",
                        List.of(new TextPart(
                                "{\"type\":\"json_schema\",\"json_schema\":{\"name\":\"n\"}}", "response_format"))),
                Arguments.of("'user':'" + "x".repeat(257) + "'", List.of(new TextPart("x".repeat(257), "user"))),
                Arguments.of(
                        "'metadata':{'" + "x".repeat(300) + "':1}",
                        List.of(new TextPart("{\"" + "x".repeat(300) + "\":1}", "metadata"))));
    }

    @ParameterizedTest
    @MethodSource("fields")
    void readWhenThereAreOtherFieldsJudgesOrNamesThem(String fields, List<Part> parts) {
        List<Turn> turns = dialect.read(json("{" + HELLO + "," + fields + "}"))
                .conversation()
                .turns();

        Turn hello = turn(Role.USER, new TextPart("Hello", "messages[0].content"));
        assertThat(turns).isEqualTo(parts.isEmpty() ? List.of(hello) : List.of(new Turn(Role.SYSTEM, parts), hello));
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', textBlock = """
            ``                                                     |                        | it is empty
            {                                                      |                        | ends too early
            {'messages':[{'role':'user','con                       |                        | ends too early
            nonsense                                               |                        | does not belong there (line 1, column
            {'messages':[]} x                                      |                        | not valid JSON
            {'messages':[]}{}                                      |                        | follows the end
            {'messages':[],'messages':[]}                          |                        | there twice
            {'messages':NaN}                                       |                        | does not belong there
            []                                                     |                        | must be a JSON object, not a list
            'text'                                                 |                        | must be a JSON object, not a text
            null                                                   |                        | must be a JSON object, not null
            {}                                                     | messages               | missing or null
            {'messages':null}                                      | messages               | missing or null
            {'messages':'Hello'}                                   | messages               | must be a list of messages, not a text
            {'messages':{}}                                        | messages               | must be a list of messages, not an object
            {'messages':[]}                                        | messages               | is empty
            {'messages':['Hello']}                                 | messages[0]            | must be a message, which is an object, not a text
            {'messages':[null]}                                    | messages[0]            | not null
            {'messages':[{'content':'a'}]}                         | messages[0].role       | but is missing
            {'messages':[{'role':'wizard','content':'a'}]}         | messages[0].role       | but is 'wizard'
            {'messages':[{'role':'User','content':'a'}]}           | messages[0].role       | but is 'User'
            {'messages':[{'role':1,'content':'a'}]}                | messages[0].role       | but is a number
            {'messages':[{'role':'user'}]}                         | messages[0].content    | missing or null
            {'messages':[{'role':'user','content':null}]}          | messages[0].content    | missing or null
            {'messages':[{'role':'assistant','content':null}]}     | messages[0].content    | only an assistant's message that calls a tool
            {'messages':[{'role':'assistant','tool_calls':[]}]}    | messages[0].content    | missing or null
            {'messages':[{'role':'user','content':7}]}             | messages[0].content    | a list of parts, not a number
            {'messages':[{'role':'user','content':{}}]}            | messages[0].content    | a list of parts, not an object
            {'messages':[{'role':'user','content':true}]}          | messages[0].content    | a list of parts, not true or false
            {'messages':[{'role':'user','content':[7]}]}           | messages[0].content[0] | must be a part
            {'messages':[{'role':'user','content':[{'text':'a'}]}]}| messages[0].content[0].type | but is missing
            {'messages':[{'role':'user','content':[{'type':'text'}]}]} | messages[0].content[0].text | but is missing
            {'messages':[{'role':'user','content':[{'type':'text','text':1}]}]} | messages[0].content[0].text | but is a number
            {'messages':[{'role':'user','content':[{'type':'image_url'}]}]} | messages[0].content[0].image_url | but is missing
            {'messages':[{'role':'user','content':[{'type':'image_url','image_url':{}}]}]} | messages[0].content[0].image_url.url | but is missing
            {HELLO,'stream':'yes'}                                 | stream                 | must be true or false, not a text
            {HELLO,'stream':1}                                     | stream                 | must be true or false, not a number
            {HELLO,'n':50}                                         | n                      | from 1 to 8
            {HELLO,'n':0}                                          | n                      | from 1 to 8
            {HELLO,'n':1.5}                                        | n                      | from 1 to 8
            {HELLO,'n':99999999999999999999999999}                 | n                      | from 1 to 8
            {HELLO,'n':'2'}                                        | n                      | from 1 to 8
            {HELLO,'model':7}                                      | model                  | must be a text, not a number
            {HELLO,'temperature':'hot'}                            | temperature            | must be a number, not a text
            {HELLO,'logprobs':{}}                                  | logprobs               | must be true or false, not an object
            {HELLO,'Messages':[]}                                  | Messages               | only by case
            {HELLO,'meſſages':[]}                                  | meſſages               | only by case
            {'messages':[{'role':'user','content':'a','Content':'b'}]} | messages[0].Content | use 'content'
            {'messages':[{'role':'user','content':'a\\ud83d'}]}    | messages[0].content    | half of a surrogate pair
            {HELLO,'x':[{'y':'\\ude00\\ud83d'}]}                   | x[0].y                 | half of a surrogate pair
            {HELLO,'\\ud83d':1}                                    |                        | half of a surrogate pair
            """)
    void readWhenTheRequestIsMalformedSaysWhatAndWhere(String body, String param, String message) {
        byte[] bytes = json((body == null ? "" : body).replace("HELLO", HELLO));

        assertThatExceptionOfType(DialectException.class)
                .isThrownBy(() -> dialect.read(bytes))
                .withMessageContaining(message)
                .satisfies(e -> {
                    assertThat(e.error().status()).isEqualTo(400);
                    assertThat(e.error().type()).isEqualTo("invalid_request_error");
                    assertThat(e.error().param()).isEqualTo(param);
                });
    }

    @Test
    void readWhenAWholeSurrogatePairIsEscapedReadsTheCharacter() {
        Turn turn = dialect.read(json("{'messages':[{'role':'user','content':'\\ud83d\\ude00'}]}"))
                .conversation()
                .turns()
                .getFirst();

        assertThat(turn).isEqualTo(turn(Role.USER, new TextPart("😀", "messages[0].content")));
    }

    static Stream<Arguments> encodings() {
        String hello = new String(json("{" + HELLO + "}"), UTF_8);
        return Stream.of(
                Arguments.of("UTF-16", hello.getBytes(UTF_16)),
                Arguments.of("byte order mark", ("\uFEFF" + hello).getBytes(UTF_8)),
                Arguments.of("cut character", new byte[] {'"', (byte) 0xE2, (byte) 0x82, '"'}),
                Arguments.of("overlong form", new byte[] {'"', (byte) 0xC0, (byte) 0xAF, '"'}),
                Arguments.of("encoded surrogate", new byte[] {'"', (byte) 0xED, (byte) 0xA0, (byte) 0x80, '"'}));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("encodings")
    void readWhenTheBytesAreNotPlainUtf8Throws(String name, byte[] body) {
        assertThatExceptionOfType(DialectException.class)
                .isThrownBy(() -> dialect.read(body))
                .withMessageStartingWith("the body is not valid JSON: it")
                .satisfies(e -> assertThat(e.error().status()).isEqualTo(400));
    }

    @ParameterizedTest
    @ValueSource(ints = {201, 10_000, 1_000_000})
    void readWhenNestedTooDeepSaysSo(int depth) {
        byte[] body = json("{" + HELLO + ",'x':" + "[".repeat(depth) + "]".repeat(depth) + "}");

        assertThatExceptionOfType(DialectException.class)
                .isThrownBy(() -> dialect.read(body))
                .withMessageContaining("nested deeper than 200 levels");
    }

    @Test
    void readWhenThereAreTooManyTokensSaysSo() {
        byte[] body = json("{" + HELLO + ",'x':[" + "1,".repeat(1_000_000) + "1]}");

        assertThatExceptionOfType(DialectException.class)
                .isThrownBy(() -> dialect.read(body))
                .withMessageContaining("more than 1000000 tokens");
    }

    @Test
    void readWhenATextIsLongReadsAllOfIt() {
        String text = "ü".repeat(30_000_000);

        Turn turn = dialect.read(json("{'messages':[{'role':'user','content':'" + text + "'}]}"))
                .conversation()
                .turns()
                .getFirst();

        assertThat(((TextPart) turn.parts().getFirst()).text()).hasSize(text.length());
    }

    @Test
    void readWhenBytesAreChangedAtRandomThrowsNothingButDialectExceptions() {
        byte[] valid = json(
                "{'model':'m','n':1,'tools':[{'a':'b'}],'messages':[{'role':'assistant','content':[{'type':'text','text':'x'}],"
                        + "'tool_calls':[{'index':0,'id':'1','function':{'name':'f','arguments':'{}'}}]},{'role':'tool','content':'y'}]}");
        byte[] replacements = "\"{}[]:,01e.-tnu\\ \u0000".getBytes(UTF_8);
        for (int seed = 0; seed < 20_000; seed++) {
            Random random = new Random(seed);
            byte[] body = valid.clone();
            for (int i = random.nextInt(4); i >= 0; i--) {
                body[random.nextInt(body.length)] = replacements[random.nextInt(replacements.length)];
            }
            try {
                dialect.read(body);
            } catch (DialectException e) {
                assertThat(e.error().status()).as("seed %d", seed).isEqualTo(400);
            }
        }
    }

    private static Turn turn(Role role, Part... parts) {
        return new Turn(role, List.of(parts));
    }

    @Test
    void readWhenThereAreThousandsOfMessagesRefusesThem() {
        String messages = String.join(",", Collections.nCopies(1025, "{\"role\":\"user\",\"content\":\"a\"}"));
        byte[] body = ("{\"messages\":[" + messages + "]}").getBytes(UTF_8);

        assertThatExceptionOfType(DialectException.class)
                .isThrownBy(() -> new OpenAiChat(InstantSource.system()).read(body))
                .satisfies(refused -> assertThat(refused.error().message()).contains("send at most 1024"));
    }
}
