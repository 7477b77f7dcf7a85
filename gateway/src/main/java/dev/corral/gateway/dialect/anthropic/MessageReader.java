package dev.corral.gateway.dialect.anthropic;

import dev.corral.gateway.dialect.Answer;
import dev.corral.gateway.dialect.AnswerParts;
import dev.corral.gateway.dialect.DialectException;
import dev.corral.gateway.dialect.Fields;
import dev.corral.gateway.dialect.Voices;
import dev.corral.gateway.dialect.Words;
import dev.corral.guardmodels.conversation.Part;
import dev.corral.guardmodels.conversation.Role;
import dev.corral.guardmodels.conversation.Turn;
import java.util.ArrayList;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/** Puts an answer together, from one body or from the events of a stream. */
final class MessageReader {

    /** An upstream that numbers its blocks higher than this is not answering a question. */
    private static final int MAX_BLOCKS = 4096;

    private static final List<String> NEUTRAL = List.of(
            "id",
            "type",
            "role",
            "model",
            "stop_reason",
            "stop_sequence",
            "usage",
            "container",
            "context_management",
            "request_id");

    private final SortedMap<Integer, Block> blocks = new TreeMap<>();
    private final AnswerParts others = new AnswerParts();
    private final Voices voices = new Voices();

    /**
     * Takes a whole message, the one that a stream begins with, or an error.
     *
     * @return how much there is new to judge
     */
    int accept(JsonNode message, String where) {
        if (!message.isObject()) {
            return others.opaque("message", where);
        }
        Fields fields = new Fields(message, where);
        int added = 0;
        for (String name : NEUTRAL) {
            added += others.neutral(fields.take(name), fields.at(name));
        }
        added += others.texts(fields.take("error"), fields.at("error"));
        JsonNode content = fields.take("content");
        added += content == null ? 0 : content(content, fields.at("content"));
        return added + others.unread(fields);
    }

    /** Takes an event of a stream. */
    int acceptEvent(JsonNode event) {
        Fields fields = new Fields(event, "");
        JsonNode type = fields.take("type");
        String kind = type == null ? "" : type.asString("");
        int added = switch (kind) {
            case "message_start" -> message(fields.take("message"));
            case "content_block_start" -> begin(fields);
            case "content_block_delta" -> grow(fields);
            case "content_block_stop" -> {
                fields.take("index");
                yield 0;
            }
            case "message_delta" -> end(fields);
            case "message_stop", "ping" -> 0;
            case "error" ->
                others.texts(fields.take("error"), "error") + others.neutral(fields.take("request_id"), "request_id");
            default -> others.opaque("event of type '" + Words.shortened(kind) + "'", "type");
        };
        return added + others.unread(fields);
    }

    int add(List<Part> parts) {
        return others.add(parts);
    }

    AnswerParts others() {
        return others;
    }

    /** Who says what. */
    Voices voices() {
        return voices;
    }

    /** Everything up to now. */
    Answer answer() {
        List<Part> said = new ArrayList<>();
        blocks.values().forEach(block -> said.addAll(block.parts()));
        return new Answer(Stream.of(said, others.parts())
                .filter(parts -> !parts.isEmpty())
                .map(parts -> new Turn(Role.ASSISTANT, parts))
                .toList());
    }

    private int message(@Nullable JsonNode message) {
        return message == null ? 0 : accept(message, "message");
    }

    private int content(JsonNode content, String where) {
        if (content.isString()) {
            return others.texts(content, where);
        }
        if (!content.isArray()) {
            throw DialectException.unreadable("its 'content' is not a list");
        }
        int added = 0;
        for (int i = 0; i < content.size(); i++) {
            added += content.get(i).isObject()
                    ? block(i).begin(content.get(i))
                    : others.opaque("block", where + "[" + i + "]");
        }
        return added;
    }

    private int begin(Fields fields) {
        Block block = block(index(fields.take("index")));
        JsonNode begun = fields.take("content_block");
        return begun == null
                ? 0
                : begun.isObject() ? heard(block, block.begin(begun)) : others.opaque("block", "content_block");
    }

    private int grow(Fields fields) {
        Block block = block(index(fields.take("index")));
        JsonNode delta = fields.take("delta");
        return delta == null ? 0 : delta.isObject() ? heard(block, block.grow(delta)) : others.opaque("delta", "delta");
    }

    private int end(Fields fields) {
        int added = others.neutral(fields.take("usage"), "usage");
        added += others.neutral(fields.take("context_management"), "context_management");
        JsonNode delta = fields.take("delta");
        return delta == null ? added : added + accept(delta, "delta");
    }

    private int heard(Block block, int added) {
        return voices.hear(block.voice(), () -> added);
    }

    private Block block(int index) {
        return blocks.computeIfAbsent(index, i -> new Block("content[" + i + "]"));
    }

    private static int index(@Nullable JsonNode index) {
        if (index == null || !index.isIntegralNumber() || !index.canConvertToInt()) {
            throw DialectException.unreadable("an event names no block by its index");
        }
        if (index.asInt() < 0 || index.asInt() >= MAX_BLOCKS) {
            throw DialectException.unreadable("a block has a number that is not between 0 and " + (MAX_BLOCKS - 1));
        }
        return index.asInt();
    }
}
