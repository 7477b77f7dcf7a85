package dev.corral.guardmodels.prompt;

import static org.assertj.core.api.Assertions.assertThat;

import dev.corral.guardmodels.Fixtures;
import dev.corral.guardmodels.tokenizer.GuardTokenizer;
import java.util.List;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;

class StarterTemplateTests {

    private static final JsonNode GOLDENS = Fixtures.json("/fixtures/starter-guard/goldens.json");

    @Test
    void encodeWhenGoldenConversationGivesItsIds() {
        try (GuardTokenizer tokenizer = Fixtures.starterTokenizer()) {
            for (JsonNode golden : GOLDENS.get("cases")) {
                Dialogue dialogue = GoldenDialogues.ofTurns(golden.get("turns"));
                assertThat(tokenizer.encode(GuardFamily.CORRAL_STARTER.render(dialogue, List.of())))
                        .as(golden.get("turns").toString())
                        .isEqualTo(Fixtures.ints(golden.get("ids")));
            }
        }
    }

    @Test
    void verdictTokensWhenModelBringsItsHeadGivesNoRows() {
        try (GuardTokenizer tokenizer = Fixtures.starterTokenizer()) {
            VerdictTokens verdict = GuardFamily.CORRAL_STARTER.verdictTokens(tokenizer::encode);
            assertThat(verdict.lead()).isEmpty();
            assertThat(verdict.continuation())
                    .containsExactly(20408, 42)
                    .hasSize(GOLDENS.get("forced_after_prompt").size());
            assertThat(verdict.headRows()).isEmpty();
            assertThat(verdict.listing()).isEmpty();
        }
    }
}
