package dev.corral.gateway.moderation;

import dev.corral.guardmodels.guard.Guard;
import dev.corral.policies.policy.CompiledPolicy;
import dev.corral.policies.policy.Policy.GuardReference;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * The guards that see images.
 *
 * @param guard the one of policies that name none; empty where there is none
 * @param further ones, by the names that policies have for them
 */
public record Eyes(Optional<Guard> guard, Map<String, Guard> further) {

    public Eyes {
        further = new LinkedHashMap<>(further);
    }

    /** The names that policies may use; that of the first guard is its identifier. */
    Set<String> names() {
        Set<String> names = new LinkedHashSet<>(further.keySet());
        guard.ifPresent(first -> names.add(first.profile().id()));
        return names;
    }

    /** The one that a policy uses; its names were checked when it was loaded. */
    Optional<Guard> of(CompiledPolicy policy) {
        return policy.guards()
                .vision()
                .use()
                .map(GuardReference::name)
                .map(further::get)
                .or(() -> guard);
    }
}
