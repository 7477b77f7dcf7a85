package dev.corral.gateway.translation;

import java.util.Collections;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * A request in no API's words.
 *
 * @param stream whether the answer is to come in pieces
 * @param streamedUsage whether the client wants to know of a streamed answer how many tokens it took
 * @param settings what was given, and nothing else
 */
record ChatRequest(
        String model,
        boolean stream,
        boolean streamedUsage,
        List<Message> messages,
        List<Tool> tools,
        ToolChoice toolChoice,
        Optional<Format> format,
        Map<Setting, Given> settings) {

    ChatRequest {
        messages = List.copyOf(messages);
        tools = List.copyOf(tools);
        Map<Setting, Given> ordered = new EnumMap<>(Setting.class);
        ordered.putAll(settings);
        settings = Collections.unmodifiableMap(ordered);
    }
}
