package dev.corral.guardmodels.remote;

import dev.corral.guardmodels.prompt.VerdictWords;
import dev.corral.guardmodels.remote.GeneratedAnswer.Token;
import dev.corral.guardmodels.remote.GeneratedVerdict.Unsafe;
import dev.corral.guardmodels.store.NamedHazards;
import dev.corral.policies.assessment.Meaning;
import dev.corral.policies.taxonomy.Hazard;
import dev.corral.policies.taxonomy.Taxonomy;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.Set;

/**
 * What a generated answer and the probabilities of its tokens say.
 *
 * <p>A server tells the likeliest alternatives of each token only. P(unsafe) is that of the word for unsafe among the
 * two words; one that is not listed is taken to be as likely as it can be. A hazard is told by the first token that
 * leaves only one code possible. What is not listed there, or is no code, counts as unsafe without a name: nothing is
 * made up. Where the tokens do not spell the answer, or the server gives none, there are no probabilities, and the
 * meaning is {@link Meaning#VERDICT}.
 *
 * @param byHazard every hazard of the taxonomy
 */
record GeneratedScores(double unsafe, Map<Hazard, Double> byHazard, double unnamed, Meaning meaning) {

    /** Nothing is unsafe. */
    static GeneratedScores harmless(Taxonomy taxonomy) {
        return new GeneratedScores(0, of(taxonomy), 0, Meaning.FIRST_HAZARD);
    }

    /** The higher of both in everything. */
    GeneratedScores or(GeneratedScores other) {
        Map<Hazard, Double> higher = new LinkedHashMap<>(byHazard);
        other.byHazard.forEach((hazard, probability) -> higher.merge(hazard, probability, Math::max));
        return new GeneratedScores(
                Math.max(unsafe, other.unsafe), higher, Math.max(unnamed, other.unnamed), meaning.or(other.meaning));
    }

    private static Map<Hazard, Double> of(Taxonomy taxonomy) {
        Map<Hazard, Double> none = new LinkedHashMap<>();
        taxonomy.hazards().forEach(hazard -> none.put(hazard, 0.0));
        return none;
    }

    /** Reads answers in the words and with the hazards of one guard. */
    static final class Reader {

        private final Taxonomy taxonomy;
        private final VerdictWords words;
        private final NamedHazards named;

        Reader(Taxonomy taxonomy, VerdictWords words, NamedHazards named) {
            this.taxonomy = taxonomy;
            this.words = words;
            this.named = named;
        }

        /** Of an answer that could be read as this verdict. */
        GeneratedScores read(GeneratedVerdict verdict, GeneratedAnswer answer) {
            List<Token> tokens = answer.tokens();
            int word = 0;
            while (word < tokens.size() && tokens.get(word).text().isBlank()) {
                word++;
            }
            OptionalDouble unsafe = word < tokens.size() ? unsafe(tokens.get(word)) : OptionalDouble.empty();
            if (unsafe.isEmpty()) {
                return bare(verdict);
            }
            return scores(unsafe.getAsDouble(), verdict, tokens.subList(word + 1, tokens.size()));
        }

        /**
         * Of an answer that was made to say unsafe.
         *
         * @param unsafe P(unsafe), which is known already
         * @param tokens what the guard wrote after the word
         */
        GeneratedScores scores(double unsafe, GeneratedVerdict verdict, List<Token> tokens) {
            if (!(verdict instanceof Unsafe list)) {
                return new GeneratedScores(unsafe, of(taxonomy), unsafe, Meaning.FIRST_HAZARD);
            }
            List<Name> names = names(tokens);
            List<Hazard> spelled = names.stream().map(Name::hazard).toList();
            List<Hazard> listed = List.copyOf(list.hazards());
            boolean agree = spelled.size() <= listed.size()
                    && listed.subList(0, spelled.size()).equals(spelled);
            return agree
                            && (!spelled.isEmpty()
                                    || listed.isEmpty()
                                    || !list.unknown().isEmpty())
                    ? probable(unsafe, list, names)
                    : bare(verdict);
        }

        private GeneratedScores bare(GeneratedVerdict verdict) {
            Map<Hazard, Double> hazards = of(taxonomy);
            if (!(verdict instanceof Unsafe list)) {
                return new GeneratedScores(0, hazards, 0, Meaning.VERDICT);
            }
            list.hazards().forEach(hazard -> hazards.put(hazard, 1.0));
            boolean allNamed = list.unknown().isEmpty() && !list.hazards().isEmpty();
            return new GeneratedScores(1, hazards, allNamed ? 0 : 1, Meaning.VERDICT);
        }

        private OptionalDouble unsafe(Token word) {
            if (!begins(words.safe(), word.text()) && !begins(words.unsafe(), word.text())) {
                return OptionalDouble.empty();
            }
            double safe = 0;
            double unsafe = 0;
            double listed = 0;
            double least = 1;
            for (Map.Entry<String, Double> alternative : word.probabilities().entrySet()) {
                safe += begins(words.safe(), alternative.getKey()) ? alternative.getValue() : 0;
                unsafe += begins(words.unsafe(), alternative.getKey()) ? alternative.getValue() : 0;
                listed += alternative.getValue();
                least = Math.min(least, alternative.getValue());
            }
            if (safe + unsafe == 0) {
                return OptionalDouble.empty();
            }
            double unlisted = Math.max(0, Math.min(least, 1 - listed));
            safe = safe > 0 ? safe : unlisted;
            unsafe = unsafe > 0 ? unsafe : unlisted;
            return OptionalDouble.of(unsafe / (safe + unsafe));
        }

        private static boolean begins(String word, String token) {
            String text = token.strip();
            return !text.isEmpty() && word.startsWith(text);
        }

        private GeneratedScores probable(double unsafe, Unsafe list, List<Name> names) {
            boolean all = named == NamedHazards.ALL;
            Map<Hazard, Double> given = of(taxonomy);
            Set<Hazard> before = new HashSet<>();
            double path = 1;
            double first = 0;
            for (Name name : all ? names : names.subList(0, Math.min(1, names.size()))) {
                double reached = path * name.goesOn();
                for (Map.Entry<Hazard, Double> possible : name.possible().entrySet()) {
                    double probability = reached * possible.getValue();
                    first += before.isEmpty() ? probability : 0;
                    if (!before.contains(possible.getKey())) {
                        given.merge(possible.getKey(), probability, (a, b) -> Math.min(1, a + b));
                    }
                }
                path = reached * name.possible().getOrDefault(name.hazard(), 0.0);
                before.add(name.hazard());
            }
            double unnamed = all && !list.unknown().isEmpty() ? 1 : Math.clamp(1 - first, 0, 1);
            given.replaceAll((_, probability) -> Math.min(1, probability) * unsafe);
            return new GeneratedScores(
                    unsafe, given, unnamed * unsafe, all ? Meaning.ALL_HAZARDS : Meaning.FIRST_HAZARD);
        }

        /**
         * A hazard of the list.
         *
         * @param possible probability of each hazard to stand in this place, as far as it is known
         * @param goesOn probability that the list has a further name here at all; 1 for the first
         */
        private record Name(Hazard hazard, Map<Hazard, Double> possible, double goesOn) {}

        /** The names that the tokens spell, up to the first that is unknown or repeated. */
        private List<Name> names(List<Token> tokens) {
            List<Name> names = new ArrayList<>();
            Set<Hazard> taken = new HashSet<>();
            String spelled = "";
            double goesOn = 1;
            boolean decided = false;
            for (Token token : tokens) {
                int comma = token.text().lastIndexOf(',');
                String separator = token.text().substring(0, comma + 1);
                if (comma >= 0) {
                    spelled = "";
                    decided = false;
                }
                String begin = spelled;
                spelled = (begin + token.text().substring(separator.length())).stripLeading();
                if (decided || spelled.isEmpty()) {
                    goesOn *= comma >= 0 ? token.probability() : 1;
                    continue;
                }
                Optional<Hazard> hazard = decide(spelled);
                if (hazard.isPresent()) {
                    if (!taken.add(hazard.get())) {
                        break;
                    }
                    Map<Hazard, Double> possible = new LinkedHashMap<>();
                    token.probabilities().forEach((text, probability) -> {
                        if (text.startsWith(separator)) {
                            decide((begin + text.substring(separator.length())).stripLeading())
                                    .ifPresent(other -> possible.merge(other, probability, Double::sum));
                        }
                    });
                    names.add(new Name(hazard.get(), possible, goesOn));
                    goesOn = 1;
                    decided = true;
                } else if (!isBeginning(spelled)) {
                    break;
                } else {
                    goesOn *= comma >= 0 ? token.probability() : 1;
                }
            }
            return names;
        }

        /** The hazard with this code, or the only one whose code begins so. */
        private Optional<Hazard> decide(String text) {
            String beginning = text.strip();
            if (beginning.isEmpty()) {
                return Optional.empty();
            }
            Optional<Hazard> exact = taxonomy.byCode(beginning);
            if (exact.isPresent()) {
                return exact;
            }
            List<Hazard> possible = taxonomy.hazards().stream()
                    .filter(hazard -> hazard.code().startsWith(beginning))
                    .toList();
            return possible.size() == 1 ? Optional.of(possible.getFirst()) : Optional.empty();
        }

        private boolean isBeginning(String text) {
            return taxonomy.hazards().stream().anyMatch(hazard -> hazard.code().startsWith(text.strip()));
        }
    }
}
