package dev.corral.policies.policy;

import dev.corral.policies.assessment.Probability;
import dev.corral.policies.pattern.TextPattern;
import java.util.Collections;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * A policy as its file says it, with what it inherits. Hazards are still mere codes: {@link PolicyCompiler} checks them
 * against a guard's taxonomy.
 *
 * @param name letters, digits, dots, hyphens and underscores
 * @param version 1 or more
 * @param owner who answers for it
 * @param description for people
 * @param appliesTo the traffic that is under it without a route's naming it
 * @param shadows names of policies that are judged beside it and never enforced
 * @param hazards of its own
 * @param excluded hazards that count as absent
 * @param lists values by the name of their list
 * @param defaultThreshold for the hazards without their own; empty means the one that the guard recommends
 * @param thresholds for single hazards
 * @param rules first match wins for each hazard; a hazard that no rule names is blocked
 * @param unscanned what happens to content that no guard could read: allow, flag or block
 * @param blockStyle how clients are told of a block
 * @param blockMessage what they are told, where a rule does not say it
 * @param audit what an audit may keep, where a rule does not say it
 * @param guards how they are used
 * @param images what is allowed about images that are named by their address
 * @param streaming how streamed answers are cut into windows
 * @param optimism which requests go to the upstream before the verdict
 * @param tests inside the file
 * @param sources the file, then those that it names
 */
public record Policy(
        String name,
        int version,
        Optional<String> owner,
        Optional<String> description,
        AppliesTo appliesTo,
        List<String> shadows,
        List<HazardDefinition> hazards,
        List<HazardReference> excluded,
        Map<String, List<String>> lists,
        Optional<Probability> defaultThreshold,
        List<Threshold> thresholds,
        List<Rule> rules,
        Action unscanned,
        BlockStyle blockStyle,
        Optional<Messages> blockMessage,
        AuditDetail audit,
        Guards guards,
        ImageUse images,
        StreamingWindows streaming,
        Optimism optimism,
        List<PolicyTest> tests,
        List<Source> sources) {

    public Policy {
        shadows = List.copyOf(shadows);
        hazards = List.copyOf(hazards);
        excluded = List.copyOf(excluded);
        lists = Collections.unmodifiableMap(new LinkedHashMap<>(lists));
        thresholds = List.copyOf(thresholds);
        rules = List.copyOf(rules);
        tests = List.copyOf(tests);
        sources = List.copyOf(sources);
    }

    /** The file that names the policy. */
    public Source source() {
        return sources.getFirst();
    }

    /**
     * Which traffic a policy is for.
     *
     * @param tenants as they are named; empty for all of them
     * @param routes as they are named, with {@code *} for any characters; empty for all of them
     */
    public record AppliesTo(List<String> tenants, List<String> routes) {

        static final AppliesTo NAMED_ONLY = new AppliesTo(List.of(), List.of());

        public AppliesTo {
            tenants = List.copyOf(tenants);
            routes = List.copyOf(routes);
        }
    }

    /**
     * A hazard of a policy's own: asked of the guard, or found by patterns.
     *
     * @param name for people and the guard
     * @param description what the guard is told; empty where there are patterns
     * @param patterns at least one, or none where the guard is asked
     * @param replacement what stands for a redacted span
     */
    public record HazardDefinition(
            String code,
            String name,
            Optional<String> description,
            List<NamedPattern> patterns,
            String replacement,
            SourceLocation location) {

        public HazardDefinition {
            patterns = List.copyOf(patterns);
        }
    }

    /**
     * A pattern with its place.
     *
     * @param text as people know it
     */
    public record NamedPattern(String text, TextPattern pattern, SourceLocation location) {}

    /**
     * A hazard is present when its probability is at or above this.
     *
     * @param value above 0
     */
    public record Threshold(HazardReference hazard, Probability value) {}

    /**
     * What to do with some hazards.
     *
     * @param id unique in its policy
     * @param when in which cases
     * @param action what to do
     * @param message what the client is told, for the actions respond and block
     * @param audit what an audit may keep; empty where the policy says it
     * @param location of the rule
     */
    public record Rule(
            String id,
            When when,
            Action action,
            Optional<Messages> message,
            Optional<AuditDetail> audit,
            SourceLocation location) {}

    /**
     * The cases that a rule is for: those in which all of this holds.
     *
     * @param hazards which
     * @param directions in which the content travels; at least one
     * @param sources who says it; at least one
     * @param tools that are called, with {@code *} for any characters; empty for all, and for what is no call
     * @param routes with {@code *} for any characters; empty for all
     * @param tenants with {@code *} for any characters; empty for all
     * @param tenantLists names of lists of tenants; empty for all
     * @param models with {@code *} for any characters; empty for all
     * @param languages without regions; empty for all
     * @param hashLists names of lists of SHA-256 of contents; empty for all
     * @param probability of the hazard
     * @param expression in CEL; empty where the others say everything
     */
    public record When(
            HazardSelector hazards,
            Set<Direction> directions,
            Set<ContentSource> sources,
            List<String> tools,
            List<String> routes,
            List<String> tenants,
            List<ListReference> tenantLists,
            List<String> models,
            List<String> languages,
            List<ListReference> hashLists,
            Range probability,
            Optional<Expression> expression) {

        public When {
            // in the order of the enum, so that messages do not depend on the run
            directions = Collections.unmodifiableSet(EnumSet.copyOf(directions));
            sources = Collections.unmodifiableSet(EnumSet.copyOf(sources));
            tools = List.copyOf(tools);
            routes = List.copyOf(routes);
            tenants = List.copyOf(tenants);
            tenantLists = List.copyOf(tenantLists);
            models = List.copyOf(models);
            languages = List.copyOf(languages);
            hashLists = List.copyOf(hashLists);
        }

        /** Whether nothing but hazard, direction and source decides whether it holds. */
        boolean isPlain() {
            return isGraded() && probability.equals(Range.ALL);
        }

        /** Whether the other holds only where this one does; false where that cannot be told. */
        boolean covers(When other) {
            // what differs most between rules comes first: this is asked for every pair of them
            return (expression.isEmpty()
                            || expression.map(Expression::text).equals(other.expression.map(Expression::text)))
                    && covers(tools, other.tools)
                    && covers(routes, other.routes)
                    && covers(tenants, other.tenants)
                    && covers(models, other.models)
                    && covers(languages, other.languages)
                    && probability.atLeast() <= other.probability.atLeast()
                    && probability.below() >= other.probability.below()
                    && directions.containsAll(other.directions)
                    && sources.containsAll(other.sources)
                    && covers(names(tenantLists), names(other.tenantLists))
                    && covers(names(hashLists), names(other.hashLists));
        }

        /** Whether nothing but hazard, direction, source and probability decides whether it holds. */
        boolean isGraded() {
            return tools.isEmpty()
                    && routes.isEmpty()
                    && tenants.isEmpty()
                    && tenantLists.isEmpty()
                    && models.isEmpty()
                    && languages.isEmpty()
                    && hashLists.isEmpty()
                    && expression.isEmpty();
        }

        private static boolean covers(List<String> mine, List<String> others) {
            return mine.isEmpty() || (!others.isEmpty() && mine.containsAll(others));
        }

        private static List<String> names(List<ListReference> lists) {
            return lists.stream().map(ListReference::name).toList();
        }
    }

    /**
     * Probabilities.
     *
     * @param atLeast the lowest
     * @param below above the highest; above 1 for no limit
     */
    public record Range(double atLeast, double below) {

        static final Range ALL = new Range(0, 2);

        boolean contains(double probability) {
            return probability >= atLeast && probability < below;
        }
    }

    /**
     * A condition in CEL.
     *
     * @param text as it was written
     * @param location of its first character
     * @param oneLine whether a place in the text is as far to the right of the location
     */
    public record Expression(String text, SourceLocation location, boolean oneLine) {

        SourceLocation at(int offset) {
            return oneLine
                    ? new SourceLocation(location.origin(), location.line(), location.column() + offset)
                    : location;
        }
    }

    /** The hazards that a rule is about. */
    public sealed interface HazardSelector {

        /** Every hazard, known today or not. */
        record Any() implements HazardSelector {}

        /**
         * These.
         *
         * @param hazards at least one
         */
        record Named(List<HazardReference> hazards) implements HazardSelector {

            public Named {
                hazards = List.copyOf(hazards);
            }
        }
    }

    /**
     * A hazard as a file writes it.
     *
     * @param code such as {@code S4}
     */
    public record HazardReference(String code, SourceLocation location) {}

    /**
     * Which guard sees what.
     *
     * @param text for texts
     * @param vision for images
     */
    public record Guards(GuardUse text, GuardUse vision) {

        /** How the guard of a kind is used. */
        public GuardUse of(GuardKind kind) {
            return switch (kind) {
                case TEXT -> text;
                case VISION -> vision;
            };
        }

        static final Guards DEFAULT = new Guards(GuardUse.DEFAULT, GuardUse.DEFAULT);
    }

    /** A guard as a file names it. */
    public record GuardReference(String name, SourceLocation location) {}

    /** A list as a file names it. */
    public record ListReference(String name, SourceLocation location) {}

    /**
     * A policy's file.
     *
     * @param origin its name
     * @param text its whole text
     */
    public record Source(String origin, String text) {}
}
