package dev.corral.gateway.dialect.openai;

import dev.corral.gateway.dialect.StrictJson;
import java.util.Map;
import tools.jackson.core.JsonPointer;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/** Writes requests anew, with files in place of the images' addresses. Everything else keeps its value. */
final class ChatImages {

    private static final String IMAGE = "image_url";

    private ChatImages() {}

    /**
     * Puts addresses where others stood.
     *
     * @param images by the place of their part, such as {@code messages[0].content[1].image_url}
     */
    static byte[] replaced(JsonNode body, Map<String, String> images) {
        images.forEach((where, address) -> {
            JsonPointer place =
                    JsonPointer.compile("/" + where.replaceAll("[\\[.]", "/").replace("]", ""));
            if (body.at(place) instanceof ObjectNode image) {
                image.put("url", address);
            } else if (body.at(place.head()) instanceof ObjectNode part) {
                part.put(IMAGE, address);
            } else {
                throw new IllegalArgumentException("there is no image at " + where);
            }
        });
        return StrictJson.bytes(body);
    }
}
