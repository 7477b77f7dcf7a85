package dev.corral.gateway.dialect;

import java.util.Map;
import java.util.function.BiConsumer;
import tools.jackson.core.JsonPointer;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/** Writes requests anew, with files in place of the addresses of images. Everything else keeps its value. */
public final class ImagePlaces {

    private ImagePlaces() {}

    /**
     * Puts files where an address stands by itself, or as the {@code url} of an object, or as the {@code uri} of that.
     *
     * @param images {@code data:} addresses, by places such as {@code messages[0].content[1].image_url}
     */
    public static byte[] replaced(JsonNode body, Map<String, String> images) {
        return replaced(body, images, (image, address) -> {
            if (image.get("url") instanceof ObjectNode url) {
                url.put("uri", address);
            } else {
                image.put("url", address);
            }
        });
    }

    /** The same where an object holds a file in a way of its own. */
    public static byte[] replaced(JsonNode body, Map<String, String> images, BiConsumer<ObjectNode, String> write) {
        images.forEach((where, address) -> {
            JsonPointer place =
                    JsonPointer.compile("/" + where.replaceAll("[\\[.]", "/").replace("]", ""));
            String field = place.last().getMatchingProperty();
            if (body.at(place) instanceof ObjectNode image) {
                write.accept(image, address);
            } else if (body.at(place).isString() && body.at(place.head()) instanceof ObjectNode part) {
                part.put(field, address);
            } else {
                throw new IllegalArgumentException("there is no image at " + where);
            }
        });
        return StrictJson.bytes(body);
    }
}
