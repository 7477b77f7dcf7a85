package dev.corral.gateway.dialect.openai;

import static dev.corral.gateway.testing.Quoted.frame;
import static dev.corral.gateway.testing.Quoted.json;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.corral.gateway.dialect.AnswerStream;
import dev.corral.gateway.dialect.DialectException;
import dev.corral.gateway.dialect.FrameContent;
import dev.corral.gateway.dialect.ModeratedRequest;
import dev.corral.guardmodels.conversation.Conversation;
import dev.corral.guardmodels.conversation.Part;
import dev.corral.guardmodels.conversation.Part.OpaquePart;
import dev.corral.guardmodels.conversation.Part.TextPart;
import dev.corral.guardmodels.conversation.Role;
import dev.corral.guardmodels.conversation.Turn;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.springframework.http.HttpMethod;

class OpenAiCompletionsTests {

    private final OpenAiCompletions dialect =
            new OpenAiCompletions(InstantSource.fixed(Instant.ofEpochSecond(1_700_000_000)));

    private final ModeratedRequest request = new ModeratedRequest(new Conversation(List.of()), "llama", false);

    @Test
    void servesWhenItIsAPostOfCompletionsThatAreNotOfAChat() {
        assertThat(dialect.serves(HttpMethod.POST, "/v1/completions")).isTrue();
        assertThat(dialect.serves(HttpMethod.POST, "/v1/completions/")).isTrue();
        assertThat(dialect.serves(HttpMethod.POST, "/v1/chat/completions")).isFalse();
        assertThat(dialect.serves(HttpMethod.GET, "/v1/completions")).isFalse();
    }

    @Test
    void readWhenThePromptIsATextHasOneTurn() {
        ModeratedRequest read = dialect.read(
                json(
                        "{'model':'llama','prompt':'def f(','suffix':'return x','stream':true,'echo':true,'logprobs':3,'n':2}"));

        assertThat(read.model()).isEqualTo("llama");
        assertThat(read.stream()).isTrue();
        assertThat(read.conversation().turns())
                .containsExactly(user(new TextPart("def f(", "prompt"), new TextPart("return x", "suffix")));
    }

    @Test
    void readWhenThereAreSeveralPromptsJudgesEachAlone() {
        ModeratedRequest read = dialect.read(json("{'prompt':['a',[1,2],'b']}"));

        assertThat(read.judgements())
                .containsExactly(
                        new Conversation(List.of(user(new TextPart("a", "prompt[0]")))),
                        new Conversation(List.of(user(new OpaquePart("prompt of tokens", "prompt[1]")))),
                        new Conversation(List.of(user(new TextPart("b", "prompt[2]")))));
    }

    @Test
    void readWhenThePromptIsOfTokensIsOpaque() {
        assertThat(dialect.read(json("{'prompt':[1,2,3]}")).conversation().turns())
                .containsExactly(user(new OpaquePart("prompt of tokens", "prompt")));
    }

    @Test
    void readWhenAFieldIsNotKnownIsOpaque() {
        assertThat(dialect.read(json("{'prompt':'a','prompt_embeds':'AAAA'}"))
                        .conversation()
                        .turns())
                .containsExactly(
                        new Turn(Role.SYSTEM, List.of(new OpaquePart("field 'prompt_embeds'", "prompt_embeds"))),
                        user(new TextPart("a", "prompt")));
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', textBlock = """
            {}                        | prompt    | is missing or null
            {'prompt':[]}             | prompt    | has 0 texts
            {'prompt':7}              | prompt    | must be a text
            {'prompt':['a',7]}        | prompt[1] | must be a text
            {'prompt':'a','n':9}      | n         | from 1 to 8
            {'prompt':'a','echo':1}   | echo      | true or false
            {'prompt':'a','Prompt':'b'} | Prompt  | only by case
            """)
    void readWhenTheRequestIsMalformedSaysWhatAndWhere(String body, String param, String message) {
        assertThatExceptionOfType(DialectException.class)
                .isThrownBy(() -> dialect.read(json(body)))
                .withMessageContaining(message)
                .satisfies(e -> assertThat(e.error().param()).isEqualTo(param));
    }

    @Test
    void readAnswerWhenTokensSpellTheTextHasItOnce() {
        assertThat(dialect.readAnswer(json("{'id':'c','object':'text_completion','choices':[{'index':0,'text':'Hello',"
                                + "'finish_reason':'stop','logprobs':{'tokens':['Hel','lo'],'token_logprobs':[-1,-2],"
                                + "'top_logprobs':[{'Hel':-1},{'lo':-2}],'text_offset':[0,3]}}]}"))
                        .choices())
                .containsExactly(assistant(new TextPart("Hello", "choices[0].text")));
    }

    @Test
    void readAnswerWhenTokensSpellAnotherTextHasBoth() {
        assertThat(dialect.readAnswer(json("{'choices':[{'index':0,'text':'Hello','logprobs':{'tokens':['kill']}}]}"))
                        .choices())
                .containsExactly(assistant(
                        new TextPart("Hello", "choices[0].text"), new TextPart("kill", "choices[0].logprobs.text")));
    }

    @Test
    void acceptWhenTheStreamIsOrdinaryGathersItsText() {
        AnswerStream stream = dialect.answerStream();
        assertThat(stream.accept(chunk("Hel"))).isEqualTo(FrameContent.of(3));
        assertThat(stream.accept(chunk("lo"))).isEqualTo(FrameContent.of(2));
        assertThat(stream.accept(frame("{'choices':[{'index':0,'text':'','finish_reason':'stop'}]}")))
                .isEqualTo(FrameContent.of(0));
        assertThat(stream.accept(frame("[DONE]"))).isEqualTo(FrameContent.last());
        assertThat(stream.soFar().choices()).containsExactly(assistant(new TextPart("Hello", "choices[0].text")));
    }

    @Test
    void refusalWhenWholeSaysItInItsText() {
        assertThat(text(dialect.refusal(request, "42", "No.").body())).isEqualTo("""
                {"id":"cmpl-42","object":"text_completion","created":1700000000,"model":"llama","choices":[{"index":0,\
                "text":"No.","logprobs":null,"finish_reason":"content_filter"}],\
                "usage":{"prompt_tokens":0,"completion_tokens":0,"total_tokens":0}}""");
    }

    @Test
    void refusalStreamWhenNothingWasSentIsAWholeStream() {
        assertThat(dialect.refusalStream(request, "42", "No.").stream().map(OpenAiCompletionsTests::text))
                .containsExactly(
                        golden("cmpl-42", "No.", "null"),
                        golden("cmpl-42", "", "\"content_filter\""),
                        "data: [DONE]\n\n");
    }

    @Test
    void refusalFramesWhenSomeTextHasPassedEndItsChoice() {
        AnswerStream stream = dialect.answerStream();
        stream.accept(
                frame("{'id':'cmpl-9','model':'llama','created':1700000000,'choices':[{'index':0,'text':'Hi'}]}"));
        stream.passed();
        assertThat(stream.refusalFrames("No.").stream().map(OpenAiCompletionsTests::text))
                .containsExactly(
                        golden("cmpl-9", "No.", "null"),
                        golden("cmpl-9", "", "\"content_filter\""),
                        "data: [DONE]\n\n");
    }

    private static String golden(String id, String text, String end) {
        return "data: {\"id\":\"" + id + "\",\"object\":\"text_completion\",\"created\":1700000000,\"model\":\"llama\","
                + "\"choices\":[{\"index\":0,\"text\":\"" + text + "\",\"logprobs\":null,\"finish_reason\":" + end
                + "}]}\n\n";
    }

    private static byte[] chunk(String text) {
        return frame("{'id':'c','choices':[{'index':0,'text':'" + text + "','finish_reason':null}]}");
    }

    private static String text(byte[] bytes) {
        return new String(bytes, UTF_8);
    }

    private static Turn user(Part... parts) {
        return new Turn(Role.USER, List.of(parts));
    }

    private static Turn assistant(Part... parts) {
        return new Turn(Role.ASSISTANT, List.of(parts));
    }
}
