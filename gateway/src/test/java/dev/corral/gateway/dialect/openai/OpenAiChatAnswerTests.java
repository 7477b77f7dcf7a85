package dev.corral.gateway.dialect.openai;

import static dev.corral.gateway.testing.Quoted.json;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.corral.gateway.dialect.Answer;
import dev.corral.gateway.dialect.DialectException;
import dev.corral.guardmodels.conversation.Part;
import dev.corral.guardmodels.conversation.Part.OpaquePart;
import dev.corral.guardmodels.conversation.Part.TextPart;
import dev.corral.guardmodels.conversation.Part.ToolCallPart;
import dev.corral.guardmodels.conversation.Role;
import dev.corral.guardmodels.conversation.Turn;
import java.time.InstantSource;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class OpenAiChatAnswerTests {

    private final OpenAiChat dialect = new OpenAiChat(InstantSource.system());

    @Test
    void readAnswerWhenItIsOrdinaryGivesATurnForEachChoice() {
        byte[] body = json("""
                {'id':'chatcmpl-1','object':'chat.completion','created':1,'model':'llama','system_fingerprint':null,
                 'service_tier':'default','prompt_logprobs':null,'kv_transfer_params':null,
                 'choices':[
                  {'index':1,'message':{'role':'assistant','content':'two'},'finish_reason':'stop'},
                  {'index':0,'message':{'role':'assistant','content':'one','refusal':null,'annotations':[],'audio':null,
                   'function_call':null,'tool_calls':[],'reasoning_content':null},'logprobs':null,'finish_reason':'stop','stop_reason':128009}],
                 'usage':{'prompt_tokens':1,'completion_tokens':2,'total_tokens':3,'prompt_tokens_details':{'cached_tokens':0}}}""");

        assertThat(dialect.readAnswer(body).choices())
                .containsExactly(
                        turn(new TextPart("one", "choices[0].message.content")),
                        turn(new TextPart("two", "choices[1].message.content")));
    }

    static Stream<Arguments> choices() {
        String content = "choices[0].message.content";
        return Stream.of(
                Arguments.of("'message':{'content':null}", List.of()),
                Arguments.of(
                        "'message':{'content':[{'type':'text','text':'a'},'b',{'type':'text','text':'c'}]}",
                        List.of(new TextPart("abc", content))),
                Arguments.of(
                        "'message':{'content':[{'type':'output_audio','data':'AA'},7,{'type':'text','text':'a','x':'y'}]}",
                        List.of(
                                new TextPart("a", content),
                                new OpaquePart("part of type 'output_audio'", content + "[0]"),
                                new OpaquePart("part without a type", content + "[1]"),
                                new OpaquePart("field 'x'", content + "[2].x"))),
                Arguments.of("'message':{'content':7}", List.of(new OpaquePart("field 'content'", content))),
                Arguments.of(
                        "'message':{'content':'a','refusal':'No.'}",
                        List.of(new TextPart("a", content), new TextPart("No.", "choices[0].message.refusal"))),
                Arguments.of(
                        "'message':{'content':'a','reasoning_content':'r','reasoning':'s','thinking':'t'}",
                        List.of(
                                new TextPart("r", "choices[0].message.reasoning_content"),
                                new TextPart("s", "choices[0].message.reasoning"),
                                new TextPart("t", "choices[0].message.thinking"),
                                new TextPart("a", content))),
                Arguments.of(
                        "'message':{'content':null,'tool_calls':[{'id':'1','type':'function','function':{'name':'f','arguments':'{}'}},"
                                + "{'id':'2','type':'function','function':{'name':'g','arguments':'x'}}]},'finish_reason':'tool_calls'",
                        List.of(
                                new ToolCallPart("f", "{}", "choices[0].message.tool_calls[0]"),
                                new ToolCallPart("g", "x", "choices[0].message.tool_calls[1]"))),
                Arguments.of(
                        "'message':{'function_call':{'name':'f','arguments':'{}'}}",
                        List.of(new ToolCallPart("f", "{}", "choices[0].message.function_call"))),
                Arguments.of(
                        "'message':{'content':'a','audio':{'data':'AA','transcript':'b'}}",
                        List.of(
                                new TextPart("a", content),
                                new OpaquePart("field 'audio'", "choices[0].message.audio"))),
                Arguments.of(
                        "'message':{'content':'a','annotations':[{'type':'url_citation','url_citation':{'title':'b','start_index':1}}]}",
                        List.of(
                                new TextPart("a", content),
                                new TextPart("url_citation", "choices[0].message.annotations.type"),
                                new TextPart("b", "choices[0].message.annotations.url_citation.title"))),
                Arguments.of(
                        "'message':{'content':'a','Content':'b'},'text':'c','flag':true,'empty':{}",
                        List.of(
                                new TextPart("a", content),
                                new OpaquePart("field 'Content'", "choices[0].message.Content"),
                                new OpaquePart("field 'text'", "choices[0].text"))),
                Arguments.of(
                        "'message':{'content':'a'},'finish_reason':'" + "x".repeat(257) + "'",
                        List.of(new TextPart("a", content), new TextPart("x".repeat(257), "choices[0].finish_reason"))),
                Arguments.of(
                        "'message':{'content':'ab'},'logprobs':{'content':[{'token':'a','logprob':-1,'bytes':[97],'top_logprobs':[]},{'token':'b','logprob':-1,'bytes':null}],'refusal':null}",
                        List.of(new TextPart("ab", content))),
                Arguments.of(
                        "'message':{'content':'ä'},'logprobs':{'content':[{'token':'�','bytes':[195]},{'token':'�','bytes':[164]}]}",
                        List.of(new TextPart("ä", content))),
                Arguments.of(
                        "'message':{'content':'ab'},'logprobs':{'content':[{'token':'x'},{'token':'y'}]}",
                        List.of(new TextPart("ab", content), new TextPart("xy", "choices[0].logprobs.content"))),
                Arguments.of(
                        "'message':{'content':''},'logprobs':{'tokens':['a'],'content':['b',{'token':'c','text':'d'}]}",
                        List.of(
                                new TextPart("c", "choices[0].logprobs.content"),
                                new OpaquePart("field 'logprobs'", "choices[0].logprobs.content"),
                                new OpaquePart("field 'text'", "choices[0].logprobs.content.text"),
                                new OpaquePart("field 'tokens'", "choices[0].logprobs.tokens"))),
                Arguments.of("'message':{'content':'a\\ud83d'}", List.of(new TextPart("a\uFFFD", content))),
                Arguments.of("'message':'text'", List.of(new OpaquePart("field 'message'", "choices[0].message"))),
                Arguments.of(
                        "'error':{'message':'out of memory','code':500}",
                        List.of(new TextPart("out of memory", "choices[0].error.message"))));
    }

    @ParameterizedTest
    @MethodSource("choices")
    void readAnswerWhenAChoiceHasPartsLeavesNoneOut(String choice, List<Part> parts) {
        byte[] body = json("{'choices':[{'index':0," + choice + "}]}");

        assertThat(dialect.readAnswer(body).choices()).containsExactly(new Turn(Role.ASSISTANT, parts));
    }

    static Stream<Arguments> outsideOfChoices() {
        return Stream.of(
                Arguments.of(
                        "{'error':{'message':'No model','type':'x','param':null,'code':404}}",
                        List.of(new TextPart("No model", "error.message"), new TextPart("x", "error.type"))),
                Arguments.of("{'error':'No model'}", List.of(new TextPart("No model", "error"))),
                Arguments.of(
                        "{'object':'error','message':'No model','code':404}",
                        List.of(new TextPart("No model", "message"))),
                Arguments.of(
                        "{'detail':[{'msg':'wrong','loc':['body',1]}]}",
                        List.of(new TextPart("wrong", "detail.msg"), new TextPart("body", "detail.loc"))),
                Arguments.of(
                        "{'choices':[],'citations':['https://x']}",
                        List.of(new OpaquePart("field 'citations'", "citations"))),
                Arguments.of(
                        "{'choices':[],'model':'" + "x".repeat(257) + "'}",
                        List.of(new TextPart("x".repeat(257), "model"))));
    }

    @ParameterizedTest
    @MethodSource("outsideOfChoices")
    void readAnswerWhenTextBelongsToNoChoiceGivesItAsALastTurn(String body, List<Part> parts) {
        assertThat(dialect.readAnswer(json(body)).choices()).containsExactly(new Turn(Role.ASSISTANT, parts));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "<html><body>Bad gateway</body></html>",
                "{'choices':[{'message':{'content':'cut",
                "{'choices':[],'choices':[]}",
                "[]",
                "'text'",
                "{}",
                "{'id':'1','object':'chat.completion'}",
                "{'choices':'text'}",
                "{'choices':['text']}",
                "{'choices':[{'index':-1}]}",
                "{'choices':[{'index':1000000}]}"
            })
    void readAnswerWhenItCannotBeReadIsTheUpstreamsErrorWithoutItsWords(String body) {
        assertThatExceptionOfType(DialectException.class)
                .isThrownBy(() -> dialect.readAnswer(json(body)))
                .withMessageStartingWith("the upstream's answer cannot be read: ")
                .satisfies(e -> {
                    assertThat(e.error().status()).isEqualTo(502);
                    assertThat(e.error().type()).isEqualTo("upstream_error");
                    assertThat(e.getMessage()).doesNotContain("html", "gateway", "text");
                });
    }

    @ParameterizedTest
    @CsvSource({
        "hi, '[104,105]', false",
        "hi, null, false",
        "bytes:\\xf0, '[240]', false",
        "harm, '[]', true",
        "harm, '[104,105]', true"
    })
    void readAnswerWhenATokenSaysAnotherThingThanItsBytesJudgesBoth(String token, String bytes, boolean judged) {
        Answer answer =
                dialect.readAnswer(json("{'choices':[{'index':0,'message':{'content':'hi'},'logprobs':{'content':["
                        + "{'token':'" + token.replace("\\", "\\\\") + "','bytes':" + bytes + ",'logprob':0}]}}]}"));

        assertThat(answer.choices().getFirst().parts().stream()
                        .anyMatch(part ->
                                part instanceof TextPart text && text.text().equals(token)))
                .isEqualTo(judged || token.equals("hi"));
    }

    @Test
    void readAnswerWhenBytesAreChangedAtRandomThrowsNothingButDialectExceptions() {
        byte[] valid = json(
                "{'id':'1','choices':[{'index':0,'message':{'content':[{'type':'text','text':'x'}],'tool_calls':[{'index':0,'id':'1',"
                        + "'function':{'name':'f','arguments':'{}'}}]},'logprobs':{'content':[{'token':'x','bytes':[120]}]}}],'usage':{'n':1}}");
        byte[] replacements = "\"{}[]:,01e.-tnu\\ \u0000".getBytes(UTF_8);
        for (int seed = 0; seed < 20_000; seed++) {
            Random random = new Random(seed);
            byte[] body = valid.clone();
            for (int i = random.nextInt(4); i >= 0; i--) {
                body[random.nextInt(body.length)] = replacements[random.nextInt(replacements.length)];
            }
            try {
                dialect.readAnswer(body);
            } catch (DialectException e) {
                assertThat(e.error().status()).as("seed %d", seed).isEqualTo(502);
            }
        }
    }

    private static Turn turn(Part... parts) {
        return new Turn(Role.ASSISTANT, List.of(parts));
    }
}
