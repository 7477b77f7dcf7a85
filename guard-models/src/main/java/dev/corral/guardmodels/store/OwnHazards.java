package dev.corral.guardmodels.store;

import dev.corral.guardmodels.prompt.GuardFamily;
import dev.corral.guardmodels.prompt.VerdictWords;
import java.util.Optional;

/** What a guard was trained to tell apart, and the words that it answers with. */
public record OwnHazards(HazardCatalogue catalogue, VerdictWords words) {

    /** What a family has without further training. */
    public static OwnHazards of(GuardFamily family) {
        return new OwnHazards(HazardCatalogue.of(family), VerdictWords.LLAMA_GUARD);
    }

    /**
     * Reads a file of hazards: {@code name}, {@code hazards} of {@code code}, {@code name} and optionally
     * {@code prompt}, and optionally {@code answer} with the words {@code safe} and {@code unsafe}.
     *
     * @param origin name for messages, such as the file's path
     * @throws UnusableGuardException with all problems at once
     */
    public static OwnHazards parse(String yaml, String origin, GuardFamily family) {
        YamlSection root = YamlSection.parse(yaml, origin);
        Optional<HazardCatalogue> catalogue = HazardCatalogue.read(root, family);
        VerdictWords words = root.optionalSection("answer")
                .map(answer -> {
                    if (!family.promptHasCategories()) {
                        answer.problem("a guard of family " + family.id() + " answers with its own head; remove it");
                    }
                    return new VerdictWords(answer.filled("safe"), answer.filled("unsafe"));
                })
                .orElse(VerdictWords.LLAMA_GUARD);
        if (!words.safe().isEmpty() && words.safe().equals(words.unsafe())) {
            root.problem("'answer.safe' and 'answer.unsafe' must not be the same: '" + words.safe() + "'");
        }
        root.finish(origin);
        return new OwnHazards(catalogue.orElseThrow(), words);
    }
}
