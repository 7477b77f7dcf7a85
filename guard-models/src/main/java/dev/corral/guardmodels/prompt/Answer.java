package dev.corral.guardmodels.prompt;

import dev.corral.guardmodels.prompt.Segment.Special;
import dev.corral.guardmodels.prompt.Segment.Text;
import dev.corral.policies.taxonomy.Hazard;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SequencedSet;
import java.util.function.Function;

/** What a family's guards say, and how it is told in tokens. */
sealed interface Answer {

    /**
     * The answer in a tokenizer's ids.
     *
     * @throws IllegalArgumentException if this tokenizer does not allow to tell the answers apart by one token at a time
     */
    VerdictTokens tokens(List<? extends Hazard> hazards, VerdictWords words, Encoder encoder);

    /** A tokenizer, and whom it is used for. */
    record Encoder(String family, Function<List<Segment>, int[]> encode) {

        List<Integer> ids(String text) {
            return Arrays.stream(encode.apply(List.of(new Text(text)))).boxed().toList();
        }

        int single(String word) {
            List<Integer> ids = ids(word);
            if (ids.size() != 1) {
                throw new IllegalArgumentException("'" + word.replace("\n", "\\n")
                        + "' must be one token for a guard of family " + family + ", but this tokenizer makes "
                        + ids.size() + " of it; take the tokenizer.json of the guard itself");
            }
            return ids.getFirst();
        }

        int special(String token) {
            return encode.apply(List.of(new Special(token)))[0];
        }
    }

    /** A checkpoint that brings a head of its own, with a row for safe, for unsafe and for each hazard. */
    record VerdictHead(String unsafe, String afterUnsafe) implements Answer {

        @Override
        public VerdictTokens tokens(List<? extends Hazard> hazards, VerdictWords words, Encoder encoder) {
            return new VerdictTokens(
                    List.of(),
                    List.of(encoder.single(unsafe), encoder.single(afterUnsafe)),
                    List.of(),
                    Optional.empty());
        }
    }

    /**
     * {@code safe}, or {@code unsafe}, a line feed and codes with commas between them, as Llama Guard generates it.
     *
     * <p>Hazards are told apart by the first token in which their codes differ, after what all codes have in common:
     * {@code S10} is {@code S} and the number in Llama 3's tokenizer, which makes one token of up to three digits.
     */
    record Generated(String lead, String end) implements Answer {

        private static final String LINE = "\n";
        private static final String COMMA = ",";

        @Override
        public VerdictTokens tokens(List<? extends Hazard> hazards, VerdictWords words, Encoder encoder) {
            List<String> codes = hazards.stream().map(Hazard::code).toList();
            int safe = encoder.single(words.safe());
            int unsafe = encoder.single(words.unsafe());
            List<Integer> intro = List.of(unsafe, encoder.single(LINE));
            Names first = Names.of(codes, words.unsafe() + LINE, encoder);
            if (!first.common.subList(0, Math.min(2, first.common.size())).equals(intro)) {
                throw new IllegalArgumentException("'" + words.unsafe()
                        + "', a line feed and a hazard's code must not share a token: take other codes");
            }
            first.requireDistinct(codes, Map.of(safe, words.safe(), unsafe, words.unsafe()));
            List<Integer> leading = lead.isEmpty() ? List.of() : List.of(encoder.single(lead));
            SequencedSet<Integer> rows = new LinkedHashSet<>(List.of(safe, unsafe));
            first.names.forEach(name -> rows.add(name.getFirst()));
            Names further = Names.of(codes, COMMA, encoder);
            Optional<VerdictTokens.Listing> listing = Optional.empty();
            if (further.names.equals(first.names) && !further.common.isEmpty()) {
                int more = further.common.getFirst();
                int ending = encoder.special(end);
                rows.add(more);
                rows.add(ending);
                rows.addAll(leading);
                rows.addAll(first.common.subList(1, first.common.size()));
                List<Integer> order = List.copyOf(rows);
                listing = Optional.of(new VerdictTokens.Listing(
                        first.names, further.common, order.indexOf(more), order.indexOf(ending)));
            }
            return new VerdictTokens(leading, first.common, List.copyOf(rows), listing);
        }

        /**
         * Codes as tokens.
         *
         * @param common what all of them begin with, and what stands before them
         * @param names the rest of each, at least one token
         */
        private record Names(List<Integer> common, List<List<Integer>> names) {

            static Names of(List<String> codes, String before, Encoder encoder) {
                List<List<Integer>> all =
                        codes.stream().map(code -> encoder.ids(before + code)).toList();
                int shortest = all.stream().mapToInt(List::size).min().orElseThrow();
                int common = 0;
                while (common < shortest - 1 && allHave(all, common)) {
                    common++;
                }
                int length = common;
                return new Names(
                        all.getFirst().subList(0, length),
                        all.stream().map(ids -> ids.subList(length, ids.size())).toList());
            }

            private static boolean allHave(List<List<Integer>> all, int index) {
                return all.stream()
                        .allMatch(ids -> ids.get(index).equals(all.getFirst().get(index)));
            }

            void requireDistinct(List<String> codes, Map<Integer, String> others) {
                List<String> problems = new ArrayList<>();
                Map<Integer, String> taken = new HashMap<>(others);
                for (int i = 0; i < codes.size(); i++) {
                    String other = taken.putIfAbsent(names.get(i).getFirst(), codes.get(i));
                    if (other != null) {
                        problems.add("'" + codes.get(i) + "' like '" + other + "'");
                    }
                }
                if (!problems.isEmpty()) {
                    throw new IllegalArgumentException("a hazard must be told by the first token of its code, but this"
                            + " tokenizer begins " + String.join(" and ", problems)
                            + "; take the tokenizer.json of the guard itself, and codes such as C1, C2 and C3");
                }
            }
        }
    }
}
