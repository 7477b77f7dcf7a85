package dev.corral.policies.policy;

import com.google.re2j.Pattern;
import java.util.Arrays;
import java.util.stream.Collectors;

/** A name with {@code *} for any characters. */
record Glob(Pattern pattern) {

    static Glob of(String glob) {
        return new Glob(Pattern.compile(Arrays.stream(glob.split("\\*", -1))
                .map(Pattern::quote)
                .collect(Collectors.joining(".*", "(?s)^", "$"))));
    }

    boolean matches(String name) {
        return pattern.matches(name);
    }
}
