package dev.corral.gateway.translation;

import tools.jackson.databind.JsonNode;

/** What an answer must look like. */
sealed interface Format {

    /** Its place in the request. */
    String where();

    /** Any JSON. */
    record Json(String where) implements Format {}

    /**
     * JSON of a schema.
     *
     * @param name which only OpenAI wants
     * @param strict whether OpenAI is to hold to it exactly
     */
    record Schema(String name, JsonNode schema, boolean strict, String where) implements Format {}
}
