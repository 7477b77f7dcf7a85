package dev.corral.gateway.coverage;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/** A JSON schema: finds every place of a value that may hold a text, and makes the least value around it. */
final class Schema {

    /*
     * Every branch of a union is walked, and every definition once on each way down, so that recursion ends. A kind that is
     * told by a constant, such as {"type": "text"}, is in the least value whether or not it is required: without it the
     * value would be of no kind; and so is what a message says. Every object also has a place for a field that the schema does not know.
     */

    private static final JsonNodeFactory JSON = JsonNodeFactory.instance;
    private static final String UNKNOWN = "unheard_of";
    private static final List<String> UNIONS = List.of("anyOf", "oneOf");

    /** The constants that tell one kind of object from another. */
    private static final List<String> KINDS = List.of("type", "role", "event_type");

    private final JsonNode definitions;

    private Schema(JsonNode definitions) {
        this.definitions = definitions;
    }

    /** One of the files below {@code schemas}. */
    static Schema read(String name) {
        try (InputStream file = Schema.class.getResourceAsStream("/schemas/" + name + ".json")) {
            return new Schema(JsonMapper.shared()
                    .readTree(Objects.requireNonNull(file, name))
                    .path("$defs"));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Every place of a text in a value of this kind. */
    List<Place> places(String definition) {
        return places(definition(definition), List.of(definition));
    }

    /** What a value of this kind has at least. */
    JsonNode least(String definition) {
        return least(definition(definition), 0);
    }

    private JsonNode definition(String name) {
        JsonNode definition = definitions.path(name);
        if (definition.isMissingNode()) {
            throw new IllegalArgumentException("no definition '" + name + "'");
        }
        return definition;
    }

    private List<Place> places(JsonNode schema, List<String> within) {
        if (schema.has("$ref")) {
            String name = name(schema);
            return within.contains(name)
                    ? List.of()
                    : places(
                            definition(name),
                            Stream.concat(within.stream(), Stream.of(name)).toList());
        }
        if (schema.has("allOf")) {
            return places(merged(schema), within);
        }
        for (String union : UNIONS) {
            if (schema.has(union)) {
                return schema.path(union).values().stream()
                        .flatMap(branch -> branch(branch, within))
                        .toList();
            }
        }
        return switch (type(schema)) {
            case "null", "integer", "number", "boolean" -> List.of();
            case "array" ->
                places(schema.path("items"), within).stream()
                        .map(place -> place.in("[]", inner -> JSON.arrayNode().add(inner)))
                        .toList();
            case "object" -> fields(schema, within);
            default -> List.of(new Place(List.of(), least(schema, 0), UnaryOperator.identity()));
        };
    }

    private Stream<Place> branch(JsonNode branch, List<String> within) {
        Optional<String> kind = kind(branch);
        return places(branch, within).stream()
                .map(place -> kind.map(word -> place.in("(" + word + ")", UnaryOperator.identity()))
                        .orElse(place));
    }

    /** The constant that tells an object from others. */
    private Optional<String> kind(JsonNode schema) {
        JsonNode resolved = resolved(schema);
        return KINDS.stream()
                .map(name -> constant(resolved.path("properties").path(name)))
                .flatMap(Optional::stream)
                .map(JsonNode::asString)
                .findFirst();
    }

    private List<Place> fields(JsonNode schema, List<String> within) {
        List<Place> places = new ArrayList<>();
        schema.path("properties")
                .properties()
                .forEach(field -> places(field.getValue(), within)
                        .forEach(place ->
                                places.add(place.in(field.getKey(), inner -> with(schema, field.getKey(), inner)))));
        JsonNode others = schema.path("additionalProperties");
        boolean open = others.isObject() || others.asBoolean(false) || !schema.has("properties");
        if (open && !schema.has("properties")) {
            JsonNode value = others.isObject() ? others : JSON.objectNode();
            places(value, within)
                    .forEach(place -> places.add(place.in("{value}", inner -> with(schema, "key", inner))));
            places.add(new Place(
                    List.of("{key}"), JSON.stringNode("key"), key -> with(schema, key.asString(), least(value, 0))));
        } else {
            places.add(new Place(List.of("*"), JSON.nullNode(), inner -> with(schema, UNKNOWN, inner)));
        }
        return places;
    }

    /** The least object, and this field. */
    private JsonNode with(JsonNode schema, String field, JsonNode value) {
        ObjectNode object = (ObjectNode) least(schema, 0);
        object.set(field, value);
        return object;
    }

    private JsonNode least(JsonNode unresolved, int depth) {
        JsonNode schema = resolved(unresolved);
        Optional<JsonNode> constant = constant(schema);
        if (constant.isPresent()) {
            return constant.get();
        }
        if (schema.path("enum").isArray()) {
            return schema.path("enum").get(0);
        }
        for (String union : UNIONS) {
            if (schema.has(union)) {
                return least(schema.path(union).get(0), depth);
            }
        }
        return switch (type(schema)) {
            case "null" -> JSON.nullNode();
            case "integer", "number" -> JSON.numberNode(1);
            case "boolean" -> JSON.booleanNode(false);
            case "array" -> {
                ArrayNode array = JSON.arrayNode();
                if (depth < 6) {
                    array.add(least(schema.path("items"), depth + 1));
                }
                yield array;
            }
            case "object" -> leastObject(schema, depth);
            default -> JSON.stringNode("x");
        };
    }

    private ObjectNode leastObject(JsonNode schema, int depth) {
        ObjectNode object = JSON.objectNode();
        List<String> required = schema.path("required").values().stream()
                .map(JsonNode::asString)
                .toList();
        schema.path("properties").properties().forEach(field -> {
            boolean tellsKind = KINDS.contains(field.getKey())
                    && constant(resolved(field.getValue())).isPresent();
            boolean isSaid = field.getKey().equals("content")
                    && schema.path("properties").has("role");
            if (required.contains(field.getKey()) || tellsKind || isSaid) {
                object.set(field.getKey(), least(field.getValue(), depth + 1));
            }
        });
        return object;
    }

    private JsonNode resolved(JsonNode schema) {
        if (schema.has("$ref")) {
            return resolved(definition(name(schema)));
        }
        return schema.has("allOf") ? resolved(merged(schema)) : schema;
    }

    /** All fields of several objects; or the one schema that there is. */
    private JsonNode merged(JsonNode schema) {
        ObjectNode merged = JSON.objectNode();
        ObjectNode properties = JSON.objectNode();
        ArrayNode required = JSON.arrayNode();
        for (JsonNode each : schema.path("allOf").values()) {
            JsonNode part = resolved(each);
            part.properties().forEach(field -> merged.set(field.getKey(), field.getValue()));
            part.path("properties").properties().forEach(field -> properties.set(field.getKey(), field.getValue()));
            part.path("required").values().forEach(required::add);
        }
        if (!properties.isEmpty()) {
            merged.set("properties", properties);
            merged.set("required", required);
        }
        return merged;
    }

    private static Optional<JsonNode> constant(JsonNode schema) {
        if (schema.has("const")) {
            return Optional.of(schema.path("const"));
        }
        return schema.path("enum").size() == 1 ? Optional.of(schema.path("enum").get(0)) : Optional.empty();
    }

    /** Of several types that of texts, or the first that is not null; a schema without a type may be a text. */
    private static String type(JsonNode schema) {
        JsonNode type = schema.path("type");
        if (type.isArray()) {
            List<String> names = type.values().stream().map(JsonNode::asString).toList();
            return names.contains("string")
                    ? "string"
                    : names.stream()
                            .filter(name -> !name.equals("null"))
                            .findFirst()
                            .orElse("null");
        }
        return type.asString(schema.has("properties") ? "object" : "string");
    }

    private static String name(JsonNode schema) {
        String reference = schema.path("$ref").asString();
        return reference.substring(reference.lastIndexOf('/') + 1);
    }
}
