package dev.corral.gateway.translation;

import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;

/** How much a model is to think before it answers. */
enum Effort {
    OFF,
    /** As much as the model thinks right. */
    ON,
    LOW,
    MEDIUM,
    HIGH;

    /** As the APIs write it. */
    String word() {
        return name().toLowerCase(Locale.ROOT);
    }

    /** One of low, medium and high. */
    static Optional<Effort> graded(String word) {
        return Arrays.stream(values())
                .filter(effort -> effort.compareTo(ON) > 0 && effort.word().equals(word))
                .findFirst();
    }
}
