package dev.corral.gateway.moderation;

import dev.corral.gateway.dialect.Redactor;
import dev.corral.guardmodels.conversation.Turn;
import dev.corral.policies.pattern.Redaction;
import dev.corral.policies.policy.CompiledPolicy;
import dev.corral.policies.policy.ContentSource;
import dev.corral.policies.policy.Facts;
import java.util.Collection;

/** What the policy of one exchange redacts in one direction. */
record PolicyRedactor(CompiledPolicy policy, Facts facts) implements Redactor {

    @Override
    public Redaction redaction(String text, ContentSource source) {
        return policy.redaction(text, source, facts);
    }

    @Override
    public int holdBack() {
        return policy.holdBack(facts.direction());
    }

    /** Whether nothing is left to redact, neither in a text nor across the borders of two. */
    boolean isClean(Collection<Turn> turns) {
        return turns.stream()
                .map(Contents::of)
                .allMatch(turn -> turn.texts().stream()
                                .allMatch(text ->
                                        redaction(text.text(), text.source()).isEmpty())
                        && turn.sources().stream()
                                .allMatch(source ->
                                        redaction(turn.joined(), source).isEmpty()));
    }
}
