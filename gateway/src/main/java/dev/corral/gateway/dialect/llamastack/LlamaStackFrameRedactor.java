package dev.corral.gateway.dialect.llamastack;

import dev.corral.gateway.dialect.GrowingTexts;
import dev.corral.gateway.dialect.Redactor;
import dev.corral.gateway.dialect.SseEvent;
import dev.corral.gateway.dialect.SseFrameRedactor;
import dev.corral.policies.policy.ContentSource;
import java.util.ArrayList;
import java.util.List;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/**
 * Redacts one streamed answer. Its text and the fragments of its calls grow; what stays of them leaves in chunks of their
 * own before the last one.
 */
final class LlamaStackFrameRedactor extends SseFrameRedactor {

    private static final String TEXT = "text";
    private static final String CALL = "tool_call";

    private final LlamaStackApi api;
    private final Redactor redactor;
    private final GrowingTexts<String> texts;

    LlamaStackFrameRedactor(LlamaStackApi api, Redactor redactor) {
        this.api = api;
        this.redactor = redactor;
        this.texts = new GrowingTexts<>(redactor);
    }

    @Override
    public List<byte[]> end() {
        List<byte[]> rest = new ArrayList<>();
        String call = texts.end(CALL);
        if (!call.isEmpty()) {
            rest.add(api.chunkOfCall(call));
        }
        String text = texts.end(TEXT);
        if (!text.isEmpty()) {
            rest.add(api.chunk(text));
        }
        return rest;
    }

    @Override
    protected void redact(byte[] frame, JsonNode chunk, List<byte[]> redacted) {
        JsonNode copy = LlamaStackTexts.LLAMA_STACK.redacted(chunk, ContentSource.ASSISTANT, redactor);
        JsonNode object = chunk.path("event").isObject() ? chunk.path("event") : chunk;
        JsonNode target = chunk.path("event").isObject() ? copy.path("event") : copy;
        JsonNode delta = object.path("delta");
        if (delta.isString() && target instanceof ObjectNode changed) {
            changed.put("delta", texts.grow(TEXT, delta.stringValue(), ContentSource.ASSISTANT));
        } else if (target.path("delta") instanceof ObjectNode changed) {
            grow(TEXT, ContentSource.ASSISTANT, delta, changed);
            grow(CALL, ContentSource.TOOL_CALL, delta, changed);
        }
        if (api.isEnd(chunk)) {
            redacted.addAll(end());
        }
        redacted.add(copy.equals(chunk) ? frame : SseEvent.frame(copy));
    }

    private void grow(String field, ContentSource source, JsonNode delta, ObjectNode changed) {
        JsonNode piece = delta.path(field);
        if (piece.isString()) {
            changed.put(field, texts.grow(field, piece.stringValue(), source));
        }
    }
}
