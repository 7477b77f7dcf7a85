package dev.corral.gateway.upstream;

import dev.corral.gateway.translation.ChatApi;
import java.net.URI;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.context.properties.bind.Bindable;
import org.springframework.boot.context.properties.bind.DefaultValue;

/**
 * A kind of backend, as {@code presets.yaml} describes it.
 *
 * @param title for people
 * @param url the base in place of {@code /v1}, with places in braces that settings fill; null where only the operator knows
 *     it
 * @param dialect the API that stands at the base, into which others are translated
 * @param also other APIs that it serves, whose requests go as they come
 * @param paths other paths that it serves
 * @param key how it wants to see a key
 * @param listsModels whether {@code GET …/models} says what it serves
 * @param note what else an operator should know; empty for nothing
 * @param sources where each fact is written down, by its key
 */
public record Preset(
        String title,
        @Nullable String url,
        ChatApi dialect,
        @DefaultValue Set<ChatApi> also,
        @DefaultValue List<PathRule> paths,
        Key key,
        boolean listsModels,
        @DefaultValue("") String note,
        Map<String, URI> sources) {

    private static final Map<String, Preset> ALL =
            new TreeMap<>(Resource.read("presets", Bindable.mapOf(String.class, Preset.class)));

    private static final Pattern PLACE = Pattern.compile("\\{([a-z]+)}");

    public Preset {
        also = Set.copyOf(also);
        paths = List.copyOf(paths);
        sources = Map.copyOf(sources);
    }

    /**
     * Where requests below a path go.
     *
     * @param from the beginning of a request's path
     * @param to what stands in its place at the backend's host
     */
    public record PathRule(String from, String to) {}

    /**
     * How a backend wants to see a key.
     *
     * @param header in which
     * @param scheme the word before the key; empty for none
     * @param variable of the environment in which people keep it; null for none
     * @param needed whether it answers nobody without one
     */
    public record Key(
            String header,
            @DefaultValue("") String scheme,
            @Nullable String variable,
            boolean needed) {}

    /** All of them by their names, in the order of the alphabet. */
    public static Map<String, Preset> all() {
        return ALL;
    }

    /** The preset of a name, if there is one. */
    public static Optional<Preset> named(String name) {
        return Optional.ofNullable(ALL.get(name));
    }

    /**
     * The base that is made of these values.
     *
     * @throws IllegalArgumentException for a value that is missing, that has no place, or that is no part of an address
     */
    URI base(Map<String, String> values) {
        String template = String.valueOf(url);
        List<String> places = PLACE.matcher(template)
                .results()
                .map(place -> place.group(1))
                .distinct()
                .toList();
        if (!values.keySet().equals(new TreeSet<>(places))) {
            throw new IllegalArgumentException("values must be "
                    + (places.isEmpty() ? "left out: there is nothing to fill" : String.join(", ", places)) + " in "
                    + template + ": " + new TreeMap<>(values).keySet());
        }
        values.forEach((place, value) -> {
            if (!value.matches("[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?")) {
                throw new IllegalArgumentException(
                        "values." + place + " must be letters, digits, dots, hyphens and underscores: " + value);
            }
        });
        return URI.create(PLACE.matcher(template).replaceAll(place -> value(values, place)));
    }

    private static String value(Map<String, String> values, MatchResult place) {
        return String.valueOf(values.get(place.group(1)));
    }

    /** All names in one line, for messages. */
    public static String names() {
        return String.join(", ", ALL.keySet());
    }
}
