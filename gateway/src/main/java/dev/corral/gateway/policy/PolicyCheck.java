package dev.corral.gateway.policy;

import dev.corral.policies.policy.CompiledPolicy;
import dev.corral.policies.policy.GuardSight;
import dev.corral.policies.policy.ParsedPolicy;
import dev.corral.policies.policy.Policies;
import dev.corral.policies.policy.Policy.Source;
import dev.corral.policies.policy.PolicyException;
import dev.corral.policies.policy.PolicyIssue;
import dev.corral.policies.policy.PolicyParser;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * A policy's file, checked.
 *
 * @param policy where it has no errors
 * @param rendered the issues, ready to print
 */
record PolicyCheck(Optional<CompiledPolicy> policy, List<PolicyIssue> issues, List<String> rendered) {

    private static final Set<String> NO_YAML = Set.of("POL002", "POL003", "POL004", "POL005");

    static PolicyCheck of(Path file, GuardSight sight) {
        try {
            CompiledPolicy policy = Policies.load(file, sight);
            return new PolicyCheck(
                    Optional.of(policy),
                    policy.warnings(),
                    rendered(policy.warnings(), policy.policy().sources()));
        } catch (PolicyException e) {
            return new PolicyCheck(Optional.empty(), e.issues(), rendered(e.issues(), e.sources()));
        }
    }

    /** Formatting needs a tree; what else is wrong with the file does not matter to it. */
    static void requireYaml(Path file, String text) {
        ParsedPolicy parsed = PolicyParser.parse(text, file.toString(), Policies.beside(file));
        for (PolicyIssue issue : parsed.issues()) {
            if (NO_YAML.contains(issue.code()) && issue.location().origin().equals(file.toString())) {
                throw new IllegalStateException(issue.render(text));
            }
        }
    }

    private static List<String> rendered(List<PolicyIssue> issues, List<Source> sources) {
        return issues.stream().map(issue -> issue.render(sources)).toList();
    }
}
