package dev.corral.benchmarks.capacity;

import java.util.List;
import java.util.Random;

/** Texts of common words at random. */
final class Words {

    private static final List<String> WORDS = List.of(
            "the", "of", "and", "bread", "river", "seven", "green", "house", "train", "music", "water", "light", "in",
            "to", "garden", "winter", "paper", "letter", "stone", "market", "morning", "table", "bird", "summer");

    private final Random random = new Random(1);

    String next() {
        return WORDS.get(random.nextInt(WORDS.size()));
    }

    /** A text of so many words. */
    String text(int count) {
        StringBuilder text = new StringBuilder("I");
        for (int word = 1; word < count; word++) {
            text.append(' ').append(next());
        }
        return text.toString();
    }
}
