package dev.corral.policies.policy;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;

/**
 * A message in one or more languages.
 *
 * @param texts by language, such as {@code de} or {@code pt-br}; the first is for everybody else. A message without a
 *     language has the empty one
 */
public record Messages(Map<String, String> texts) {

    /** The key of a message that is written without languages. */
    static final String ANY = "";

    public Messages {
        texts = Collections.unmodifiableMap(new LinkedHashMap<>(texts));
        if (texts.isEmpty()) {
            throw new IllegalArgumentException("a message must have a text");
        }
    }

    /** The text for a client: the first of its languages that there is, with or without its region, or else the first text. */
    public String pick(List<String> languages) {
        for (String language : languages) {
            String wanted = language.toLowerCase(Locale.ROOT);
            String text = texts.getOrDefault(wanted, texts.get(primary(wanted)));
            if (text != null) {
                return text;
            }
        }
        return texts.values().iterator().next();
    }

    /** The languages that it names; none where it is written without. */
    Set<String> languages() {
        return texts.containsKey(ANY) ? Set.of() : texts.keySet();
    }

    static String primary(String language) {
        int end = language.indexOf('-');
        return (end < 0 ? language : language.substring(0, end)).toLowerCase(Locale.ROOT);
    }
}
