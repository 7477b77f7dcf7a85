package dev.corral.quantization;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.corral.guardmodels.conversation.Conversation;
import dev.corral.guardmodels.conversation.Role;
import dev.corral.guardmodels.conversation.Turn;
import dev.corral.guardmodels.guard.Guard;
import dev.corral.guardmodels.guard.OnnxGuard;
import dev.corral.guardmodels.onnx.OnnxCausalModel;
import dev.corral.guardmodels.onnx.Resources;
import dev.corral.guardmodels.prompt.Dialogue;
import dev.corral.guardmodels.prompt.GuardFamily;
import dev.corral.guardmodels.prompt.Segment;
import dev.corral.guardmodels.store.GuardDirectory;
import dev.corral.guardmodels.store.GuardStore;
import dev.corral.guardmodels.store.ModelSource;
import dev.corral.guardmodels.store.OwnHazards;
import dev.corral.guardmodels.tokenizer.GuardTokenizer;
import dev.corral.policies.assessment.Assessment.Scored;
import dev.corral.quantization.replica.Replica;
import dev.corral.quantization.replica.ReplicaShape;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/** What is exported as GGUF, in llama.cpp itself. */
@Tag("slow")
class LlamaCppTests {

    private static final Path TINY = Path.of("src/test/resources/fixtures/tiny-llama-guard");

    /** One of two lines, one that names a special token, one that the guard answers. */
    static final List<Conversation> CONVERSATIONS = List.of(
            new Conversation(List.of(Turn.of(Role.USER, "How do I bake\n\nbread in 2024?"))),
            new Conversation(List.of(Turn.of(Role.USER, "Grüße! <b>42</b> | it's {fine}"))),
            new Conversation(
                    List.of(Turn.of(Role.USER, "How do I pick a lock?"), Turn.of(Role.ASSISTANT, "With two pins."))));

    @TempDir
    Path folder;

    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();

    /** What meets 8-bit numbers is rounded to 8 bits there, as it is here. */
    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            --precision fp32                                               | f32  | 1e-3
            --precision fp16                                               | f32  | 1e-2
            --precision fp32                                               | f16  | 1e-2
            --precision fp32                                               | q8_0 | 0.4
            --precision int8                                               | f32  | 0.2
            --precision int4 --block-size 32 --embedding int4              | f32  | 0.2
            --precision int4 --block-size 64 --activations fp32            | q8_0 | 0.4
            --precision int4 --block-size 16 --activations fp32            | f32  | 5e-3
            """)
    void exportWhenLoadedGivesTheSameLogits(String recipe, String rest, double tolerance) throws Exception {
        Path guard = folder.resolve("guard");
        Path file = folder.resolve("guard.gguf");
        quantize(TINY, guard, recipe);
        export(guard, file, "--rest", rest);

        assertSameVerdicts(guard, file, 672, tolerance);
    }

    /** The true vocabulary, and tokens as many as the true tokenizer has. */
    @Test
    void exportWhenOfATrueVocabularyIsLoaded() throws Exception {
        Path random = folder.resolve("random");
        new Replica(new ReplicaShape("small", 2, 256, 512, 4, 2), 1).write(random, _ -> {});
        Path guard = folder.resolve("guard");
        Path file = folder.resolve("guard.gguf");
        quantize(random, guard, "--precision int4 --block-size 32 --embedding int4");
        export(guard, file);

        assertSameVerdicts(guard, file, 128_256, 0.2);
    }

    /** By texts, as any client asks: both probabilities are those of the guard in Corral. */
    @Test
    void exportWhenStarterIsAskedByTextsGivesTheSameVerdicts() throws Exception {
        Path file = folder.resolve("starter.gguf");
        export(Path.of("corral-starter"), file);
        Path floats = folder.resolve("floats");
        assertThat(run("import", file.toString(), "--to", floats.toString(), "--precision", "fp32"))
                .as(err::toString)
                .isZero();

        try (LlamaCpp server = LlamaCpp.serve(file);
                GuardTokenizer tokenizer =
                        GuardTokenizer.load(GuardStore.starter().tokenizerJson(), "starter");
                Guard guard = OnnxGuard.load(GuardStore.open(floats), Resources.oneLane(1))) {
            int blankLine = server.tokens("<|blank_line|>")[1];
            int lineFeeds = tokenizer.encode(List.of(new Segment.Fixed("\n\n")))[0];
            for (Conversation conversation : CONVERSATIONS) {
                Scored wanted = (Scored) guard.assess(conversation);
                String prompt = templated(server, conversation);
                assertThat(prompt).startsWith("Safety check of a conversation.<|blank_line|>User: ");

                assertThat(IntStream.of(server.tokens(prompt)).map(token -> token == blankLine ? lineFeeds : token))
                        .containsExactly(IntStream.of(tokenizer.encode(
                                        GuardFamily.CORRAL_STARTER.render(Dialogue.of(conversation), List.of())))
                                .boxed()
                                .toArray(Integer[]::new));
                Map<String, Double> words = alternatives(server, prompt);
                Map<String, Double> hazards = alternatives(server, prompt + " unsafe:");

                assertThat(words).containsKeys(" safe", " unsafe").hasSize(15);
                double unsafe = words.get(" unsafe") / (words.get(" safe") + words.get(" unsafe"));
                assertThat(unsafe).isCloseTo(wanted.unsafe().value(), within(1e-3));
                double sum = wanted.hazards().keySet().stream()
                        .mapToDouble(hazard -> hazards.get(" " + hazard.code()))
                        .sum();
                wanted.hazards()
                        .forEach((hazard, probability) -> assertThat(unsafe * hazards.get(" " + hazard.code()) / sum)
                                .isCloseTo(probability.value(), within(1e-3)));
            }
        }
    }

    /** What the file's chat template makes of messages, without the first token, which the server puts there. */
    private static String templated(LlamaCpp server, Conversation conversation) throws Exception {
        ObjectNode chat = JsonMapper.shared().createObjectNode();
        ArrayNode messages = chat.putArray("messages");
        for (Turn turn : conversation.turns()) {
            messages.addObject()
                    .put("role", turn.role() == Role.USER ? "user" : "assistant")
                    .put("content", Dialogue.texts(turn).getFirst());
        }
        return server.post("/apply-template", chat).path("prompt").asString();
    }

    private static Map<String, Double> alternatives(LlamaCpp server, String prompt) throws Exception {
        ObjectNode request = JsonMapper.shared().createObjectNode().put("prompt", prompt);
        request.put("max_tokens", 1).put("temperature", 0).put("logprobs", 15);
        Map<String, Double> alternatives = new HashMap<>();
        server.post("/v1/completions", request)
                .at("/choices/0/logprobs/content/0/top_logprobs")
                .forEach(token -> alternatives.put(
                        token.path("token").asString(""),
                        Math.exp(token.path("logprob").asDouble())));
        return alternatives;
    }

    private void assertSameVerdicts(Path guard, Path file, int vocabulary, double tolerance) throws Exception {
        GuardDirectory directory = GuardStore.open(guard);
        try (LlamaCpp server = LlamaCpp.serve(file);
                GuardTokenizer tokenizer = GuardTokenizer.load(directory.tokenizerJson(), "guard");
                OnnxCausalModel model = OnnxCausalModel.load(
                        ((ModelSource.InFile) directory.model()).file(),
                        directory.manifest().shape(),
                        Resources.oneLane(1))) {
            List<Integer> verdict =
                    GuardFamily.LLAMA_GUARD_3.verdictTokens(tokenizer::encode).headRows();
            for (Conversation conversation : CONVERSATIONS) {
                List<Segment> prompt = GuardFamily.LLAMA_GUARD_3.render(
                        Dialogue.of(conversation),
                        OwnHazards.of(GuardFamily.LLAMA_GUARD_3).catalogue().categories());
                int[] asked = tokenizer.encode(prompt);
                assertThat(server.tokens(withoutFirst(prompt))).isEqualTo(asked);
                assertThat(templated(server, conversation)).isEqualTo(withoutFirst(prompt));
                int[] tokens = IntStream.concat(
                                IntStream.of(asked),
                                directory.manifest().verdict().lead().stream().mapToInt(Integer::intValue))
                        .toArray();
                float[] ours = model.logits(tokens, new int[] {tokens.length - 1})[0];
                float[] all = server.next(tokens, vocabulary);
                float[] theirs = new float[verdict.size()];
                for (int row = 0; row < theirs.length; row++) {
                    theirs[row] = all[verdict.get(row)];
                }
                double shift = mean(ours) - mean(theirs);
                for (int row = 0; row < theirs.length; row++) {
                    assertThat(theirs[row] + shift).isCloseTo(ours[row], within(tolerance));
                }
                assertThat(server.greedy(tokens, 1)).first().isIn(verdict);
            }
        }
    }

    /** A server puts the first token there by itself. */
    private static String withoutFirst(List<Segment> prompt) {
        StringBuilder text = new StringBuilder();
        prompt.stream()
                .skip(1)
                .forEach(segment -> text.append(
                        switch (segment) {
                            case Segment.Special special -> special.token();
                            case Segment.Fixed fixed -> fixed.text();
                            case Segment.Text written -> written.text();
                        }));
        return text.toString();
    }

    private static double mean(float[] values) {
        return IntStream.range(0, values.length)
                .mapToDouble(i -> values[i])
                .average()
                .orElseThrow();
    }

    private void quantize(Path from, Path to, String recipe) {
        List<String> arguments = new ArrayList<>(List.of("--from", from.toString(), "--to", to.toString()));
        arguments.addAll(Arrays.asList(recipe.trim().split(" +")));
        assertThat(new picocli.CommandLine(new QuantizeCommand())
                        .setOut(new PrintWriter(out, true))
                        .setErr(new PrintWriter(err, true))
                        .execute(arguments.toArray(String[]::new)))
                .as(err::toString)
                .isZero();
    }

    private void export(Path guard, Path file, String... options) {
        String[] arguments = Stream.concat(
                        Stream.of("export", "--to", "gguf", guard.toString(), file.toString()), Stream.of(options))
                .toArray(String[]::new);
        assertThat(run(arguments)).as(err::toString).isZero();
    }

    private int run(String... arguments) {
        return ModelCommand.commandLine(new Environment(Map.of(), folder))
                .setOut(new PrintWriter(out, true))
                .setErr(new PrintWriter(err, true))
                .execute(arguments);
    }
}
