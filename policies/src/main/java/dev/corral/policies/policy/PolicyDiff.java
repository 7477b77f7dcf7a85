package dev.corral.policies.policy;

import dev.corral.policies.policy.Difference.OfSetting;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Tells what two policies do differently, whatever they are called and however they are written. */
public final class PolicyDiff {

    private PolicyDiff() {}

    /**
     * What is decided differently, each by its smallest example, then what else is said; none for the same policy. Names,
     * versions, owners, descriptions and tests are no difference.
     */
    public static List<Difference> between(CompiledPolicy before, CompiledPolicy after) {
        List<Difference> differences = new ArrayList<>(new DecisionSearch(before, after).differences());
        Map<String, List<String>> said = Settings.of(before);
        Map<String, List<String>> saidAfter = Settings.of(after);
        Set<String> keys = new LinkedHashSet<>(said.keySet());
        keys.addAll(saidAfter.keySet());
        for (String key : keys) {
            List<String> values = said.getOrDefault(key, List.of());
            List<String> valuesAfter = saidAfter.getOrDefault(key, List.of());
            if (!values.equals(valuesAfter)) {
                differences.add(new OfSetting(key, values, valuesAfter));
            }
        }
        return List.copyOf(differences);
    }
}
