package dev.corral.guardmodels.prompt;

import dev.corral.policies.taxonomy.CustomHazard;
import dev.corral.policies.taxonomy.Hazard;
import java.util.List;

/**
 * A line in the list of what counts as unsafe.
 *
 * @param code such as {@code S4}
 * @param text such as {@code Child Exploitation.}
 */
public record Category(String code, String text) {

    /**
     * A hazard at the place of another: its name as the guard's own are written, and what counts as it on a line of its own,
     * as Meta's recipes write descriptions ({@code llama-cookbook}, {@code prompt_format_utils.py}).
     */
    public static Category at(String code, CustomHazard hazard) {
        return new Category(
                code,
                hazard.displayName()
                        + "."
                        + hazard.description()
                                .map(text -> "\n" + text.strip().replaceAll("\\s+", " "))
                                .orElse(""));
    }

    /** Hazards as Llama Guard 3 was trained to read them: their names, with a full stop. */
    public static List<Category> of(List<? extends Hazard> hazards) {
        return hazards.stream()
                .map(hazard -> new Category(hazard.code(), hazard.displayName() + "."))
                .toList();
    }
}
