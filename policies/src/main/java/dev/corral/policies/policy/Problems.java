package dev.corral.policies.policy;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import org.snakeyaml.engine.v2.exceptions.Mark;
import org.snakeyaml.engine.v2.nodes.Node;

/** Collects what is wrong with one file, and with those that it names. */
final class Problems {

    private static final int LONGEST_QUOTE = 60;

    private final String origin;
    private final List<PolicyIssue> issues = new ArrayList<>();

    Problems(String origin) {
        this.origin = origin;
    }

    SourceLocation locate(Node node) {
        return locate(node.getStartMark());
    }

    SourceLocation locate(Optional<Mark> mark) {
        return mark.map(m -> new SourceLocation(m.getName(), m.getLine() + 1, m.getColumn() + 1))
                .orElseGet(() -> SourceLocation.wholeOf(origin));
    }

    /** Always empty, so that a reader can report and give up its value in one expression. */
    <T> Optional<T> report(Problem problem, Node node, String message, String advice) {
        report(problem, locate(node), message, advice);
        return Optional.empty();
    }

    void report(Problem problem, SourceLocation location, String message, String advice) {
        issues.add(problem.at(location, message, advice));
    }

    /** A value for a message: on one line, and not too long. */
    static String quote(String text) {
        String line = text.replaceAll("\\s+", " ");
        return "'" + (line.length() > LONGEST_QUOTE ? line.substring(0, LONGEST_QUOTE) + "…" : line) + "'";
    }

    boolean hasErrors() {
        return issues.stream().anyMatch(issue -> issue.severity() == Severity.ERROR);
    }

    /** In the order of the file, then of those that it names, each once. */
    List<PolicyIssue> issues() {
        return issues.stream()
                .distinct()
                .sorted(Comparator.comparing((PolicyIssue issue) ->
                                !issue.location().origin().equals(origin))
                        .thenComparing(issue -> issue.location().origin())
                        .thenComparingInt(issue -> issue.location().line())
                        .thenComparingInt(issue -> issue.location().column()))
                .toList();
    }
}
