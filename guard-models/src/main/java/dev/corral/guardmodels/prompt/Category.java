package dev.corral.guardmodels.prompt;

import dev.corral.policies.taxonomy.Hazard;
import java.util.List;

/**
 * A line in the list of what counts as unsafe.
 *
 * @param code such as {@code S4}
 * @param text such as {@code Child Exploitation.}
 */
public record Category(String code, String text) {

    /** Hazards as Llama Guard 3 was trained to read them: their names, with a full stop. */
    public static List<Category> of(List<? extends Hazard> hazards) {
        return hazards.stream()
                .map(hazard -> new Category(hazard.code(), hazard.displayName() + "."))
                .toList();
    }
}
