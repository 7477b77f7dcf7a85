package dev.corral.policies.policy;

import java.util.List;
import java.util.Optional;

/**
 * What came of a file.
 *
 * @param policy present exactly where no issue is an error
 * @param issues in the order of the file
 */
public record ParsedPolicy(Optional<Policy> policy, List<PolicyIssue> issues) {

    public ParsedPolicy {
        issues = List.copyOf(issues);
    }
}
