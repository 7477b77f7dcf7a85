package dev.corral.gateway.coverage;

import java.util.List;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import tools.jackson.databind.JsonNode;

/**
 * A place of a value at which there may be a text.
 *
 * @param path the names of fields down to it; {@code []} is an item, {@code (text)} the kind of an object, {@code {key}} and
 *     {@code {value}} a field of any name, {@code *} one that no schema knows
 * @param usual what is there when nobody means harm
 * @param with the whole value, with something else in this place
 */
record Place(List<String> path, JsonNode usual, UnaryOperator<JsonNode> with) {

    Place {
        path = List.copyOf(path);
    }

    /** The same place of a value around this one. */
    Place in(String segment, UnaryOperator<JsonNode> around) {
        return new Place(
                Stream.concat(Stream.of(segment), path.stream()).toList(),
                usual,
                inner -> around.apply(with.apply(inner)));
    }

    /** As people read it, such as {@code messages[](user).content}. */
    String name() {
        return name(path);
    }

    static String name(List<String> path) {
        StringBuilder name = new StringBuilder();
        for (String segment : path) {
            boolean follows = segment.startsWith("[") || segment.startsWith("(");
            name.append(name.isEmpty() || follows ? "" : ".").append(segment);
        }
        return name.toString();
    }
}
