package dev.corral.policies.policy;

import java.util.List;
import java.util.stream.Collectors;

/** A policy cannot be used. The message shows every issue with its line and a caret. */
public final class PolicyException extends RuntimeException {

    private static final int SHOWN = 50;

    private final transient List<PolicyIssue> issues;
    private final transient List<Policy.Source> sources;

    PolicyException(List<PolicyIssue> issues, List<Policy.Source> sources) {
        super(render(issues, sources));
        this.issues = List.copyOf(issues);
        this.sources = List.copyOf(sources);
    }

    /** All issues, warnings included, in the order of the file. */
    public List<PolicyIssue> issues() {
        return issues;
    }

    /** The files that the issues are in. */
    public List<Policy.Source> sources() {
        return sources;
    }

    private static String render(List<PolicyIssue> issues, List<Policy.Source> sources) {
        long errors = issues.stream()
                .filter(issue -> issue.severity() == Severity.ERROR)
                .count();
        String rest = issues.size() > SHOWN ? "\n(and " + (issues.size() - SHOWN) + " more)" : "";
        return issues.stream()
                .limit(SHOWN)
                .map(issue -> issue.render(sources))
                .collect(Collectors.joining(
                        "\n",
                        "policy " + sources.getFirst().origin() + " has " + errors
                                + (errors == 1 ? " error" : " errors") + ":\n",
                        rest));
    }
}
