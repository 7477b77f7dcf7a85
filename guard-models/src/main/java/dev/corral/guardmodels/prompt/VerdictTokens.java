package dev.corral.guardmodels.prompt;

import java.util.Collection;
import java.util.List;
import java.util.Optional;

/**
 * How a family's verdict is read from a model, in token ids of its tokenizer.
 *
 * @param lead forced after the prompt; after its last token the model says safe or unsafe
 * @param continuation forced after that; after its last token the model names the hazard
 * @param headRows ids of the vocabulary rows that the head keeps: safe, unsafe, then the hazards in the taxonomy's
 *     order, then what else an answer may consist of; empty when the checkpoint brings a verdict head, which has the
 *     rows of safe, unsafe and the hazards only
 * @param listing how an answer goes on after its first hazard; empty where the model or its tokenizer has no way to
 */
public record VerdictTokens(
        List<Integer> lead, List<Integer> continuation, List<Integer> headRows, Optional<Listing> listing) {

    public VerdictTokens {
        lead = List.copyOf(lead);
        continuation = List.copyOf(continuation);
        headRows = List.copyOf(headRows);
    }

    /**
     * The verdict as a model gives it that has logits for some tokens only. Where it cannot go on after its first hazard
     * there is no listing.
     *
     * @param tokens that have logits
     * @param hazards how many there are
     * @throws IllegalArgumentException if safe, unsafe or a hazard has no logits
     */
    public VerdictTokens within(Collection<Integer> tokens, int hazards) {
        List<Integer> missing = headRows.subList(0, 2 + hazards).stream()
                .filter(row -> !tokens.contains(row))
                .toList();
        if (!missing.isEmpty()) {
            throw new IllegalArgumentException(
                    "safe, unsafe and the hazards are the tokens %s, of which the model's head has no rows for %s"
                            .formatted(headRows.subList(0, 2 + hazards), missing));
        }
        List<Integer> rows = headRows.stream().filter(tokens::contains).toList();
        Optional<Listing> whole = listing.filter(
                        rest -> tokens.contains(headRows.get(rest.more)) && tokens.contains(headRows.get(rest.end)))
                .map(rest -> new Listing(
                        rest.names,
                        rest.another,
                        rows.indexOf(headRows.get(rest.more)),
                        rows.indexOf(headRows.get(rest.end))));
        return new VerdictTokens(lead, continuation, rows, whole);
    }

    /**
     * The rest of an answer that names several hazards.
     *
     * @param names what each hazard's code consists of after the continuation, in the taxonomy's order
     * @param another what stands before each further name
     * @param more index into the head's rows of the first token of {@code another}
     * @param end index into the head's rows of the token that ends the answer
     */
    public record Listing(List<List<Integer>> names, List<Integer> another, int more, int end) {

        public Listing {
            names = names.stream().map(List::copyOf).toList();
            another = List.copyOf(another);
        }
    }
}
