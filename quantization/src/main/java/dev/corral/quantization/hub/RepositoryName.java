package dev.corral.quantization.hub;

import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** A repository of a hub, such as {@code meta-llama/Llama-Guard-3-1B}. */
public record RepositoryName(String owner, String name) {

    private static final Pattern FORM = Pattern.compile("([A-Za-z0-9][A-Za-z0-9._-]*)/([A-Za-z0-9][A-Za-z0-9._-]*)");

    /**
     * Reads {@code OWNER/NAME}.
     *
     * @throws IllegalArgumentException if it is written otherwise
     */
    public static RepositoryName parse(String text) {
        Matcher matcher = FORM.matcher(text);
        if (!matcher.matches()) {
            throw new IllegalArgumentException(
                    "a repository is named OWNER/NAME, such as meta-llama/Llama-Guard-3-1B: '" + text + "'");
        }
        return new RepositoryName(matcher.group(1), matcher.group(2));
    }

    @Override
    public String toString() {
        return owner + "/" + name;
    }
}
