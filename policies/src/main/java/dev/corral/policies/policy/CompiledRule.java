package dev.corral.policies.policy;

import dev.corral.policies.expression.Condition;
import dev.corral.policies.expression.Subject;
import dev.corral.policies.policy.Policy.Range;
import dev.corral.policies.taxonomy.Hazard;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;

/**
 * A rule whose hazards, lists and condition exist. Without hazards it is about any; without an id it stands for the lack
 * of a rule.
 */
record CompiledRule(
        Optional<String> id,
        Optional<Set<Hazard>> hazards,
        Set<Direction> directions,
        Set<ContentSource> sources,
        List<Glob> tools,
        List<Glob> routes,
        List<Glob> tenants,
        Optional<Set<String>> listedTenants,
        List<Glob> models,
        List<String> languages,
        Optional<Set<String>> listedHashes,
        Range probability,
        Optional<Condition> condition,
        Action action,
        Optional<Messages> message,
        Optional<AuditDetail> audit) {

    static final CompiledRule NONE = new CompiledRule(
            Optional.empty(),
            Optional.empty(),
            Set.of(Direction.values()),
            Set.of(ContentSource.values()),
            List.of(),
            List.of(),
            List.of(),
            Optional.empty(),
            List.of(),
            List.of(),
            Optional.empty(),
            Range.ALL,
            Optional.empty(),
            Action.BLOCK,
            Optional.empty(),
            Optional.empty());

    /** The same rule under a condition. */
    CompiledRule under(Optional<Condition> checked) {
        return new CompiledRule(
                id,
                hazards,
                directions,
                sources,
                tools,
                routes,
                tenants,
                listedTenants,
                models,
                languages,
                listedHashes,
                probability,
                checked,
                action,
                message,
                audit);
    }

    /** Whether nothing but hazard and direction decides whether it is for a case. */
    boolean isForEveryCase() {
        return sources.size() == ContentSource.values().length
                && tools.isEmpty()
                && routes.isEmpty()
                && tenants.isEmpty()
                && listedTenants.isEmpty()
                && models.isEmpty()
                && languages.isEmpty()
                && listedHashes.isEmpty()
                && probability.equals(Range.ALL)
                && condition.isEmpty();
    }

    boolean isAbout(Hazard hazard) {
        return hazards.map(set -> set.contains(hazard)).orElse(true);
    }

    /** Whether it is for this case; the hazard is one that it is about. */
    boolean matches(
            Hazard hazard, Facts facts, ContentSource source, String tool, ContentHash hash, double p, double unsafe) {
        return directions.contains(facts.direction())
                && sources.contains(source)
                && (tools.isEmpty() || (!tool.isEmpty() && matches(tools, tool)))
                && probability.contains(p)
                && matches(routes, facts.route())
                && matches(tenants, facts.tenant())
                && listedTenants.map(set -> set.contains(facts.tenant())).orElse(true)
                && matches(models, facts.model())
                && (languages.isEmpty() || languages.contains(facts.language()))
                && listedHashes.map(set -> set.contains(hash.hex())).orElse(true)
                && condition
                        .map(c -> c.holds(new Subject(
                                hazard.code(),
                                p,
                                unsafe,
                                facts.direction().name().toLowerCase(Locale.ROOT),
                                source.word(),
                                tool,
                                facts.route(),
                                facts.tenant(),
                                facts.model(),
                                facts.language(),
                                hash::hex)))
                        .orElse(true);
    }

    private static boolean matches(List<Glob> globs, String name) {
        return globs.isEmpty() || globs.stream().anyMatch(glob -> glob.matches(name));
    }
}
