package dev.corral.gateway.translation;

import tools.jackson.databind.JsonNode;

/**
 * A value that a client gave.
 *
 * @param where its place in the request, for messages
 */
record Given(JsonNode value, String where) {}
