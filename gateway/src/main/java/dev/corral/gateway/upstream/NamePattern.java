package dev.corral.gateway.upstream;

import java.util.Arrays;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/** Names of models, with {@code *} for any characters; large and small letters are the same. */
final class NamePattern {

    private final String text;
    private final Pattern expression;

    NamePattern(String text) {
        this.text = text;
        this.expression = Pattern.compile(
                Arrays.stream(text.split("\\*", -1)).map(Pattern::quote).collect(Collectors.joining(".*")),
                Pattern.CASE_INSENSITIVE | Pattern.UNICODE_CASE | Pattern.DOTALL);
    }

    boolean matches(String name) {
        return expression.matcher(name).matches();
    }

    /** How much it says: a name without stars more than any with one, otherwise by its letters. */
    int exactness() {
        int letters = text.replace("*", "").length();
        return text.contains("*") ? letters : Integer.MAX_VALUE;
    }

    /** Whether it is one name. */
    boolean isName() {
        return !text.contains("*");
    }

    @Override
    public String toString() {
        return text;
    }
}
