package dev.corral.policies.policy;

import dev.corral.policies.policy.Decision.Outcome;
import dev.corral.policies.taxonomy.Hazard;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** One way in which two policies differ. */
public sealed interface Difference {

    /**
     * What is decided about some input.
     *
     * @param hazards the least probabilities that show it
     * @param upTo the greatest probability of the first hazard with the same difference
     * @param unsafe the probability that the content is unsafe at all; at least the sum of {@code hazards}
     * @param alike further hazards of which the same is true
     * @param facts about the exchange; names that do not matter are empty
     * @param tool that is called; empty where none is, or where it does not matter
     * @param hash SHA-256 of the content; empty where it does not matter
     */
    record OfDecision(
            Map<Hazard, Double> hazards,
            double upTo,
            double unsafe,
            List<Hazard> alike,
            Facts facts,
            ContentSource source,
            String tool,
            String hash,
            Effect before,
            Effect after)
            implements Difference {

        public OfDecision {
            hazards = Collections.unmodifiableMap(new LinkedHashMap<>(hazards));
            alike = List.copyOf(alike);
        }
    }

    /**
     * What a policy says that is no decision: about the guards, streams, images, audits, words.
     *
     * @param key as policies write it, with dots: {@code guards.text.timeout}
     * @param before its values; empty where it has none
     */
    record OfSetting(String key, List<String> before, List<String> after) implements Difference {

        public OfSetting {
            before = List.copyOf(before);
            after = List.copyOf(after);
        }
    }

    /**
     * What comes of a decision.
     *
     * @param rules that led to it; a name makes no difference
     * @param message of the rule; empty where the client gets the policy's own, or none
     * @param audit of the rules; empty where the policy's own counts
     */
    record Effect(Outcome outcome, List<String> rules, Optional<Messages> message, Optional<AuditDetail> audit) {

        public Effect {
            rules = List.copyOf(rules);
        }

        /** All that counts, to compare: not the names of rules, but the order of languages, the first of which is for all. */
        List<Object> weight() {
            return List.of(
                    outcome,
                    message.map(messages -> List.copyOf(messages.texts().entrySet()))
                            .orElse(List.of()),
                    audit);
        }
    }
}
