package dev.corral.policies.policy;

import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * Something wrong in a policy file.
 *
 * @param code stable, such as {@code POL007}
 * @param message the rule that was broken, with the value that broke it
 * @param advice what to do, in the imperative
 */
public record PolicyIssue(Severity severity, String code, SourceLocation location, String message, String advice) {

    private static final Pattern LINE_BREAK = Pattern.compile("\r\n|\r|\n");

    /**
     * The issue with its line and a caret, ready to print.
     *
     * @param source the whole text of the file that the issue is in
     */
    public String render(String source) {
        return severity + " " + code + " " + location + ": " + message + caret(source) + "\n   " + advice;
    }

    /** The issue with its line and a caret, in the one of these files that it is in. */
    public String render(List<Policy.Source> sources) {
        return render(sources.stream()
                .filter(source -> source.origin().equals(location.origin()))
                .map(Policy.Source::text)
                .findFirst()
                .orElse(""));
    }

    private String caret(String source) {
        List<String> lines = List.of(LINE_BREAK.split(source, -1));
        if (location.line() < 1 || location.line() > lines.size()) {
            return "";
        }
        String line = lines.get(location.line() - 1);
        String indent = line.codePoints()
                .limit(location.column() - 1)
                .mapToObj(c -> c == '\t' ? "\t" : " ")
                .collect(Collectors.joining());
        String printable = line.codePoints()
                .mapToObj(c -> c != '\t' && Character.isISOControl(c) ? "\uFFFD" : Character.toString(c))
                .collect(Collectors.joining());
        return "\n | " + printable + "\n | " + indent + "^";
    }
}
