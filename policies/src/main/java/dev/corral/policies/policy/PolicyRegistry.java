package dev.corral.policies.policy;

import java.util.Collection;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Predicate;
import java.util.function.Supplier;

/**
 * The policies in force, by name. Safe for use by many threads: all policies change together, and a reader keeps the
 * policy that it got for as long as it needs it.
 */
public final class PolicyRegistry {

    private final AtomicReference<Map<String, CompiledPolicy>> inForce;

    /**
     * Puts policies into force.
     *
     * @param policies at least one, each with a name of its own
     */
    public PolicyRegistry(Collection<CompiledPolicy> policies) {
        inForce = new AtomicReference<>(byName(policies));
    }

    /**
     * The policy in force under this name.
     *
     * @throws NoSuchPolicyException if there is none
     */
    public CompiledPolicy get(String name) {
        Map<String, CompiledPolicy> policies = inForce.get();
        return Optional.ofNullable(policies.get(name))
                .orElseThrow(() -> new NoSuchPolicyException(name, policies.keySet()));
    }

    /** The policy in force under this name, if there is one. */
    public Optional<CompiledPolicy> find(String name) {
        return Optional.ofNullable(inForce.get().get(name));
    }

    /**
     * The policy for an exchange. The order: one that {@code applies-to} both the tenant and the route; one that applies to
     * the tenant on every route; the one that the route names; one that applies to the route for every tenant; the default.
     * Among several that apply alike, the first by name.
     *
     * @param tenant empty where it is not known
     * @param route empty where there is none
     * @param named by the route's filter
     * @throws NoSuchPolicyException if there is no policy of the name that counts
     */
    public CompiledPolicy resolve(String tenant, String route, Optional<String> named, String defaultName) {
        Map<String, CompiledPolicy> policies = inForce.get();
        Optional<CompiledPolicy> byTenant = first(
                        policies,
                        policy -> names(policy.appliesTo().tenants(), tenant)
                                && names(policy.appliesTo().routes(), route))
                .or(() -> first(
                        policies,
                        policy -> names(policy.appliesTo().tenants(), tenant)
                                && policy.appliesTo().routes().isEmpty()));
        if (byTenant.isPresent()) {
            return byTenant.get();
        }
        if (named.isPresent()) {
            return get(named.get());
        }
        return first(
                        policies,
                        policy -> policy.appliesTo().tenants().isEmpty()
                                && names(policy.appliesTo().routes(), route))
                .orElseGet(() -> get(defaultName));
    }

    private static Optional<CompiledPolicy> first(Map<String, CompiledPolicy> policies, Predicate<Policy> condition) {
        return policies.values().stream()
                .filter(compiled -> condition.test(compiled.policy()))
                .findFirst();
    }

    private static boolean names(List<String> globs, String name) {
        return globs.stream().anyMatch(glob -> Glob.of(glob).matches(name));
    }

    /** The names of all policies in force, sorted. */
    public Set<String> names() {
        return inForce.get().keySet();
    }

    /** Replaces all policies by these, at once. */
    public void replace(Collection<CompiledPolicy> policies) {
        inForce.set(byName(policies));
    }

    /**
     * Loads all policies anew and replaces the old ones, or keeps the old ones in force if the new ones have errors or share a name.
     *
     * @return why the old ones were kept; empty when the new ones are in force
     */
    public Optional<RuntimeException> reload(Supplier<List<CompiledPolicy>> loader) {
        try {
            replace(loader.get());
            return Optional.empty();
        } catch (PolicyException | IllegalArgumentException e) {
            return Optional.of(e);
        }
    }

    private static Map<String, CompiledPolicy> byName(Collection<CompiledPolicy> policies) {
        if (policies.isEmpty()) {
            throw new IllegalArgumentException("there must be at least one policy");
        }
        Map<String, CompiledPolicy> byName = new TreeMap<>();
        for (CompiledPolicy policy : policies) {
            CompiledPolicy other = byName.putIfAbsent(policy.name(), policy);
            if (other != null) {
                throw new IllegalArgumentException("two policies are called '" + policy.name() + "': "
                        + other.revision() + " and " + policy.revision() + "; give each file a name of its own");
            }
        }
        return Collections.unmodifiableMap(byName);
    }
}
