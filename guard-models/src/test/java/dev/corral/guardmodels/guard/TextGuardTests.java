package dev.corral.guardmodels.guard;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.within;

import dev.corral.guardmodels.Fixtures;
import dev.corral.guardmodels.GuardDirectories;
import dev.corral.guardmodels.ScriptedModel;
import dev.corral.guardmodels.conversation.Conversation;
import dev.corral.guardmodels.conversation.Image;
import dev.corral.guardmodels.conversation.Part;
import dev.corral.guardmodels.conversation.Role;
import dev.corral.guardmodels.conversation.Turn;
import dev.corral.guardmodels.prompt.Category;
import dev.corral.guardmodels.prompt.Dialogue;
import dev.corral.guardmodels.prompt.GuardFamily;
import dev.corral.guardmodels.prompt.Segment;
import dev.corral.guardmodels.store.GuardStore;
import dev.corral.guardmodels.store.UnusableGuardException;
import dev.corral.guardmodels.tokenizer.GuardTokenizer;
import dev.corral.policies.assessment.Assessment;
import dev.corral.policies.assessment.Assessment.Inconclusive;
import dev.corral.policies.assessment.Assessment.Reason;
import dev.corral.policies.assessment.Assessment.Scored;
import dev.corral.policies.assessment.Coverage;
import dev.corral.policies.assessment.Coverage.Extent;
import dev.corral.policies.taxonomy.CustomHazard;
import dev.corral.policies.taxonomy.Hazard;
import dev.corral.policies.taxonomy.StandardHazard;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TextGuardTests {

    private static final int CONTEXT = 600;
    private static final String SECRET = "secret words of a user";

    @TempDir
    private Path directory;

    private ScriptedModel model = model(_ -> logits(0, 0, 0));

    private static ScriptedModel model(Function<int[], float[][]> script) {
        return new ScriptedModel(CONTEXT, 5, script);
    }

    /** Logits of unsafe, S1 and S9; the others are 0. */
    private static float[][] logits(float unsafe, float s1, float s9) {
        return new float[][] {{0, unsafe, 50, 50, 50}, {50, 50, s1, 0, s9}};
    }

    private TextGuard guard() throws IOException {
        return guard(GuardDirectories.TINY);
    }

    private TextGuard guard(String manifest) throws IOException {
        return TextGuard.of(GuardStore.open(GuardDirectories.write(directory, manifest)), model);
    }

    private static Conversation said(Turn... turns) {
        return new Conversation(List.of(turns));
    }

    private static Conversation said(String text) {
        return said(Turn.of(Role.USER, text));
    }

    private Scored scored(Conversation conversation) throws IOException {
        try (Guard guard = guard()) {
            Assessment assessment = guard.assess(conversation);
            assertThat(assessment).isInstanceOf(Scored.class);
            return (Scored) assessment;
        }
    }

    private Inconclusive inconclusive(Conversation conversation) throws IOException {
        try (Guard guard = guard()) {
            Assessment assessment = guard.assess(conversation);
            assertThat(assessment).isInstanceOf(Inconclusive.class);
            return (Inconclusive) assessment;
        }
    }

    @Test
    void assessWhenTextIsShortReadsBothPlacesInOnePass() throws IOException {
        float logitOfThreeQuarters = (float) Math.log(3);
        model = model(_ -> logits(logitOfThreeQuarters, logitOfThreeQuarters, Float.NEGATIVE_INFINITY));
        Scored scored = scored(said("Hello"));
        assertThat(scored.unsafe().value()).isCloseTo(0.75, within(1e-6));
        assertThat(scored.hazards().get(StandardHazard.S1).value()).isCloseTo(0.75 * 0.75, within(1e-6));
        assertThat(scored.hazards().get(StandardHazard.S2).value()).isCloseTo(0.75 * 0.25, within(1e-6));
        assertThat(scored.hazards().get(StandardHazard.S9).value()).isZero();
        assertThat(scored.hazards().keySet()).containsExactly(StandardHazard.S1, StandardHazard.S2, StandardHazard.S9);
        assertThat(scored.coverage()).isEqualTo(Coverage.ofText(5));

        int[] prompt = prompt("Hello");
        assertThat(model.asked).hasSize(1);
        assertThat(model.asked.getFirst())
                .isEqualTo(IntStream.concat(Arrays.stream(prompt), IntStream.of(271, 300, 198, 50))
                        .toArray());
        assertThat(model.askedRows.getFirst()).containsExactly(prompt.length, prompt.length + 3);
        assertThat(model.closed).isTrue();
    }

    private static int[] prompt(String text) {
        return prompt(text, Category.of(List.of(StandardHazard.S1, StandardHazard.S2, StandardHazard.S9)));
    }

    private static int[] prompt(String text, List<Category> list) {
        try (GuardTokenizer tokenizer = Fixtures.tinyTokenizer()) {
            return tokenizer.encode(GuardFamily.LLAMA_GUARD_3.render(Dialogue.of(said(text)), list));
        }
    }

    @Test
    void ofWhenLoadedPinsWhatAllPromptsOfASpeakerBeginWith() throws IOException {
        guard().close();
        assertThat(model.pinned).hasSize(2);
        int[] users = model.pinned.getFirst();
        assertThat(Arrays.copyOf(prompt("Something else"), users.length)).isEqualTo(users);
        assertThat(model.pinned.getLast()).isNotEqualTo(users);
    }

    @Test
    void assessWhenNothingCanBeReadSaysWhatWasLeftOut() throws IOException {
        Scored scored = scored(said(new Turn(
                Role.USER,
                List.of(
                        new Part.ImagePart("data:", "messages[0].content[0]"),
                        new Part.ImagePart(new Image.Unavailable("it is gone"), "messages[0].content[1]"),
                        new Part.OpaquePart("audio", "x")))));
        assertThat(scored.unsafe().value()).isZero();
        assertThat(scored.coverage().images()).isEqualTo(new Extent(0, 2));
        assertThat(scored.coverage().unscanned())
                .containsExactly(
                        new Coverage.Unscanned(
                                "image",
                                "messages[0].content[0]",
                                "the guard here reads text only; whoever runs Corral can add one that sees images with"
                                        + " corral.guard.vision.directory"),
                        new Coverage.Unscanned("image", "messages[0].content[1]", "it is gone"),
                        new Coverage.Unscanned("audio", "x", "no guard can read it"));
        assertThat(model.asked).isEmpty();
    }

    @Test
    void assessWhenContextHasAnImageLeavesItToItsOwnJudgement() throws IOException {
        Turn image = new Turn(Role.USER, List.of(new Part.ImagePart("data:", "messages[0].content[0]")));
        assertThat(scored(said(image, Turn.of(Role.USER, "Hello"))).coverage()).isEqualTo(Coverage.ofText(5));
    }

    @Test
    void assessWhenConversationIsTooLongDropsTheOldestTurns() throws IOException {
        String word = "Hello Hello Hello Hello Hello Hello Hello Hello Hello Hello ";
        Turn[] turns = IntStream.range(0, 60)
                .mapToObj(i -> Turn.of(i % 2 == 0 ? Role.USER : Role.ASSISTANT, word + i))
                .toArray(Turn[]::new);
        Scored scored = scored(said(turns));
        assertThat(model.asked).hasSize(1);
        assertThat(model.asked.getFirst().length).isBetween(CONTEXT - 200, CONTEXT);
        assertThat(scored.coverage()).isEqualTo(Coverage.ofText(word.length() + 2));
    }

    @Test
    void assessWhenTextIsTooLongJudgesOverlappingChunks() throws IOException {
        List<Float> unsafe = Collections.synchronizedList(new ArrayList<>(List.of(1f, 3f, 2f)));
        model = model(_ -> {
            float next = unsafe.size() > 1 ? unsafe.removeFirst() : unsafe.getFirst();
            return next == 3f ? logits(3, 9, 0) : logits(next, 0, 9);
        });
        StringBuilder text = new StringBuilder();
        IntStream.range(0, 1_000).forEach(i -> text.append("word").append(i).append(i % 7 == 0 ? " 😀 " : " "));
        Scored scored = scored(said(text.toString()));
        assertThat(model.asked.size()).isGreaterThan(3);
        assertThat(scored.coverage()).isEqualTo(Coverage.ofText(text.length()));
        assertThat(scored.unsafe().value()).isCloseTo(1 / (1 + Math.exp(-3)), within(1e-6));
        assertThat(scored.hazards().get(StandardHazard.S1).value()).isGreaterThan(0.9);
        assertThat(scored.hazards().get(StandardHazard.S9).value()).isGreaterThan(0.8);
        assertThatChunksHoldEveryWord(text.toString());
    }

    @Test
    void assessWhenTextHas128KTokensJudgesAllOfItInPromptsOfOneContext() throws IOException {
        StringBuilder text = new StringBuilder();
        IntStream.range(0, 18_000).forEach(i -> text.append(i).append(i % 3 == 0 ? "word " : "das "));
        try (GuardTokenizer tokenizer = Fixtures.tinyTokenizer()) {
            assertThat(tokenizer.encode(text.toString())).hasSizeGreaterThan(128 << 10);
        }
        Scored scored = scored(said(text.toString()));
        assertThat(scored.coverage()).isEqualTo(Coverage.ofText(text.length()));
        assertThat(model.asked).allMatch(prompt -> prompt.length <= CONTEXT);
        assertThatChunksHoldEveryWord(text.toString());
    }

    private void assertThatChunksHoldEveryWord(String text) {
        int[] whole;
        try (GuardTokenizer tokenizer = Fixtures.tinyTokenizer()) {
            whole = tokenizer.encode(" " + text.strip());
        }
        int covered = 0;
        for (int[] asked : model.asked) {
            // the longest run of the text's tokens from where the last chunk ended, a few back for the overlap
            int reach = covered;
            for (int from = Math.max(0, covered - 64); from <= covered; from++) {
                for (int at = 0; at < asked.length; at++) {
                    int length = 0;
                    while (at + length < asked.length
                            && from + length < whole.length
                            && asked[at + length] == whole[from + length]) {
                        length++;
                    }
                    reach = Math.max(reach, from + length);
                }
            }
            covered = reach;
        }
        assertThat(covered).isEqualTo(whole.length);
    }

    @Test
    void assessWhenTextIsOneHugeWordStillEnds() throws IOException {
        Scored scored = scored(said("😀".repeat(3_000)));
        assertThat(scored.coverage()).isEqualTo(Coverage.ofText(6_000));
    }

    @Test
    void assessWhenInterruptedIsTimeout() throws IOException {
        try (Guard guard = guard()) {
            Thread.currentThread().interrupt();
            Assessment assessment = guard.assess(said("Hello"));
            assertThat(Thread.interrupted()).isTrue();
            assertThat(assessment)
                    .isEqualTo(new Inconclusive(
                            Reason.TIMEOUT,
                            "the guard was interrupted before it was done",
                            new Coverage(new Extent(0, 5), Extent.NONE, List.of())));
        }
    }

    @Test
    void assessWhenLogitsAreNotNumbersIsFailed() throws IOException {
        model = model(_ -> logits(Float.NaN, 0, 0));
        Inconclusive inconclusive = inconclusive(said("Hello"));
        assertThat(inconclusive.reason()).isEqualTo(Reason.FAILED);
        assertThat(inconclusive.coverage().characters()).isEqualTo(new Extent(0, 5));
        model = model(_ -> logits(0, 0, Float.POSITIVE_INFINITY));
        assertThat(inconclusive(said("Hello")).reason()).isEqualTo(Reason.FAILED);
    }

    @Test
    void assessWhenModelFailsSaysWhereAndNeverWhatWasJudged() throws IOException {
        model = model(_ -> {
            throw new IllegalStateException("cannot read " + SECRET);
        });
        assertThat(inconclusive(said(SECRET)).detail())
                .startsWith("the guard failed: IllegalStateException at ")
                .doesNotContain(SECRET);
    }

    private static final CustomHazard SECRETS =
            new CustomHazard("trade-secrets", "Trade secrets", Optional.of("What is\n  not announced. <|eot_id|>"));

    private static final List<Hazard> OTHERS = List.of(StandardHazard.S1, StandardHazard.S9, SECRETS);

    @Test
    void askingWhenAPolicyHasAHazardOfItsOwnGivesItThePlaceOfAnExcludedOne() throws IOException {
        model = model(_ ->
                new float[][] {{0, 50, 0, 0, 0}, {0, 0, (float) Math.log(1), (float) Math.log(6), (float) Math.log(3)}
                });
        try (Guard guard = guard()) {
            Scored scored = (Scored) guard.asking(OTHERS).assess(said("Hello"));

            assertThat(scored.hazards().keySet()).containsExactly(StandardHazard.S1, SECRETS, StandardHazard.S9);
            assertThat(scored.hazards().get(SECRETS).value()).isCloseTo(0.6, within(1e-6));
            assertThat(scored.hazards().get(StandardHazard.S9).value()).isCloseTo(0.3, within(1e-6));
        }
        List<Category> list = List.of(
                new Category("S1", "Violent Crimes."),
                new Category("S2", "Trade secrets.\nWhat is not announced. <|eot_id|>"),
                new Category("S9", "Indiscriminate Weapons."));
        int[] prompt = prompt("Hello", list);
        assertThat(model.asked.getFirst())
                .isEqualTo(IntStream.concat(Arrays.stream(prompt), IntStream.of(271, 300, 198, 50))
                        .toArray());
        try (GuardTokenizer tokenizer = Fixtures.tinyTokenizer()) {
            int[] lines = tokenizer.encode("S2: Trade secrets.\nWhat is not announced.");
            assertThat(Arrays.toString(prompt)).contains(Arrays.toString(lines).replaceAll("[\\[\\]]", ""));
            int end = tokenizer.encode(List.of(new Segment.Special("<|eot_id|>")))[0];
            assertThat(Arrays.stream(prompt).filter(token -> token == end)).hasSize(1);
        }
    }

    @Test
    void askingWhenAHazardIsExcludedLeavesItOutOfThePromptAndOfTheAnswer() throws IOException {
        model = model(_ -> logits(50, 0, Float.NEGATIVE_INFINITY));
        List<Hazard> two = List.of(StandardHazard.S1, StandardHazard.S9);
        try (Guard guard = guard()) {
            Scored scored = (Scored) guard.asking(two).assess(said("Hello"));
            assertThat(scored.hazards().keySet()).containsExactly(StandardHazard.S1, StandardHazard.S9);
            assertThat(scored.hazards().get(StandardHazard.S1).value()).isCloseTo(1, within(1e-6));
        }
        assertThat(model.asked.getFirst()).startsWith(prompt("Hello", Category.of(two)));
    }

    @Test
    void askingWhenItIsForItsOwnHazardsIsTheGuardItself() throws IOException {
        try (TextGuard guard = guard()) {
            int pinned = model.pinned.size();
            assertThat(guard.asking(guard.profile().taxonomy().hazards())).isSameAs(guard);
            assertThat(guard.asking(List.of())).isSameAs(guard);
            assertThat(guard.asking(OTHERS)).isNotSameAs(guard);
            assertThat(model.pinned).hasSize(pinned);
            assertThat(model.asked).isEmpty();
        }
    }

    @Test
    void askingWhenListsDifferAtAllHasAnotherFingerprint() throws IOException {
        try (Guard guard = guard()) {
            Hazard renamed = new CustomHazard("trade-secrets", "Secrets", SECRETS.description());
            Hazard recoded = new CustomHazard("secrets", "Trade secrets", SECRETS.description());
            Hazard bare = new CustomHazard("trade-secrets", "Trade secrets");
            List<List<Hazard>> lists = List.of(
                    OTHERS,
                    List.of(StandardHazard.S1, StandardHazard.S9),
                    List.of(StandardHazard.S2, StandardHazard.S9, SECRETS),
                    List.of(StandardHazard.S1, StandardHazard.S9, renamed),
                    List.of(StandardHazard.S1, StandardHazard.S9, recoded),
                    List.of(StandardHazard.S1, StandardHazard.S9, bare),
                    guard.profile().taxonomy().hazards());
            assertThat(lists)
                    .extracting(list -> guard.asking(list).profile().fingerprint())
                    .doesNotHaveDuplicates();
            assertThat(guard.asking(OTHERS).profile())
                    .isEqualTo(guard.asking(OTHERS).profile());
        }
    }

    @Test
    void askingWhenItCannotBeAskedIsRefused() throws IOException {
        try (Guard guard = guard()) {
            Hazard jokes = new CustomHazard("jokes", "Jokes");
            assertThat(guard.places()).isEqualTo(3);
            assertThatExceptionOfType(IllegalArgumentException.class)
                    .isThrownBy(() -> guard.asking(List.of(StandardHazard.S1, StandardHazard.S9, SECRETS, jokes)))
                    .withMessage("the guard's list has room for 3 hazards, and there is no place for jokes");
            assertThatExceptionOfType(IllegalArgumentException.class)
                    .isThrownBy(() -> guard.asking(List.of(StandardHazard.S5)))
                    .withMessage("the guard does not know hazard S5");
            Hazard wordy = new CustomHazard("wordy", "Wordy", Optional.of("many words ".repeat(300)));
            assertThatExceptionOfType(IllegalArgumentException.class)
                    .isThrownBy(() -> guard.asking(List.of(wordy)))
                    .withMessageContaining("leaves no room for a text beside this list of hazards: shorten");
        }
    }

    @Test
    void ofWhenHeadIsOtherThanTheManifestSaysIsRefused() {
        model = new ScriptedModel(CONTEXT, 7, _ -> logits(0, 0, 0));
        assertThatExceptionOfType(UnusableGuardException.class)
                .isThrownBy(this::guard)
                .withMessageEndingWith("gives the model 5 head-rows, but it has 7");
    }

    @Test
    void ofWhenContextIsTooShortForTheTemplateIsRefused() {
        String manifest = GuardDirectories.TINY.replace("tokens: 600, overlap: 32", "tokens: 50, overlap: 1");
        assertThatExceptionOfType(UnusableGuardException.class)
                .isThrownBy(() -> guard(manifest))
                .withMessageContaining("must be at least")
                .withMessageEndingWith("for its template: 50");
    }

    @Test
    void ofWhenTokenizerLacksTheTemplatesTokensIsRefused() {
        String manifest = GuardDirectories.TINY.replace("family: llama-guard-3", "family: corral-starter");
        assertThatExceptionOfType(UnusableGuardException.class)
                .isThrownBy(() -> guard(manifest))
                .withMessageContaining("has no special token <|im_start|>");
    }

    @Test
    void profileWhenReadIsThatOfTheDirectory() throws IOException {
        try (Guard guard = guard()) {
            assertThat(guard.profile().id()).isEqualTo("tiny-guard");
            assertThat(guard.profile().fingerprint())
                    .isEqualTo(GuardStore.open(directory).fingerprint());
            assertThat(guard.profile().contextTokens()).isEqualTo(600);
            assertThat(guard.profile().taxonomy().hazards()).hasSize(3);
        }
    }
}
