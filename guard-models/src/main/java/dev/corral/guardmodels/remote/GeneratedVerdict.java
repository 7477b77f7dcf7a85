package dev.corral.guardmodels.remote;

import dev.corral.guardmodels.prompt.VerdictWords;
import dev.corral.policies.taxonomy.Hazard;
import dev.corral.policies.taxonomy.Taxonomy;
import java.util.Collections;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.SequencedSet;

/** What a guard wrote, read strictly: words that look like a verdict but are none count for nothing. */
sealed interface GeneratedVerdict {

    /** The content is safe. */
    record Safe() implements GeneratedVerdict {}

    /**
     * The content is unsafe.
     *
     * @param hazards as listed, each once
     * @param unknown listed too, but not in the guard's taxonomy
     */
    record Unsafe(SequencedSet<Hazard> hazards, SequencedSet<String> unknown) implements GeneratedVerdict {

        public Unsafe {
            hazards = Collections.unmodifiableSequencedSet(new LinkedHashSet<>(hazards));
            unknown = Collections.unmodifiableSequencedSet(new LinkedHashSet<>(unknown));
        }
    }

    /**
     * No verdict.
     *
     * @param why never the text itself, which may repeat what was judged
     */
    record Unreadable(String why) implements GeneratedVerdict {}

    /**
     * Reads an answer: the first line is exactly the word for safe, and nothing follows, or exactly the word for unsafe;
     * then the next line that is not blank lists codes with commas between them. Blanks and an end token around it count
     * for nothing.
     */
    static GeneratedVerdict read(String text, Taxonomy taxonomy, VerdictWords words) {
        String answer = withoutEnd(text.strip());
        if (answer.isEmpty()) {
            return new Unreadable("its answer is empty");
        }
        List<String> lines = answer.lines()
                .map(String::strip)
                .filter(line -> !line.isEmpty())
                .toList();
        if (lines.getFirst().equals(words.safe())) {
            return lines.size() == 1
                    ? new Safe()
                    : new Unreadable("its answer says '" + words.safe() + "', and then goes on");
        }
        if (!lines.getFirst().equals(words.unsafe())) {
            return new Unreadable("its answer of " + text.length() + " characters does not begin with a line '"
                    + words.safe() + "' or '" + words.unsafe() + "'; is it a Llama Guard, with its own chat template?");
        }
        SequencedSet<Hazard> hazards = new LinkedHashSet<>();
        SequencedSet<String> unknown = new LinkedHashSet<>();
        for (String item : lines.size() > 1 ? lines.get(1).split(",", -1) : new String[0]) {
            String code = item.strip();
            Optional<Hazard> hazard = taxonomy.byCode(code);
            if (hazard.isPresent()) {
                hazards.add(hazard.get());
            } else if (!code.isEmpty()) {
                unknown.add(code);
            }
        }
        return new Unsafe(hazards, unknown);
    }

    private static String withoutEnd(String text) {
        String end = "<|eot_id|>";
        return text.endsWith(end)
                ? text.substring(0, text.length() - end.length()).strip()
                : text;
    }
}
