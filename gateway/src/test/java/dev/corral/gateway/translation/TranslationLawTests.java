package dev.corral.gateway.translation;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.corral.gateway.dialect.DialectException;
import dev.corral.gateway.dialect.StrictJson;
import dev.corral.gateway.translation.Wordings.Direction;
import java.io.ByteArrayOutputStream;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.JsonNodeFactory;

/** There and back again means the same: generated requests, answers and streams, of what both sides can say. */
class TranslationLawTests {

    private static final int RUNS = 300;
    private static final JsonNodeFactory JSON = JsonNodeFactory.instance;
    private static final List<String> WORDS =
            List.of("rain", "Grüße", "\"quoted\"", "🙂", "a\nb", "{\"x\":1}", "\\u0041", "data: [DONE]", " ");

    static List<Direction> directions() {
        return Direction.all().toList();
    }

    @ParameterizedTest
    @MethodSource("directions")
    void requestWhenItIsTranslatedThereAndBackMeansTheSame(Direction direction) {
        Random random = new Random(1);
        for (int i = 0; i < RUNS; i++) {
            ChatRequest request = new Invention(random, direction).request();
            byte[] first = StrictJson.bytes(
                    RequestWriter.of(target(direction.client())).write(request));
            byte[] there = direction.request(first);
            byte[] back = direction.back().request(there);
            assertThat(meaning(read(direction.client(), back)))
                    .as("%s", new String(there, UTF_8))
                    .isEqualTo(meaning(read(direction.client(), first)));
            assertThat(direction.request(back))
                    .as("the same request is the same bytes")
                    .isEqualTo(there);
        }
    }

    @ParameterizedTest
    @MethodSource("directions")
    void answerWhenItIsTranslatedThereAndBackMeansTheSame(Direction direction) {
        Random random = new Random(2);
        for (int i = 0; i < RUNS; i++) {
            byte[] first = StrictJson.bytes(
                    writer(direction.upstream()).whole(WholeAnswer.of(new Invention(random, direction).answer())));
            byte[] back = direction.back().answer(direction.answer(first));
            assertThat(meaning(whole(direction.upstream(), back)))
                    .isEqualTo(meaning(whole(direction.upstream(), first)));
        }
    }

    @ParameterizedTest
    @MethodSource("directions")
    void streamWhenItIsTranslatedThereAndBackMeansTheSameWhateverItsChunks(Direction direction) {
        Random random = new Random(3);
        for (int i = 0; i < RUNS; i++) {
            byte[] first = stream(direction.upstream(), new Invention(random, direction).answer());
            byte[] there = direction.stream(Wordings.pieces(first, random));
            assertThat(direction.stream(List.of(first))).isEqualTo(there);
            byte[] back = direction.back().stream(Wordings.pieces(there, random));
            assertThat(meaning(streamed(direction.upstream(), back)))
                    .isEqualTo(meaning(streamed(direction.upstream(), first)));
        }
    }

    /** What came before is said first; only then comes the failure. */
    @ParameterizedTest
    @MethodSource("directions")
    void streamWhenItCannotBeReadAnyFurtherSaysWhatCameBeforeWhateverItsChunks(Direction direction) {
        Random random = new Random(6);
        ByteArrayOutputStream said = new ByteArrayOutputStream();
        AnswerWriter upstream = writer(direction.upstream());
        List.of(new Delta.Begin("id", "m"), new Delta.Text("Hello "), new Delta.Text("to you"))
                .forEach(delta -> upstream.write(delta).forEach(said::writeBytes));
        said.writeBytes("data: {broken\n\n{broken\n".getBytes(UTF_8));
        List<String> outcomes = new ArrayList<>();
        for (int i = 0; i < 50; i++) {
            StreamTranslation stream =
                    direction.some().stream(Wordings.dialect(direction.client()), Wordings.EXCHANGE, 1 << 20);
            ByteArrayOutputStream written = new ByteArrayOutputStream();
            List<byte[]> chunks = i == 0 ? List.of(said.toByteArray()) : Wordings.pieces(said.toByteArray(), random);
            assertThatExceptionOfType(DialectException.class)
                    .isThrownBy(() -> {
                        chunks.forEach(chunk -> stream.next(chunk).forEach(written::writeBytes));
                        stream.end();
                    })
                    .withMessageContaining("not valid JSON");
            outcomes.add(written.toString(UTF_8));
        }
        assertThat(outcomes.getFirst()).contains("Hello ", "to you");
        assertThat(outcomes).containsOnly(outcomes.getFirst());
    }

    /** What a stream says is what the whole answer says. */
    @ParameterizedTest
    @MethodSource("directions")
    void streamWhenItIsTranslatedSaysWhatTheWholeAnswerSays(Direction direction) {
        Random random = new Random(4);
        for (int i = 0; i < RUNS; i++) {
            List<Delta> said = new Invention(random, direction).answer();
            byte[] whole = direction.answer(
                    StrictJson.bytes(writer(direction.upstream()).whole(WholeAnswer.of(said))));
            byte[] stream = direction.stream(List.of(stream(direction.upstream(), said)));
            assertThat(meaning(streamed(direction.client(), stream)))
                    .isEqualTo(meaning(whole(direction.client(), whole)));
        }
    }

    private static Target target(ChatApi api) {
        return new Target(api, Wordings.UPSTREAM, Wordings.MAX_TOKENS);
    }

    private static ChatRequest read(ChatApi api, byte[] body) {
        return RequestReader.of(api, target(api)).read(Wordings.json(body));
    }

    private static AnswerWriter writer(ChatApi api) {
        return AnswerWriter.of(
                api, new Letterhead(Wordings.dialect(api), Wordings.EXCHANGE, Wordings.CLOCK.instant(), true));
    }

    private static WholeAnswer whole(ChatApi api, byte[] answer) {
        return WholeAnswer.of(AnswerReader.of(api, "call_").whole(Wordings.json(answer)));
    }

    private static byte[] stream(ChatApi api, List<Delta> said) {
        AnswerWriter writer = writer(api);
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        said.forEach(delta -> writer.write(delta).forEach(bytes::writeBytes));
        return bytes.toByteArray();
    }

    private static WholeAnswer streamed(ChatApi api, byte[] stream) {
        AnswerReader reader = AnswerReader.of(api, "call_");
        List<Delta> deltas = new ArrayList<>();
        AnswerReader.frames(api, 1 << 20).split(stream).forEach(frame -> deltas.addAll(reader.frame(frame)));
        assertThat(deltas).last().isEqualTo(new Delta.End());
        return WholeAnswer.of(deltas);
    }

    /** Without places, and with what each API may cut into pieces in one piece. */
    private static List<Object> meaning(ChatRequest request) {
        List<Object> meaning = new ArrayList<>();
        meaning.add(request.model());
        meaning.add(request.stream());
        String speaker = "";
        List<Object> said = List.of();
        for (Message message : request.messages()) {
            String next = message.getClass().getSimpleName();
            if (!next.equals(speaker) || next.equals("Result")) {
                said = new ArrayList<>(List.of(next));
                meaning.add(said);
            }
            speaker = next;
            said.addAll(
                    switch (message) {
                        case Message.Instructions instructions -> instructions.texts();
                        case Message.Question question -> meaning(question.content());
                        case Message.Reply reply -> meaning(reply.content());
                        case Message.Result result -> {
                            List<Object> of = new ArrayList<>(List.of(result.callId()));
                            of.addAll(meaning(result.content()));
                            yield of;
                        }
                    });
        }
        request.tools()
                .forEach(tool ->
                        meaning.add(new Tool(tool.name(), tool.description(), tool.schema(), tool.strict(), "")));
        meaning.add(
                switch (request.toolChoice()) {
                    case ToolChoice.Auto auto -> auto;
                    case ToolChoice.None _ -> "none";
                    case ToolChoice.Any _ -> "any";
                    case ToolChoice.Named named -> named.name();
                });
        request.format()
                .ifPresent(format -> meaning.add(format instanceof Format.Schema schema ? schema.schema() : "json"));
        request.settings().forEach((setting, given) -> meaning.add(setting + "=" + given.value()));
        return meaning;
    }

    private static List<Object> meaning(WholeAnswer answer) {
        List<Object> meaning = new ArrayList<>(meaning(answer.content()));
        meaning.add(answer.model());
        meaning.add(answer.stop());
        meaning.add(answer.usage());
        return meaning;
    }

    private static List<Object> meaning(List<Content> content) {
        List<Object> meaning = new ArrayList<>();
        for (Content each : content) {
            switch (each) {
                case Content.Text text -> {
                    if (!text.text().isEmpty()) {
                        meaning.add(text.text());
                    }
                }
                case Content.Thought thought -> meaning.add(new Content.Thought(thought.text(), ""));
                case Content.InlineImage image ->
                    meaning.add(new Content.InlineImage(image.mediaType(), image.base64(), ""));
                case Content.LinkedImage image -> meaning.add(new Content.LinkedImage(image.url(), ""));
                case Content.Call call ->
                    meaning.add(List.of(call.id(), call.name(), AnswerWriter.arguments(call.name(), call.arguments())));
            }
        }
        return meaning;
    }

    /** Makes up what both sides of a direction can say. */
    private record Invention(Random random, Direction direction) {

        boolean maybe() {
            return random.nextBoolean();
        }

        boolean isSaid(ChatApi api) {
            return direction.client() == api || direction.upstream() == api;
        }

        String text() {
            StringBuilder text = new StringBuilder(WORDS.get(random.nextInt(WORDS.size() - 1)));
            for (int i = random.nextInt(6); i > 0; i--) {
                text.append(' ').append(WORDS.get(random.nextInt(WORDS.size())));
            }
            return text.toString();
        }

        JsonNode object() {
            var object = JSON.objectNode();
            for (int i = random.nextInt(3); i > 0; i--) {
                switch (random.nextInt(4)) {
                    case 0 -> object.put(text(), random.nextInt());
                    case 1 -> object.put(text(), text());
                    case 2 -> object.putArray(text()).add(maybe()).addNull();
                    default -> object.putObject(text()).put("n", 0.5);
                }
            }
            return object;
        }

        ChatRequest request() {
            List<Message> messages = new ArrayList<>();
            if (maybe()) {
                messages.add(new Message.Instructions(maybe() ? List.of(text()) : List.of(text(), text()), ""));
            }
            for (int turn = random.nextInt(4); turn >= 0; turn--) {
                messages.add(question());
                List<Content.Call> calls = new ArrayList<>();
                for (int i = random.nextInt(3); i > 0; i--) {
                    calls.add(new Content.Call(
                            "call_" + messages.size() + "x" + i,
                            maybe() ? "weather" : "now",
                            StrictJson.render(object()),
                            ""));
                }
                List<Content> reply = new ArrayList<>();
                if (maybe() && !isSaid(ChatApi.ANTHROPIC)) {
                    reply.add(new Content.Thought(text(), ""));
                }
                if (maybe() || calls.isEmpty()) {
                    reply.add(new Content.Text(text()));
                }
                reply.addAll(calls);
                messages.add(new Message.Reply(reply, ""));
                calls.forEach(call ->
                        messages.add(new Message.Result(call.id(), "", List.of(new Content.Text(text())), false, "")));
            }
            messages.add(question());
            List<Tool> tools = new ArrayList<>();
            for (int i = random.nextInt(3); i > 0; i--) {
                tools.add(
                        new Tool("tool" + i, maybe() ? text() : "", object(), maybe() && !isSaid(ChatApi.OLLAMA), ""));
            }
            return new ChatRequest(text(), maybe(), true, messages, tools, choice(tools), format(), settings());
        }

        Message question() {
            List<Content> content = new ArrayList<>(List.of(new Content.Text(text())));
            for (int i = random.nextInt(4); i > 0; i--) {
                content.add(
                        maybe()
                                ? new Content.Text(text())
                                : maybe() && !isSaid(ChatApi.OLLAMA)
                                        ? new Content.LinkedImage("https://example.com/" + i + ".png", "")
                                        : new Content.InlineImage("image/png", "iVBORw0KGgo" + i, ""));
            }
            return new Message.Question(content, "");
        }

        ToolChoice choice(List<Tool> tools) {
            return tools.isEmpty() || isSaid(ChatApi.OLLAMA)
                    ? new ToolChoice.Auto()
                    : switch (random.nextInt(4)) {
                        case 0 -> new ToolChoice.Auto();
                        case 1 -> new ToolChoice.None();
                        case 2 -> new ToolChoice.Any("");
                        default -> new ToolChoice.Named(tools.getFirst().name(), "");
                    };
        }

        Optional<Format> format() {
            return switch (random.nextInt(3)) {
                case 0 ->
                    Optional.of(new Format.Schema(
                            "answer", JSON.objectNode().put("type", "object").set("of", object()), true, ""));
                case 1 -> isSaid(ChatApi.ANTHROPIC) ? Optional.empty() : Optional.of(new Format.Json(""));
                default -> Optional.empty();
            };
        }

        Map<Setting, Given> settings() {
            Map<Setting, Given> settings = new EnumMap<>(Setting.class);
            give(settings, Setting.MAX_TOKENS, JSON.numberNode(1 + random.nextInt(9000)));
            if (maybe()) {
                give(settings, Setting.TEMPERATURE, JSON.numberNode(random.nextInt(100) / 100.0));
            }
            if (maybe()) {
                give(settings, Setting.TOP_P, JSON.numberNode(0.5));
            }
            if (maybe()) {
                give(settings, Setting.TOP_K, JSON.numberNode(random.nextInt(100)));
            }
            if (maybe()) {
                give(settings, Setting.STOP, JSON.arrayNode().add(text()));
            }
            if (maybe() && !isSaid(ChatApi.ANTHROPIC)) {
                give(settings, Setting.SEED, JSON.numberNode(random.nextInt()));
                give(settings, Setting.MIN_P, JSON.numberNode(0.25));
                give(settings, Setting.PRESENCE_PENALTY, JSON.numberNode(-0.5));
                give(settings, Setting.FREQUENCY_PENALTY, JSON.numberNode(1.5));
                give(settings, Setting.THINKING, JSON.stringNode("high"));
            } else if (maybe()) {
                give(settings, Setting.THINKING, JSON.stringNode("off"));
            }
            if (maybe() && !isSaid(ChatApi.OLLAMA)) {
                give(settings, Setting.USER, JSON.stringNode(text()));
            }
            return settings;
        }

        void give(Map<Setting, Given> settings, Setting setting, JsonNode value) {
            settings.put(setting, new Given(value, ""));
        }

        /** Thoughts, a text, calls: the order that all of them have. */
        List<Delta> answer() {
            List<Delta> deltas = new ArrayList<>(List.of(new Delta.Begin("id-" + random.nextInt(), text())));
            for (int i = random.nextInt(3); i > 0; i--) {
                deltas.add(new Delta.Thought(text()));
            }
            for (int i = random.nextInt(5); i > 0; i--) {
                deltas.add(new Delta.Text(text()));
            }
            int calls = random.nextInt(3);
            for (int i = 0; i < calls; i++) {
                deltas.add(new Delta.Call(i, "call_" + i, maybe() ? "weather" : "now"));
                String arguments = StrictJson.render(object());
                int cut = random.nextInt(arguments.length());
                if (cut > 0) {
                    deltas.add(new Delta.Arguments(i, arguments.substring(0, cut)));
                }
                deltas.add(new Delta.Arguments(i, arguments.substring(cut)));
            }
            Stop stop = calls > 0
                    ? Stop.CALLS
                    : List.of(Stop.END, Stop.LENGTH, Stop.FILTERED).get(random.nextInt(3));
            deltas.add(new Delta.Stopped(stop, ""));
            deltas.add(new Delta.Used(new Usage(1 + random.nextInt(999), 0, 1 + random.nextInt(999))));
            deltas.add(new Delta.End());
            return deltas;
        }
    }
}
