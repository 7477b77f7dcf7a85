package dev.corral.guardmodels.prompt;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import dev.corral.guardmodels.Fixtures;
import dev.corral.guardmodels.tokenizer.GuardTokenizer;
import dev.corral.policies.taxonomy.CustomHazard;
import dev.corral.policies.taxonomy.Hazard;
import dev.corral.policies.taxonomy.Taxonomy;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;

class AnswerTests {

    private static final GuardTokenizer TOKENIZER = Fixtures.tinyTokenizer();

    @AfterAll
    static void close() {
        TOKENIZER.close();
    }

    private static VerdictTokens tokens(VerdictWords words, String... codes) {
        List<Hazard> hazards = Arrays.stream(codes)
                .<Hazard>map(code -> new CustomHazard(code, "name of " + code))
                .toList();
        return GuardFamily.LLAMA_GUARD_3.verdictTokens(new Taxonomy("own", hazards), words, TOKENIZER::encode);
    }

    private static List<Integer> ids(String text) {
        return Arrays.stream(TOKENIZER.encode(text)).boxed().toList();
    }

    @Test
    void tokensWhenCodesAreALetterAndANumberForcesTheLetterAndReadsTheNumber() {
        VerdictTokens tokens = tokens(VerdictWords.LLAMA_GUARD, "C1", "C2", "C12");
        assertThat(tokens.lead()).isEqualTo(ids("\n\n"));
        assertThat(tokens.continuation()).isEqualTo(ids("unsafe\nC"));
        assertThat(tokens.headRows().subList(0, 5))
                .containsExactly(
                        ids("safe").getFirst(),
                        ids("unsafe").getFirst(),
                        ids("1").getFirst(),
                        ids("2").getFirst(),
                        ids("12").getFirst());
        assertThat(tokens.listing()).hasValueSatisfying(listing -> {
            assertThat(listing.another()).isEqualTo(ids(",C"));
            assertThat(listing.names()).containsExactly(ids("1"), ids("2"), ids("12"));
            assertThat(tokens.headRows().get(listing.more())).isEqualTo(ids(",").getFirst());
            assertThat(tokens.headRows().get(listing.end())).isEqualTo(617);
        });
    }

    @Test
    void tokensWhenCodesShareNothingReadsTheirFirstTokens() {
        VerdictTokens tokens = tokens(VerdictWords.LLAMA_GUARD, "A", "B");
        assertThat(tokens.continuation()).isEqualTo(ids("unsafe\n"));
        assertThat(tokens.listing())
                .hasValueSatisfying(listing -> assertThat(listing.another()).isEqualTo(ids(",")));
    }

    @Test
    void tokensWhenThereIsOneHazardOnlyStillReadsIt() {
        VerdictTokens tokens = tokens(VerdictWords.LLAMA_GUARD, "S7");
        assertThat(tokens.continuation()).isEqualTo(ids("unsafe\nS"));
        assertThat(tokens.headRows()).contains(ids("7").getFirst());
    }

    @Test
    void tokensWhenGuardAnswersInOtherWordsTakesThem() {
        VerdictTokens tokens = tokens(new VerdictWords("1", "2"), "C3", "C4");
        assertThat(tokens.headRows().subList(0, 2)).containsExactly(ids("1").getFirst(), ids("2").getFirst());
        assertThat(tokens.continuation()).isEqualTo(ids("2\nC"));
    }

    @Test
    void tokensWhenHazardsBeginAlikeNamesThemAll() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> tokens(VerdictWords.LLAMA_GUARD, "C1", "C1-a", "D", "D-x"))
                .withMessage(
                        "a hazard must be told by the first token of its code, but this tokenizer begins 'C1-a' like"
                                + " 'C1' and 'D-x' like 'D'; take the tokenizer.json of the guard itself, and codes such as C1, C2 and C3");
    }

    @Test
    void tokensWhenAWordIsNotOneTokenSaysSo() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> tokens(new VerdictWords("harmless", "unsafe"), "C1"))
                .withMessageStartingWith("'harmless' must be one token for a guard of family llama-guard-3, but");
    }
}
