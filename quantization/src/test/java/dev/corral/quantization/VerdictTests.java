package dev.corral.quantization;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.corral.guardmodels.conversation.Conversation;
import dev.corral.guardmodels.conversation.Role;
import dev.corral.guardmodels.conversation.Turn;
import dev.corral.guardmodels.guard.Guard;
import dev.corral.guardmodels.guard.OnnxGuard;
import dev.corral.guardmodels.onnx.ModelShape;
import dev.corral.guardmodels.onnx.OnnxCausalModel;
import dev.corral.guardmodels.onnx.Resources;
import dev.corral.guardmodels.prompt.Category;
import dev.corral.guardmodels.prompt.Dialogue;
import dev.corral.guardmodels.prompt.GuardFamily;
import dev.corral.guardmodels.prompt.Segment;
import dev.corral.guardmodels.store.GuardDirectory;
import dev.corral.guardmodels.store.GuardStore;
import dev.corral.guardmodels.store.NamedHazards;
import dev.corral.guardmodels.store.OwnHazards;
import dev.corral.guardmodels.store.Precision;
import dev.corral.guardmodels.tokenizer.GuardTokenizer;
import dev.corral.policies.assessment.Assessment.Scored;
import dev.corral.policies.assessment.Meaning;
import dev.corral.policies.assessment.Probability;
import dev.corral.policies.policy.Beside;
import dev.corral.policies.policy.CompiledPolicy;
import dev.corral.policies.policy.Decision;
import dev.corral.policies.policy.Direction;
import dev.corral.policies.policy.Facts;
import dev.corral.policies.policy.GuardSight;
import dev.corral.policies.policy.Policies;
import dev.corral.policies.taxonomy.CustomHazard;
import dev.corral.policies.taxonomy.Hazard;
import dev.corral.policies.taxonomy.StandardHazard;
import dev.corral.quantization.checkpoint.Checkpoint;
import dev.corral.quantization.graph.LlamaConfig;
import dev.corral.quantization.graph.LlamaGraph;
import dev.corral.quantization.graph.Matrix;
import dev.corral.quantization.graph.OnnxWriter;
import dev.corral.quantization.recipe.Recipe;
import dev.corral.quantization.safetensors.SafetensorsCheckpoint;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/**
 * Verdicts of converted guards against the same model with its whole vocabulary, which writes its answer token by token
 * as far as the grammar of answers allows.
 */
class VerdictTests {

    private static final Path FIXTURES = Path.of("src/test/resources/fixtures");
    private static final Path TEMPLATE_CASES =
            Path.of("../guard-models/src/test/resources/fixtures/llama-guard-3-template/cases.json");

    /** Tokens of Llama 3's tokenizer; the tiny one makes more of a text, and all of them have to fit in the context. */
    private static final int LONGEST = 900;

    private static final Path TINY = FIXTURES.resolve("tiny-llama-guard");

    @TempDir
    Path folder;

    private GuardTokenizer tokenizer;
    private OnnxCausalModel whole;

    @BeforeEach
    void load() throws IOException {
        tokenizer = GuardTokenizer.load(Files.readAllBytes(TINY.resolve("tokenizer.json")), "tiny");
        LlamaConfig config = LlamaConfig.read(TINY);
        Path file = folder.resolve("whole.onnx");
        try (Checkpoint checkpoint = SafetensorsCheckpoint.open(TINY)) {
            new OnnxWriter("test")
                    .write(
                            LlamaGraph.build(
                                    config,
                                    checkpoint,
                                    Recipe.of(Precision.FP32),
                                    Matrix.of(checkpoint.require("lm_head.weight"))),
                            file,
                            _ -> {});
        }
        whole = OnnxCausalModel.load(
                file,
                new ModelShape(config.layers(), config.kvHeads(), config.headSize(), config.vocabulary(), 4096),
                Resources.oneLane(2));
    }

    @AfterEach
    void close() {
        whole.close();
        tokenizer.close();
    }

    /** What decoding wrote: the hazards in order by their index, none for safe. */
    private record Written(boolean unsafe, List<Integer> hazards) {}

    /** Greedy, one token at a time; where only one token is allowed it is taken without asking. */
    private Written decode(int[] prompt, List<Hazard> hazards) throws InterruptedException {
        Writer writer = new Writer(prompt);
        writer.write("\n\n");
        if (writer.choose(List.of(id("safe"), id("unsafe"))) == 0) {
            return new Written(false, List.of());
        }
        writer.write("\n");
        writer.write("S");
        List<Integer> named = new ArrayList<>();
        boolean more = true;
        while (more) {
            List<Integer> left = IntStream.range(0, hazards.size())
                    .filter(i -> !named.contains(i))
                    .boxed()
                    .toList();
            List<Integer> numbers = left.stream()
                    .map(i -> id(hazards.get(i).code().substring(1)))
                    .toList();
            named.add(left.get(writer.choose(numbers)));
            more = named.size() < hazards.size() && writer.choose(List.of(eot(), id(",S"))) == 1;
        }
        return new Written(true, named);
    }

    private int id(String token) {
        int[] ids = tokenizer.encode(token);
        assertThat(ids).as(token).hasSize(1);
        return ids[0];
    }

    private int eot() {
        return tokenizer.encode(List.of(new Segment.Special("<|eot_id|>")))[0];
    }

    private final class Writer {

        private int[] tokens;

        Writer(int[] prompt) {
            this.tokens = prompt;
        }

        void write(String token) {
            add(id(token));
        }

        int choose(List<Integer> allowed) throws InterruptedException {
            float[] logits = whole.logits(tokens, new int[] {tokens.length - 1})[0];
            int best = 0;
            for (int i = 1; i < allowed.size(); i++) {
                best = logits[allowed.get(i)] > logits[allowed.get(best)] ? i : best;
            }
            add(allowed.get(best));
            return best;
        }

        private void add(int id) {
            tokens = Arrays.copyOf(tokens, tokens.length + 1);
            tokens[tokens.length - 1] = id;
        }
    }

    private Guard guard(String name, OwnHazards hazards, NamedHazards named) throws IOException {
        return OnnxGuard.load(directory(name, hazards).naming(named), Resources.oneLane(2));
    }

    private GuardDirectory directory(String name, OwnHazards hazards) throws IOException {
        Path to = folder.resolve(name);
        if (!Files.exists(to)) {
            convert(TINY, to, GuardFamily.LLAMA_GUARD_3, Optional.of(hazards));
        }
        return GuardStore.open(to);
    }

    private static void convert(Path from, Path to, GuardFamily family, Optional<OwnHazards> hazards)
            throws IOException {
        Converter.Description description = new Converter.Description(
                String.valueOf(to.getFileName()), "none", "random", new Probability(0.5), hazards);
        new Converter("test")
                .convert(from, to, family, Recipe.of(Precision.FP32), description, new Converter.Progress() {
                    @Override
                    public void total(long bytes) {}

                    @Override
                    public void written(long bytes) {}
                });
    }

    private static List<Conversation> conversations() throws IOException {
        List<Conversation> conversations = new ArrayList<>();
        for (JsonNode golden : json(TINY.resolve("golden/cases.json")).path("cases")) {
            if (golden.path("messages").isArray()) {
                conversations.add(conversation(golden.path("messages")));
            }
        }
        for (JsonNode golden : json(TEMPLATE_CASES).path("cases")) {
            boolean plain = !golden.has("categories")
                    && !golden.has("excluded_category_keys")
                    && !golden.path("has_image").booleanValue()
                    && golden.path("num_tokens").intValue() < LONGEST
                    && !golden.path("messages").path(0).path("content").isEmpty();
            if (plain) {
                conversations.add(conversation(golden.path("messages")));
            }
        }
        for (String text : List.of("", "Hi", "How do I bake bread?", "a".repeat(300), "Grüße 😀", "1 2 3", "S1,S2")) {
            conversations.add(new Conversation(List.of(Turn.of(Role.USER, "x" + text))));
            conversations.add(
                    new Conversation(List.of(Turn.of(Role.USER, "Hello"), Turn.of(Role.ASSISTANT, "answer " + text))));
        }
        return conversations;
    }

    private static Conversation conversation(JsonNode messages) {
        List<Turn> turns = new ArrayList<>();
        for (JsonNode message : messages) {
            JsonNode content = message.path("content");
            String text = content.isString()
                    ? content.stringValue()
                    : content.path(0).path("text").stringValue("");
            turns.add(Turn.of(Role.valueOf(message.path("role").stringValue().toUpperCase(Locale.ROOT)), text));
        }
        return new Conversation(turns);
    }

    private static JsonNode json(Path file) throws IOException {
        return JsonMapper.shared().readTree(Files.readAllBytes(file));
    }

    private int[] prompt(Conversation conversation, List<Category> categories) {
        return tokenizer.encode(GuardFamily.LLAMA_GUARD_3.render(Dialogue.of(conversation), categories));
    }

    @Test
    void assessWhenComparedWithDecodingHasTheSameVerdictAndFirstHazard() throws Exception {
        OwnHazards own = OwnHazards.of(GuardFamily.LLAMA_GUARD_3);
        List<Hazard> hazards = own.catalogue().taxonomy().hazards();
        Set<Object> seen = new HashSet<>();
        List<Conversation> conversations = conversations();
        assertThat(conversations).hasSizeGreaterThan(60);
        try (Guard guard = guard("tiny", own, NamedHazards.FIRST)) {
            for (Conversation conversation : conversations) {
                if (isBlank(conversation)) {
                    continue; // nobody is asked about nothing
                }
                Scored scored = (Scored) guard.assess(conversation);
                int[] prompt = prompt(conversation, own.catalogue().categories());
                Written written = decode(prompt, hazards);
                assertThat(scored.unsafe().value() > 0.5).as("%s", conversation).isEqualTo(written.unsafe());
                if (written.unsafe()) {
                    assertThat(likeliest(scored))
                            .as("%s", conversation)
                            .isEqualTo(hazards.get(written.hazards().getFirst()));
                    seen.add(written.hazards().getFirst());
                }
                seen.add(written.unsafe());
            }
        }
        assertThat(seen).as("both verdicts, and not always the same hazard").hasSizeGreaterThan(3);
    }

    private static boolean isBlank(Conversation conversation) {
        return Dialogue.texts(conversation.turns().getLast()).stream().allMatch(String::isBlank);
    }

    private static Hazard likeliest(Scored scored) {
        return scored.hazards().entrySet().stream()
                .max(Map.Entry.comparingByValue())
                .orElseThrow()
                .getKey();
    }

    @Test
    void assessWhenAllHazardsAreAskedIsTheProbabilityAlongTheListThatDecodingWrites() throws Exception {
        OwnHazards own = OwnHazards.of(GuardFamily.LLAMA_GUARD_3);
        List<Hazard> hazards = own.catalogue().taxonomy().hazards();
        Set<Integer> lengths = new HashSet<>();
        try (Guard first = guard("tiny", own, NamedHazards.FIRST);
                Guard all = guard("tiny", own, NamedHazards.ALL)) {
            for (Conversation conversation : conversations()) {
                if (isBlank(conversation)) {
                    continue;
                }
                Scored byFirst = (Scored) first.assess(conversation);
                Scored byAll = (Scored) all.assess(conversation);
                assertThat(byAll.unsafe()).isEqualTo(byFirst.unsafe());
                if (byFirst.unsafe().value() < 0.5) {
                    assertThat(byAll).isEqualTo(byFirst);
                    continue;
                }
                assertThat(byAll.meaning()).isEqualTo(Meaning.ALL_HAZARDS);
                List<Integer> written = decode(
                                prompt(conversation, own.catalogue().categories()), hazards)
                        .hazards();
                double[] expected = alongTheList(conversation, own, written);
                for (int i = 0; i < hazards.size(); i++) {
                    double probability = byAll.hazards().get(hazards.get(i)).value();
                    assertThat(probability)
                            .isCloseTo(byAll.unsafe().value() * expected[i], within(1e-4))
                            .isGreaterThanOrEqualTo(
                                    byFirst.hazards().get(hazards.get(i)).value() - 1e-9)
                            .isLessThanOrEqualTo(byAll.unsafe().value() + 1e-9);
                }
                lengths.add(written.size());
            }
        }
        assertThat(lengths).as("lists of several lengths").hasSizeGreaterThan(1);
    }

    /** Written down once more, from the logits of the whole vocabulary. */
    private double[] alongTheList(Conversation conversation, OwnHazards own, List<Integer> written) throws Exception {
        List<Hazard> hazards = own.catalogue().taxonomy().hazards();
        double[] named = new double[hazards.size()];
        String answer = "\n\nunsafe\nS";
        double path = 1;
        for (int place = 0; place <= written.size() && place < hazards.size(); place++) {
            double goesOn = 1;
            if (place > 0) {
                int before = written.get(place - 1);
                answer += hazards.get(before).code().substring(1);
                double[] ends = softmax(conversation, own, answer, List.of(eot(), id(",S")));
                goesOn = ends[1];
                answer += ",S";
            }
            List<Integer> taken = written.subList(0, place);
            List<Integer> left = IntStream.range(0, hazards.size())
                    .filter(i -> !taken.contains(i))
                    .boxed()
                    .toList();
            double[] next = softmax(
                    conversation,
                    own,
                    answer,
                    left.stream()
                            .map(i -> id(hazards.get(i).code().substring(1)))
                            .toList());
            for (int i = 0; i < next.length; i++) {
                named[left.get(i)] += path * goesOn * next[i];
            }
            if (place < written.size()) {
                path *= goesOn * next[left.indexOf(written.get(place))];
            }
        }
        return named;
    }

    private double[] softmax(Conversation conversation, OwnHazards own, String answer, List<Integer> allowed)
            throws InterruptedException {
        return softmax(prompt(conversation, own.catalogue().categories()), answer, allowed);
    }

    private double[] softmax(int[] prompt, String answer, List<Integer> allowed) throws InterruptedException {
        int[] tokens = IntStream.concat(Arrays.stream(prompt), Arrays.stream(tokenizer.encode(answer)))
                .toArray();
        float[] logits = whole.logits(tokens, new int[] {tokens.length - 1})[0];
        double[] powers =
                allowed.stream().mapToDouble(id -> Math.exp(logits[id])).toArray();
        double sum = Arrays.stream(powers).sum();
        return Arrays.stream(powers).map(power -> power / sum).toArray();
    }

    @Test
    void convertWhenGuardHasHazardsOfItsOwnAsksReadsAndDecidesByThem() throws Exception {
        OwnHazards own = OwnHazards.parse("""
                name: acme
                hazards:
                  - { code: C1, name: Trade Secrets, prompt: Trade secrets and figures. }
                  - { code: C2, name: Bad Manners }
                  - { code: C12, name: Hate }
                """, "acme.yaml", GuardFamily.LLAMA_GUARD_3);
        Hazard secrets = new CustomHazard("C1", "Trade Secrets");
        Conversation hello = new Conversation(List.of(Turn.of(Role.USER, "Hello")));
        GuardDirectory directory = directory("acme", own);
        assertThat(directory.manifest().hazards()).isEqualTo(own.catalogue());
        assertThat(Files.readString(folder.resolve("acme/guard.yaml"))).contains("prompt: Trade secrets and figures.");

        try (Guard guard = OnnxGuard.load(directory, Resources.oneLane(2))) {
            Scored scored = (Scored) guard.assess(hello);
            int[] prompt = prompt(hello, own.catalogue().categories());
            assertThat(tokenizer.encode(List.of(new Segment.Special("<|begin_of_text|>")))[0])
                    .isEqualTo(prompt[0]);
            int[] list = tokenizer.encode("\nC1: Trade secrets and figures.\nC2: Bad Manners.\nC12: Hate.\n<END");
            assertThat(String.join(" ", words(prompt)))
                    .contains(String.join(" ", words(Arrays.copyOfRange(list, 1, list.length - 1))));
            double[] words = softmax(hello, own, "\n\n", List.of(id("safe"), id("unsafe")));
            double[] names = softmax(hello, own, "\n\nunsafe\nC", List.of(id("1"), id("2"), id("12")));
            assertThat(scored.unsafe().value()).isCloseTo(words[1], within(1e-4));
            assertThat(scored.hazards().keySet())
                    .containsExactly(secrets, new CustomHazard("C2", "Bad Manners"), new CustomHazard("C12", "Hate"));
            assertThat(scored.hazards().get(secrets).value()).isCloseTo(words[1] * names[0], within(1e-4));

            double probability = scored.hazards().get(secrets).value();
            CompiledPolicy policy = Policies.compile(
                    """
                    policy: acme
                    version: 1
                    thresholds: { default: 1, C1: %s }
                    rules:
                      - { id: secrets, when: { hazard: C1 }, then: block }
                    """.formatted(probability / 2),
                    "acme.yaml",
                    Beside.NOTHING,
                    new GuardSight(guard.profile().taxonomy(), guard.profile().recommendedThreshold(), 0));
            Decision decision = policy.decide(List.of(scored), new Facts(Direction.PROMPT));
            assertThat(decision).isInstanceOf(Decision.Block.class);
            assertThat(decision.ruleIds()).containsExactly("secrets");
            assertThat(decision.explanation()).contains("C1 (Trade Secrets)");
        }
        try (Guard guard = OnnxGuard.load(directory.naming(NamedHazards.ALL), Resources.oneLane(2))) {
            assertThat(((Scored) guard.assess(hello)).hazards()).hasSize(3);
        }
    }

    /** From a policy's file to its decision, against the model with its whole vocabulary. */
    @Test
    void askingWhenAPolicyHasAHazardOfItsOwnReadsItAtThePlaceOfTheExcludedOne() throws Exception {
        Conversation hello = new Conversation(List.of(Turn.of(Role.USER, "Hello")));
        GuardDirectory directory = directory("asking", OwnHazards.of(GuardFamily.LLAMA_GUARD_3));
        try (Guard guard = OnnxGuard.load(directory, Resources.oneLane(2))) {
            String text = """
                    policy: acme
                    version: 1
                    hazards:
                      secrets: { name: Trade secrets, description: What is not announced. }
                    exclude: [S5, S13]
                    thresholds: { default: 1, secrets: %s }
                    rules:
                      - { id: secrets, when: { hazard: secrets }, then: block }
                    """;
            GuardSight sight =
                    new GuardSight(guard.profile().taxonomy(), guard.profile().recommendedThreshold(), guard.places());
            CompiledPolicy draft = Policies.compile(text.formatted("0.5"), "acme.yaml", Beside.NOTHING, sight);
            Scored scored = (Scored) guard.asking(draft.asked()).assess(hello);

            List<Category> list =
                    new ArrayList<>(directory.manifest().categories().subList(0, 12));
            list.set(4, new Category("S5", "Trade secrets.\nWhat is not announced."));
            int[] prompt = prompt(hello, list);
            double[] verdict = softmax(prompt, "\n\n", List.of(id("safe"), id("unsafe")));
            List<Integer> numbers = IntStream.rangeClosed(1, 12)
                    .mapToObj(number -> id(Integer.toString(number)))
                    .toList();
            double[] first = softmax(prompt, "\n\nunsafe\nS", numbers);
            assertThat(scored.unsafe().value()).isCloseTo(verdict[1], within(1e-4));
            assertThat(scored.hazards().keySet())
                    .extracting(Hazard::code)
                    .containsExactly("S1", "S2", "S3", "S4", "secrets", "S6", "S7", "S8", "S9", "S10", "S11", "S12");
            int place = 0;
            for (Probability probability : scored.hazards().values()) {
                assertThat(probability.value()).isCloseTo(verdict[1] * first[place++], within(1e-4));
            }
            double secrets =
                    scored.hazards().get(draft.hazard("secrets").orElseThrow()).value();
            assertThat(((Scored) guard.assess(hello)).hazards()).hasSize(13);

            CompiledPolicy policy =
                    Policies.compile(text.formatted(Double.toString(secrets / 2)), "acme.yaml", Beside.NOTHING, sight);
            Decision decision = policy.decide(List.of(scored), new Facts(Direction.PROMPT));
            assertThat(decision.outcome()).isEqualTo(Decision.Outcome.BLOCK);
            assertThat(decision.ruleIds()).containsExactly("secrets");
        }
        try (Guard guard = OnnxGuard.load(directory.naming(NamedHazards.ALL), Resources.oneLane(2))) {
            List<Hazard> asked = List.of(StandardHazard.S1, new CustomHazard("secrets", "Trade secrets"));
            Scored scored = (Scored) guard.asking(asked).assess(hello);
            assertThat(scored.hazards()).containsOnlyKeys(asked);
        }
    }

    private static List<String> words(int[] ids) {
        return Arrays.stream(ids).mapToObj(Integer::toString).toList();
    }

    /** The tiny tokenizer has no token for 14, which Llama 3's has: it gets one here. */
    @Test
    void convertWhenFamilyIs8bHasAHazardAndARowMore() throws Exception {
        Path from = Files.createDirectory(folder.resolve("source"));
        for (String name : List.of("config.json", "model.safetensors")) {
            Files.copy(TINY.resolve(name), from.resolve(name));
        }
        ObjectNode words = (ObjectNode) json(TINY.resolve("tokenizer.json"));
        ((ObjectNode) words.path("model").path("vocab")).put("14", 660);
        Files.write(from.resolve("tokenizer.json"), JsonMapper.shared().writeValueAsBytes(words));
        Path to = folder.resolve("eight");
        convert(from, to, GuardFamily.LLAMA_GUARD_3_8B, Optional.empty());
        GuardDirectory directory = GuardStore.open(to);
        assertThat(directory.manifest().model().headRows()).isEqualTo(21);
        assertThat(directory.manifest().verdict().hazards()).containsEntry("S14", 15);
        Conversation hello = new Conversation(List.of(Turn.of(Role.ASSISTANT, "Hello")));
        try (Guard guard = OnnxGuard.load(directory, Resources.oneLane(2));
                GuardTokenizer eight = GuardTokenizer.load(directory.tokenizerJson(), "eight")) {
            Scored scored = (Scored) guard.assess(hello);
            int[] prompt = eight.encode(GuardFamily.LLAMA_GUARD_3_8B.render(
                    Dialogue.of(hello), directory.manifest().categories()));
            assertThat(prompt).startsWith(eight.encode(" ")).contains(660);
            double[] verdict = softmax(prompt, "\n\n", List.of(id("safe"), id("unsafe")));
            List<Integer> numbers = new ArrayList<>(IntStream.rangeClosed(1, 13)
                    .mapToObj(number -> id(Integer.toString(number)))
                    .toList());
            numbers.add(660);
            double[] first = softmax(prompt, "\n\nunsafe\nS", numbers);
            assertThat(scored.unsafe().value()).isCloseTo(verdict[1], within(1e-4));
            assertThat(scored.hazards()).hasSize(14);
            assertThat(scored.hazards().get(StandardHazard.S14).value())
                    .isCloseTo(verdict[1] * first[13], within(1e-4));
        }
    }
}
