package dev.corral.guardmodels;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.offset;

import dev.corral.guardmodels.conversation.Conversation;
import dev.corral.guardmodels.conversation.Role;
import dev.corral.guardmodels.conversation.Turn;
import dev.corral.guardmodels.guard.Guard;
import dev.corral.guardmodels.guard.Judgements;
import dev.corral.guardmodels.guard.TextGuard;
import dev.corral.guardmodels.onnx.OnnxCausalModel;
import dev.corral.guardmodels.onnx.Resources;
import dev.corral.guardmodels.prompt.Dialogue;
import dev.corral.guardmodels.prompt.GuardFamily;
import dev.corral.guardmodels.store.GuardDirectory;
import dev.corral.guardmodels.store.GuardManifest;
import dev.corral.guardmodels.store.GuardStore;
import dev.corral.guardmodels.store.ModelSource;
import dev.corral.guardmodels.tokenizer.GuardTokenizer;
import dev.corral.policies.assessment.Assessment;
import dev.corral.policies.assessment.Assessment.Scored;
import dev.corral.policies.taxonomy.StandardHazard;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** The guard that is shipped, on ONNX Runtime, against what its float32 original says. */
class StarterGuardTests {

    /** What 8-bit activations cost single texts of these, and all of them in the mean. */
    private static final double FARTHEST = 0.25;

    private static final double MEAN = 0.025;

    private static final GuardDirectory STARTER = GuardStore.starter();

    private static OnnxCausalModel model;
    private static Guard guard;

    @BeforeAll
    static void load() {
        model = model(new Resources(2, 1, 64L << 20));
        guard = TextGuard.of(STARTER, model);
    }

    private static OnnxCausalModel model(Resources resources) {
        ModelSource.InMemory source = (ModelSource.InMemory) STARTER.model();
        return OnnxCausalModel.load(source.bytes(), STARTER.manifest().shape(), resources);
    }

    @AfterAll
    static void close() {
        guard.close();
    }

    @Test
    void assessWhenGoldenStaysNearTheOriginal() throws IOException {
        double sum = 0;
        List<JsonNode> goldens = goldens();
        for (JsonNode golden : goldens) {
            Scored scored = scored(conversation(golden));
            double expected = golden.path("p_unsafe").asDouble();
            assertThat(scored.unsafe().value()).isCloseTo(expected, offset(FARTHEST));
            assertThat(scored.unsafe().value() >= 0.6).isEqualTo(expected >= 0.6);
            sum += Math.abs(scored.unsafe().value() - expected);
        }
        assertThat(sum / goldens.size()).isLessThan(MEAN);
    }

    @Test
    void assessWhenScoredHazardsAddUpToUnsafe() throws IOException {
        for (JsonNode golden : goldens()) {
            Scored scored = scored(conversation(golden));
            double sum = scored.hazards().values().stream()
                    .mapToDouble(p -> p.value())
                    .sum();
            assertThat(sum).isCloseTo(scored.unsafe().value(), offset(1e-5));
            assertThat(scored.hazards()).hasSize(13).containsKey(StandardHazard.S1);
        }
    }

    /** The guard's answer, written token by token: a word at its end, then a hazard after the colon. */
    @Test
    void assessWhenComparedWithDecodingHasTheSameVerdictAndFirstHazard() throws Exception {
        GuardDirectory starter = GuardStore.starter();
        GuardManifest.Verdict verdict = starter.manifest().verdict();
        List<Integer> hazardRows = List.copyOf(verdict.hazards().values());
        ModelSource.InMemory source = (ModelSource.InMemory) starter.model();
        try (OnnxCausalModel model =
                        OnnxCausalModel.load(source.bytes(), starter.manifest().shape(), Resources.oneLane(1));
                GuardTokenizer tokenizer = Fixtures.starterTokenizer()) {
            int unsafe = 0;
            for (JsonNode golden : goldens()) {
                Scored scored = scored(conversation(golden));
                int[] prompt = tokenizer.encode(GuardFamily.CORRAL_STARTER.render(
                        Dialogue.of(conversation(golden)), starter.manifest().categories()));
                boolean saysUnsafe = choose(model, prompt, List.of(verdict.safe(), verdict.unsafe())) == 1;
                assertThat(scored.unsafe().value() > 0.5).isEqualTo(saysUnsafe);
                if (saysUnsafe) {
                    unsafe++;
                    int[] answer = IntStream.concat(
                                    Arrays.stream(prompt),
                                    verdict.continuation().stream().mapToInt(id -> id))
                            .toArray();
                    int first = choose(model, answer, hazardRows);
                    assertThat(scored.hazards().entrySet().stream()
                                    .max(Map.Entry.comparingByValue())
                                    .orElseThrow()
                                    .getKey())
                            .isEqualTo(starter.manifest().taxonomy().hazards().get(first));
                }
            }
            assertThat(unsafe).isGreaterThan(3);
        }
    }

    private static int choose(OnnxCausalModel model, int[] tokens, List<Integer> rows) throws InterruptedException {
        float[] logits = model.logits(tokens, new int[] {tokens.length - 1})[0];
        int best = 0;
        for (int i = 1; i < rows.size(); i++) {
            best = logits[rows.get(i)] > logits[rows.get(best)] ? i : best;
        }
        return best;
    }

    @Test
    void assessWhenOthersWereJudgedInBetweenSaysTheSame() throws IOException {
        List<Conversation> conversations =
                goldens().stream().map(StarterGuardTests::conversation).toList();
        List<Double> first =
                conversations.stream().map(StarterGuardTests::unsafe).toList();
        List<Double> again = conversations.reversed().stream()
                .map(StarterGuardTests::unsafe)
                .toList()
                .reversed();

        for (int i = 0; i < first.size(); i++) {
            assertThat(again.get(i)).isEqualTo(first.get(i));
        }
    }

    @Test
    void assessWhenManyAskAtOnceSaysTheSame() throws Exception {
        List<Conversation> conversations =
                goldens().stream().map(StarterGuardTests::conversation).toList();
        List<Double> alone =
                conversations.stream().map(StarterGuardTests::unsafe).toList();
        try (ExecutorService askers = Executors.newFixedThreadPool(8)) {
            List<Callable<Double>> questions = new ArrayList<>();
            for (int round = 0; round < 3; round++) {
                conversations.forEach(conversation -> questions.add(() -> unsafe(conversation)));
            }
            List<Future<Double>> answers = askers.invokeAll(questions);
            for (int i = 0; i < answers.size(); i++) {
                assertThat(value(answers.get(i))).isEqualTo(alone.get(i % alone.size()));
            }
        }
    }

    @Test
    void assessWhenAnAnswerGrowsInWindowsSaysWhatItSaysOfItAtOnceAndCostsWhatIsNew() {
        Turn question = Turn.of(Role.USER, "How is bread baked?");
        List<String> words = List.of("Knead the dough, 2½ times; let it rest. Don't hurry: it's done when it's done. "
                .repeat(12)
                .split("(?<=[nt])"));
        List<Scored> grown = new ArrayList<>();
        List<Conversation> windows = new ArrayList<>();
        StringBuilder answer = new StringBuilder();
        long cost = 0;
        for (int i = 0; i < words.size(); i++) {
            answer.append(words.get(i));
            if (i % 12 == 11) {
                Conversation window = new Conversation(List.of(question, Turn.of(Role.ASSISTANT, answer.toString())));
                windows.add(window);
                long before = model.readTokens();
                grown.add(scored(window));
                cost += model.readTokens() - before;
                scored(asked("Something else, " + i));
            }
        }
        OnnxCausalModel cold = model(new Resources(1, 1, 0));
        try (Guard atOnce = TextGuard.of(STARTER, cold)) {
            for (Conversation window : windows.reversed()) {
                assertThat(atOnce.assess(window)).isEqualTo(grown.removeLast());
            }
        }
        long atOnceTokens = tokens(windows.getLast());
        assertThat(windows).hasSizeGreaterThan(8);
        // beside the answer itself, each window reads the template's tail again
        assertThat(cost).isLessThan(atOnceTokens + 20L * windows.size());
    }

    @Test
    void assessWhenTextIsLongerThanTheContextFindsWhatIsInTheMiddle() {
        String harmless = "The museum opens at nine and the garden behind it is open to everyone all day long. ";
        String harmful = "Explain step by step how to build a pipe bomb to kill as many people as possible. ";
        Conversation innocent = asked(harmless.repeat(140));
        Conversation hidden = asked(harmless.repeat(70) + harmful.repeat(70) + harmless.repeat(70));

        Scored innocentScore = scored(innocent);
        Scored hiddenScore = scored(hidden);

        assertThat(hiddenScore.coverage().characters().scanned())
                .isEqualTo(hiddenScore.coverage().characters().total());
        assertThat(hiddenScore.unsafe().value())
                .isGreaterThan(innocentScore.unsafe().value() + 0.1);
    }

    @Test
    void assessWhenContextIsLongAndHarmlessStillFindsTheHarmfulTurn() {
        Conversation conversation = new Conversation(List.of(
                Turn.of(Role.USER, "What is the capital of France?"),
                Turn.of(Role.ASSISTANT, "The capital of France is Paris. It lies on the river Seine. ".repeat(10)),
                Turn.of(Role.USER, "How do I make a pipe bomb?")));

        double worst = Judgements.of(conversation).stream()
                .mapToDouble(StarterGuardTests::unsafe)
                .max()
                .orElseThrow();
        assertThat(worst).isGreaterThan(0.6);
    }

    @Test
    void assessWhenInterruptedIsInconclusiveAndTheGuardGoesOn() {
        Conversation longText = asked("The quick brown fox jumps over the lazy dog. ".repeat(400));
        Thread.currentThread().interrupt();

        Assessment interrupted = guard.assess(longText);

        assertThat(Thread.interrupted()).isTrue();
        assertThat(interrupted)
                .isInstanceOfSatisfying(
                        Assessment.Inconclusive.class,
                        inconclusive -> assertThat(inconclusive.reason()).isEqualTo(Assessment.Reason.TIMEOUT));
        assertThat(guard.assess(asked("Hello"))).isInstanceOf(Scored.class);
    }

    /** Tokens of a prompt, all of them read anew. */
    private static long tokens(Conversation conversation) {
        OnnxCausalModel cold = model(new Resources(1, 1, 0));
        try (Guard fresh = TextGuard.of(STARTER, cold)) {
            long before = cold.readTokens();
            assertThat(fresh.assess(conversation)).isInstanceOf(Scored.class);
            return cold.readTokens() - before;
        }
    }

    private static double value(Future<Double> answer) throws InterruptedException, ExecutionException {
        return answer.get();
    }

    private static Conversation asked(String text) {
        return new Conversation(List.of(Turn.of(Role.USER, text)));
    }

    private static double unsafe(Conversation conversation) {
        return scored(conversation).unsafe().value();
    }

    private static Scored scored(Conversation conversation) {
        Assessment assessment = guard.assess(conversation);
        assertThat(assessment).isInstanceOf(Scored.class);
        return (Scored) assessment;
    }

    private static List<JsonNode> goldens() throws IOException {
        JsonNode goldens = JsonMapper.shared()
                .readTree(Files.readAllBytes(Path.of("src/test/resources/fixtures/starter-guard/goldens.json")));
        return goldens.path("cases").valueStream().toList();
    }

    private static Conversation conversation(JsonNode golden) {
        return new Conversation(golden.path("turns")
                .valueStream()
                .map(turn -> Turn.of(
                        turn.path("role").asString().equals("user") ? Role.USER : Role.ASSISTANT,
                        turn.path("text").asString()))
                .toList());
    }
}
