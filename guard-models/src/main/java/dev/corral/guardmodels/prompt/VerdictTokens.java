package dev.corral.guardmodels.prompt;

import java.util.List;

/**
 * How a family's verdict is read from a model, in token ids of its tokenizer.
 *
 * @param lead forced after the prompt; after its last token the model says safe or unsafe
 * @param continuation forced after that; after its last token the model names the hazard
 * @param headRows ids of the vocabulary rows that the head keeps: safe, unsafe, then the hazards in the taxonomy's
 *     order; empty when the checkpoint brings a verdict head with exactly these rows
 */
public record VerdictTokens(List<Integer> lead, List<Integer> continuation, List<Integer> headRows) {

    public VerdictTokens {
        lead = List.copyOf(lead);
        continuation = List.copyOf(continuation);
        headRows = List.copyOf(headRows);
    }
}
