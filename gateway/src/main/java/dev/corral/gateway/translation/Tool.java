package dev.corral.gateway.translation;

import tools.jackson.databind.JsonNode;

/**
 * What a model may call.
 *
 * @param description empty for none
 * @param schema of its arguments
 * @param strict whether arguments must be of the schema exactly
 */
record Tool(String name, String description, JsonNode schema, boolean strict, String where) {}
