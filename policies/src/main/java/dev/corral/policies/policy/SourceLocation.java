package dev.corral.policies.policy;

/**
 * A place in a policy file.
 *
 * @param origin name of the file
 * @param line from 1; 0 means the file as a whole
 * @param column from 1, in code points; 0 means the file as a whole
 */
public record SourceLocation(String origin, int line, int column) {

    static SourceLocation wholeOf(String origin) {
        return new SourceLocation(origin, 0, 0);
    }

    @Override
    public String toString() {
        return line == 0 ? origin : origin + ":" + line + ":" + column;
    }
}
