package dev.corral.quantization.graph;

import dev.corral.quantization.checkpoint.CheckpointException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/**
 * A Hugging Face {@code config.json}, or one of the objects in it, read strictly.
 *
 * @param file for messages
 * @param prefix of keys in messages, such as {@code vision_config.}; empty for the whole file
 */
record ConfigJson(Path file, String prefix, JsonNode json) {

    /** Reads {@code config.json} of a directory. */
    static ConfigJson read(Path directory) {
        Path file = directory.resolve("config.json");
        if (!Files.isRegularFile(file)) {
            throw new CheckpointException(
                    "%s has no config.json: give the folder of a Hugging Face model".formatted(directory));
        }
        try {
            return new ConfigJson(file, "", JsonMapper.shared().readTree(Files.readAllBytes(file)));
        } catch (IOException | JacksonException e) {
            throw new CheckpointException("cannot read " + file + ": " + e.getMessage(), e);
        }
    }

    /**
     * An object in this one.
     *
     * @param defaults JSON of what Hugging Face's configuration classes assume where a key is left out
     */
    ConfigJson section(String key, String defaults) {
        if (!(json.path(key) instanceof ObjectNode section)) {
            throw unsupported(key, "it must be an object");
        }
        ObjectNode whole = (ObjectNode) JsonMapper.shared().readTree(defaults);
        whole.setAll(section);
        return new ConfigJson(file, prefix + key + ".", whole);
    }

    boolean has(String key) {
        return json.has(key);
    }

    JsonNode value(String key) {
        return json.path(key);
    }

    Optional<String> text(String key) {
        return Optional.ofNullable(json.path(key).asString(null));
    }

    int integer(String key) {
        JsonNode value = json.path(key);
        if (!value.canConvertToInt() || value.asInt() < 1) {
            throw new CheckpointException("%s: %s%s must be a positive whole number: %s"
                    .formatted(file, prefix, key, value.isMissingNode() ? "missing" : value));
        }
        return value.asInt();
    }

    /** Ascending numbers from 0 to below a limit. */
    List<Integer> indices(String key, int limit) {
        List<Integer> indices = new ArrayList<>();
        for (JsonNode value : json.path(key)) {
            int least = indices.isEmpty() ? 0 : indices.getLast() + 1;
            if (!value.canConvertToInt() || value.asInt() < least || value.asInt() >= limit) {
                throw unsupported(key, "it must hold ascending whole numbers from 0 to " + (limit - 1));
            }
            indices.add(value.asInt());
        }
        if (indices.isEmpty()) {
            throw unsupported(key, "it must name at least one layer");
        }
        return indices;
    }

    double number(JsonNode object, String key) {
        JsonNode value = object.path(key);
        if (!value.isNumber() || value.asDouble() <= 0) {
            throw new CheckpointException(
                    "%s: %srope_scaling.%s must be a positive number: %s".formatted(file, prefix, key, value));
        }
        return value.asDouble();
    }

    void requireText(String key, String supported) {
        if (!json.path(key).asString("").equals(supported)) {
            throw unsupported(key, "only '" + supported + "' is supported");
        }
    }

    void requireAbsentOrFalse(String key) {
        if (json.path(key).asBoolean(false)) {
            throw unsupported(key, "only false is supported");
        }
    }

    void requireUnquantised() {
        if (!json.path("quantization_config").isMissingNode()
                && !json.path("quantization_config").isNull()) {
            throw unsupported("quantization_config", "take the unquantised model");
        }
    }

    CheckpointException unsupported(String key, String advice) {
        return unsupported(key, json.path(key), advice);
    }

    CheckpointException unsupported(String key, JsonNode value, String advice) {
        return new CheckpointException("%s: %s%s is %s: %s"
                .formatted(file, prefix, key, value.isMissingNode() ? "missing" : value.toString(), advice));
    }
}
