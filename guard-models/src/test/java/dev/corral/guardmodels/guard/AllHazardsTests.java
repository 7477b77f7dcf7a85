package dev.corral.guardmodels.guard;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.within;

import dev.corral.guardmodels.GuardDirectories;
import dev.corral.guardmodels.ScriptedModel;
import dev.corral.guardmodels.conversation.Conversation;
import dev.corral.guardmodels.conversation.Role;
import dev.corral.guardmodels.conversation.Turn;
import dev.corral.guardmodels.store.GuardDirectory;
import dev.corral.guardmodels.store.GuardStore;
import dev.corral.guardmodels.store.NamedHazards;
import dev.corral.guardmodels.store.UnusableGuardException;
import dev.corral.policies.assessment.Assessment.Scored;
import dev.corral.policies.assessment.Meaning;
import dev.corral.policies.taxonomy.StandardHazard;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class AllHazardsTests {

    private static final double[] NOBODY = {0, 0, 0};

    private static final String LISTING = GuardDirectories.TINY
            .replace("head-rows: 5", "head-rows: 7")
            .replace(
                    "hazards: { S1: 2, S2: 3, S9: 4 }",
                    "hazards: { S1: 2, S2: 3, S9: 4 }\n  list: { names: { S1: [16], S2: [17], S9: [24] }, another: [258], more: 5,"
                            + " end: 6 }");

    @TempDir
    private Path directory;

    private double unsafe = 0.9;

    /** By the names that stand in the answer: probability to go on, then those of S1, S2 and S9. */
    private final Map<List<Integer>, double[]> guard = Map.of(
            List.of(), new double[] {1, 0.6, 0.4, 0},
            List.of(16), new double[] {0.8, 0, 0.75, 0.25},
            List.of(16, 17), new double[] {0.25, 0, 0, 1},
            List.of(17), new double[] {0.9, 1, 0, 0});

    private final ScriptedModel model = new ScriptedModel(600, 7, this::logits);

    private float[][] logits(int[] tokens) {
        int answer = tokens.length - 1;
        while (!(tokens[answer] == 50 && tokens[answer - 1] == 198 && tokens[answer - 2] == 300)) {
            answer--;
        }
        List<Integer> names = Arrays.stream(tokens, answer + 1, tokens.length)
                .filter(token -> token != 258)
                .boxed()
                .toList();
        double[] next = guard.getOrDefault(names, new double[] {0, 1, 1, 1});
        float[] place = row(NOBODY, next[0]);
        return names.isEmpty()
                ? new float[][] {row(NOBODY, 0), row(Arrays.copyOfRange(next, 1, 4), 0)}
                : new float[][] {place, row(Arrays.copyOfRange(next, 1, 4), 0)};
    }

    private float[] row(double[] hazards, double more) {
        double[] probabilities = {1 - unsafe, unsafe, hazards[0], hazards[1], hazards[2], more, 1 - more};
        float[] logits = new float[probabilities.length];
        for (int i = 0; i < logits.length; i++) {
            logits[i] = (float) Math.log(probabilities[i]);
        }
        return logits;
    }

    private GuardDirectory directory() throws IOException {
        return GuardStore.open(GuardDirectories.write(directory, LISTING));
    }

    private Scored assess(NamedHazards named) throws IOException {
        try (Guard guard = TextGuard.of(directory().naming(named), model)) {
            return (Scored) guard.assess(new Conversation(List.of(Turn.of(Role.USER, "Hello"))));
        }
    }

    private static void assertHazards(Scored scored, double s1, double s2, double s9) {
        assertThat(scored.hazards().get(StandardHazard.S1).value()).isCloseTo(s1, within(1e-6));
        assertThat(scored.hazards().get(StandardHazard.S2).value()).isCloseTo(s2, within(1e-6));
        assertThat(scored.hazards().get(StandardHazard.S9).value()).isCloseTo(s9, within(1e-6));
    }

    @Test
    void assessWhenFirstIsAskedReadsOnePass() throws IOException {
        Scored scored = assess(NamedHazards.FIRST);
        assertThat(scored.meaning()).isEqualTo(Meaning.FIRST_HAZARD);
        assertHazards(scored, 0.9 * 0.6, 0.9 * 0.4, 0);
        assertThat(model.asked).hasSize(1);
    }

    @Test
    void assessWhenAllAreAskedFollowsTheLikeliestListToItsEnd() throws IOException {
        Scored scored = assess(NamedHazards.ALL);
        assertThat(scored.unsafe().value()).isCloseTo(0.9, within(1e-6));
        assertThat(scored.meaning()).isEqualTo(Meaning.ALL_HAZARDS);
        assertHazards(
                scored, 0.9 * 0.6, 0.9 * (0.4 + 0.6 * 0.8 * 0.75), 0.9 * (0.6 * 0.8 * 0.25 + 0.6 * 0.8 * 0.75 * 0.25));
        assertThat(model.asked).hasSize(3);
        int[] last = model.asked.getLast();
        assertThat(Arrays.copyOfRange(last, last.length - 8, last.length))
                .containsExactly(271, 300, 198, 50, 16, 258, 17, 258);
        assertThat(model.askedRows.getLast()).containsExactly(last.length - 2, last.length - 1);
    }

    @Test
    void assessWhenAllAreAskedOfWhatIsSafeCostsNothingAndSaysSo() throws IOException {
        unsafe = 0.4;
        Scored scored = assess(NamedHazards.ALL);
        assertThat(scored.meaning()).isEqualTo(Meaning.FIRST_HAZARD);
        assertHazards(scored, 0.4 * 0.6, 0.4 * 0.4, 0);
        assertThat(model.asked).hasSize(1);
    }

    @Test
    void profileWhenAllAreAskedHasAnotherMeaningAndFingerprint() throws IOException {
        GuardProfile first = GuardProfile.of(directory());
        GuardProfile all = GuardProfile.of(directory().naming(NamedHazards.ALL));
        assertThat(first.meaning()).isEqualTo(Meaning.FIRST_HAZARD);
        assertThat(all.meaning()).isEqualTo(Meaning.ALL_HAZARDS);
        assertThat(all.fingerprint()).isNotEqualTo(first.fingerprint());
    }

    @Test
    void namingWhenBuiltInGuardIsAskedForAllSaysThatItCannot() {
        assertThatExceptionOfType(UnusableGuardException.class)
                .isThrownBy(() -> GuardStore.starter().naming(NamedHazards.ALL))
                .withMessageStartingWith("the built-in guard cannot name all hazards, only the first")
                .withMessageEndingWith("or convert a Llama Guard 3 with this version of 'corral quantize'");
        assertThat(GuardStore.starter().naming(NamedHazards.FIRST).named()).isEqualTo(NamedHazards.FIRST);
    }
}
