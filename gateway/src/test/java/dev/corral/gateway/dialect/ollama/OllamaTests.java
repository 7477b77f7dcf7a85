package dev.corral.gateway.dialect.ollama;

import static dev.corral.gateway.testing.Quoted.json;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.corral.gateway.dialect.AnswerStream;
import dev.corral.gateway.dialect.DialectException;
import dev.corral.gateway.dialect.FrameContent;
import dev.corral.gateway.dialect.FrameSplitter;
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
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class OllamaTests {

    private static final InstantSource CLOCK = InstantSource.fixed(Instant.ofEpochSecond(1_700_000_000));

    private final Ollama chat = new Ollama(OllamaApi.CHAT, CLOCK);
    private final Ollama generate = new Ollama(OllamaApi.GENERATE, CLOCK);

    @Test
    void readWhenAChatUsesEverythingKeepsAllTexts() {
        ModeratedRequest request = chat.read(json("""
                {'model':'llama3.2','keep_alive':'5m','think':true,'options':{'temperature':0.1,'stop':['x'],'num_ctx':9},
                 'format':{'type':'object'},'tools':[{'type':'function','function':{'name':'f'}}],
                 'messages':[
                  {'role':'system','content':'Be kind.'},
                  {'role':'user','content':'what','images':['iVBORw0']},
                  {'role':'assistant','content':'','thinking':'hm','tool_calls':[{'function':{'name':'f','arguments':{'a':'b'}}}]},
                  {'role':'tool','tool_name':'f','content':'found'}]}"""));

        assertThat(request.model()).isEqualTo("llama3.2");
        assertThat(request.stream()).isTrue();
        assertThat(request.conversation().turns())
                .containsExactly(
                        new Turn(
                                Role.SYSTEM,
                                List.of(
                                        new ToolDefinitionPart(
                                                "f",
                                                "{\"type\":\"function\",\"function\":{\"name\":\"f\"}}",
                                                "tools[0]"),
                                        new TextPart("{\"type\":\"object\"}", "format"))),
                        new Turn(Role.SYSTEM, List.of(new TextPart("Be kind.", "messages[0].content"))),
                        new Turn(
                                Role.USER,
                                List.of(
                                        new TextPart("what", "messages[1].content"),
                                        new ImagePart("data:image/png;base64,iVBORw0", "messages[1].images[0]"))),
                        new Turn(
                                Role.ASSISTANT,
                                List.of(
                                        new TextPart("hm", "messages[2].thinking"),
                                        new ToolCallPart("f", "{\"a\":\"b\"}", "messages[2].tool_calls[0]"))),
                        new Turn(
                                Role.TOOL,
                                List.of(
                                        new ToolResultPart("found", "messages[3].content", "f"),
                                        new TextPart("f", "messages[3].tool_name"))));
    }

    @Test
    void readWhenTextIsToBeGeneratedKeepsAllTexts() {
        ModeratedRequest request = generate.read(json("""
                {'model':'llama3.2','prompt':'once','suffix':'end','system':'Be kind.','template':'{{ .Prompt }}','raw':false,
                 'stream':false,'context':[1,2],'images':['/9j/AA'],'novelty':'x'}"""));

        assertThat(request.stream()).isFalse();
        assertThat(request.conversation().turns())
                .containsExactly(
                        new Turn(
                                Role.SYSTEM,
                                List.of(
                                        new TextPart("Be kind.", "system"),
                                        new TextPart("{{ .Prompt }}", "template"),
                                        new OpaquePart("field 'novelty'", "novelty"))),
                        new Turn(
                                Role.USER,
                                List.of(
                                        new TextPart("once", "prompt"),
                                        new ImagePart("data:image/jpeg;base64,/9j/AA", "images[0]"),
                                        new TextPart("end", "suffix"),
                                        new OpaquePart("context", "context"))));
    }

    @Test
    void readWhenAModelIsOnlyLoadedHasNothingToJudge() {
        assertThat(generate.read(json("{'model':'llama3.2'}")).conversation().turns())
                .isEmpty();
        assertThat(chat.read(json("{'model':'llama3.2','messages':[]}"))
                        .conversation()
                        .turns())
                .isEmpty();
    }

    @Test
    void readWhenTextsAreToBeEmbeddedMakesEachATurn() {
        OllamaEmbeddings embeddings = new OllamaEmbeddings();

        assertThat(embeddings
                        .read(json("{'model':'m','input':['a','b'],'truncate':true,'dimensions':8}"))
                        .conversation()
                        .turns())
                .containsExactly(
                        new Turn(Role.USER, List.of(new TextPart("a", "input[0]"))),
                        new Turn(Role.USER, List.of(new TextPart("b", "input[1]"))));
        assertThat(embeddings
                        .read(json("{'model':'m','prompt':'c'}"))
                        .conversation()
                        .turns())
                .containsExactly(new Turn(Role.USER, List.of(new TextPart("c", "prompt"))));
        assertThat(embeddings
                        .readAnswer(json("{'model':'m','embeddings':[[0.1,0.2]],'total_duration':1}"))
                        .choices())
                .isEmpty();
        assertThat(embeddings.read(json("{'model':'m','input':'a'}")).stream()).isFalse();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "[]",
                "{'messages':'x'}",
                "{'messages':[{'content':'x'}]}",
                "{'messages':[{'role':'god','content':'x'}]}",
                "{'messages':[{'role':'user','content':['x']}]}",
                "{'messages':[{'role':'user','content':'x','images':'AA'}]}",
                "{'messages':[{'role':'user','content':'x','CONTENT':'y'}]}",
                "{'messages':[],'stream':'yes'}",
                "{'messages':[],'options':[]}"
            })
    void readWhenAChatIsMalformedRefusesIt(String body) {
        assertThatExceptionOfType(DialectException.class)
                .isThrownBy(() -> chat.read(json(body)))
                .satisfies(e -> assertThat(e.error().status()).isEqualTo(400));
    }

    static Stream<Arguments> answers() {
        return Stream.of(
                Arguments.of(
                        "{'model':'m','created_at':'t','message':{'role':'assistant','content':'a','thinking':'b'},'done':true,'done_reason':'stop','eval_count':1}",
                        List.of(new TextPart("b", "message.thinking"), new TextPart("a", "message.content"))),
                Arguments.of(
                        "{'message':{'role':'assistant','content':'','tool_calls':[{'function':{'index':0,'name':'f','arguments':{}}}]},'done':true}",
                        List.of(new ToolCallPart("f", "{}", "message.tool_calls[0]"))),
                Arguments.of(
                        "{'response':'a','thinking':'b','context':[1,2,3],'done':true}",
                        List.of(new TextPart("b", "thinking"), new TextPart("a", "response"))),
                Arguments.of("{'response':'','context':['x']}", List.of(new OpaquePart("context", "context"))),
                Arguments.of(
                        "{'message':{'role':'assistant','content':'a','images':['AA']},'novelty':'x'}",
                        List.of(
                                new TextPart("a", "message.content"),
                                new OpaquePart("field 'images'", "message.images"),
                                new OpaquePart("field 'novelty'", "novelty"))),
                Arguments.of(
                        "{'message':{'content':'ab'},'logprobs':[{'token':'a','logprob':-1},{'token':'b','logprob':-1}]}",
                        List.of(new TextPart("ab", "message.content"))),
                Arguments.of(
                        "{'message':{'content':'ab'},'logprobs':[{'token':'x','logprob':-1}]}",
                        List.of(new TextPart("ab", "message.content"), new TextPart("x", "logprobs"))),
                Arguments.of("{'error':'model not found'}", List.of(new TextPart("model not found", "error"))));
    }

    @ParameterizedTest
    @MethodSource("answers")
    void readAnswerWhenItIsWholeKeepsAllTexts(String body, List<Part> parts) {
        assertThat(chat.readAnswer(json(body)).choices()).containsExactly(new Turn(Role.ASSISTANT, parts));
    }

    @ParameterizedTest
    @ValueSource(strings = {"{}", "[]", "{'message':", "{'choices':[]}"})
    void readAnswerWhenItIsNoneThrows(String body) {
        assertThatExceptionOfType(DialectException.class)
                .isThrownBy(() -> chat.readAnswer(json(body)))
                .satisfies(e -> assertThat(e.error().status()).isEqualTo(502));
    }

    @Test
    void acceptWhenTheStreamIsOrdinaryGathersItsText() {
        AnswerStream stream = chat.answerStream();

        assertThat(stream.accept(line("Hel"))).isEqualTo(FrameContent.of(3));
        assertThat(stream.accept(line("lo"))).isEqualTo(FrameContent.of(2));
        assertThat(stream.accept("\n".getBytes(UTF_8))).isEqualTo(FrameContent.of(0));
        assertThat(
                        stream.accept(
                                json(
                                        "{'model':'m','message':{'role':'assistant','content':''},'done':true,'done_reason':'stop'}\n")))
                .isEqualTo(FrameContent.last());
        assertThat(stream.soFar().choices())
                .containsExactly(new Turn(Role.ASSISTANT, List.of(new TextPart("Hello", "message.content"))));
    }

    @Test
    void acceptWhenTheLastLineHasTextCountsIt() {
        assertThat(generate.answerStream().accept(json("{'response':'abc','done':true}\n")))
                .isEqualTo(FrameContent.last(3));
    }

    @Test
    void refusalFramesWhenTextHasPassedBeginAParagraph() {
        AnswerStream stream = chat.answerStream();
        stream.accept(line("good"));
        stream.passed();
        stream.accept(line("bad"));

        assertThat(joined(stream.refusalFrames("No."))).isEqualTo("""
                        {"model":"m","created_at":"2023-11-14T22:13:20Z","message":{"role":"assistant","content":"\\n\\nNo."},"done":false}
                        {"model":"m","created_at":"2023-11-14T22:13:20Z","message":{"role":"assistant","content":""},"done":true,"done_reason":"content_filter","total_duration":0,"load_duration":0,"prompt_eval_count":0,"prompt_eval_duration":0,"eval_count":0,"eval_duration":0}
                        """);
        assertThat(joined(stream.replyFrames("No."))).contains("\"done_reason\":\"stop\"");
    }

    @Test
    void splitWhenLinesComeInAnyChunksGivesTheSameFrames() {
        byte[] bytes = "{\"a\":1}\n\n{\"b\":\"é\"}\r\n{\"c\"".getBytes(UTF_8);
        for (int size = 1; size <= bytes.length; size++) {
            FrameSplitter splitter = chat.frames(100);
            List<String> frames = new ArrayList<>();
            for (int from = 0; from < bytes.length; from += size) {
                byte[] chunk = Arrays.copyOfRange(bytes, from, Math.min(bytes.length, from + size));
                splitter.split(chunk).forEach(frame -> frames.add(new String(frame, UTF_8)));
            }
            splitter.flush().ifPresent(frame -> frames.add(new String(frame, UTF_8)));
            assertThat(frames).containsExactly("{\"a\":1}\n", "\n", "{\"b\":\"é\"}\r\n", "{\"c\"");
        }
        assertThatExceptionOfType(DialectException.class)
                .isThrownBy(() -> chat.frames(3).split("abcd".getBytes(UTF_8)));
    }

    private static byte[] line(String text) {
        return json("{'model':'m','created_at':'t','message':{'role':'assistant','content':'" + text
                + "'},'done':false}\n");
    }

    private static String joined(List<byte[]> frames) {
        return frames.stream().map(frame -> new String(frame, UTF_8)).collect(Collectors.joining());
    }
}
