package dev.corral.policies.taxonomy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.util.List;
import org.junit.jupiter.api.Test;

class TaxonomyTests {

    @Test
    void llamaGuard3WhenListedHasThirteenHazardsAndTheLargeModelOneMore() {
        assertThat(Taxonomy.LLAMA_GUARD_3.hazards())
                .extracting(Hazard::code)
                .containsExactly("S1", "S2", "S3", "S4", "S5", "S6", "S7", "S8", "S9", "S10", "S11", "S12", "S13");
        assertThat(Taxonomy.LLAMA_GUARD_3_8B.hazards())
                .startsWith(Taxonomy.LLAMA_GUARD_3.hazards().toArray(Hazard[]::new))
                .endsWith(StandardHazard.S14)
                .hasSize(14);
    }

    @Test
    void byCodeWhenCodeIsExactFindsHazard() {
        Hazard leak = new CustomHazard("Leak", "Trade Secrets");
        Taxonomy taxonomy = new Taxonomy("house", List.of(StandardHazard.S1, leak));

        assertThat(taxonomy.byCode("S1")).contains(StandardHazard.S1);
        assertThat(taxonomy.byCode("Leak")).contains(leak);
        assertThat(taxonomy.byCode("leak")).isEmpty();
        assertThat(taxonomy.byCode("S2")).isEmpty();
        assertThat(StandardHazard.byCode("S10")).contains(StandardHazard.S10);
        assertThat(StandardHazard.byCode("S0")).isEmpty();
    }

    @Test
    void newWhenCodeIsTakenNamesTheCode() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> new Taxonomy("house", List.of(StandardHazard.S1, new CustomHazard("S1", "Other"))))
                .withMessage("taxonomy house names hazard S1 twice");
    }

    @Test
    void newWhenEmptyThrows() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> new Taxonomy("house", List.of()))
                .withMessage("taxonomy house has no hazards");
    }

    @Test
    void customHazardWhenCodeOrNameIsBadThrows() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> new CustomHazard("trade secrets", "Trade Secrets"))
                .withMessage(
                        "a hazard's code must be letters, digits and hyphens, starting with a letter: 'trade secrets'");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> new CustomHazard("Leak", " "))
                .withMessage("the name of hazard Leak must not be blank");
    }
}
