package dev.corral.guardmodels.remote;

import dev.corral.guardmodels.conversation.Conversation;
import dev.corral.guardmodels.conversation.Turn;
import dev.corral.guardmodels.prompt.Category;
import dev.corral.guardmodels.prompt.Dialogue;
import dev.corral.guardmodels.prompt.Segment;
import dev.corral.guardmodels.prompt.Speaker;
import dev.corral.policies.assessment.Meaning;
import java.util.List;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/** The requests that a server is sent. */
final class RemotePrompts {

    private static final JsonNodeFactory JSON = JsonNodeFactory.instance;

    /** What the guard writes before its verdict, given to it so that its first token is the verdict. */
    private static final String LEAD = "\n\n";

    /** Servers put the first token before every raw prompt by themselves; what a template has before it cannot be sent. */
    private static final Segment FIRST_TOKEN = new Segment.Special("<|begin_of_text|>");

    /** Below this, it is of no use to know what an unsafe content would be unsafe for. */
    private static final double NEGLIGIBLE = 0.01;

    private final RemoteSettings settings;
    private final List<Category> categories;
    private final int answerTokens;

    RemotePrompts(RemoteSettings settings) {
        this.settings = settings;
        this.categories = settings.hazards().catalogue().categories();
        // a token has a byte at least: the line feeds, a word, every code with its comma, the end
        this.answerTokens = 16
                + settings.hazards().words().unsafe().length()
                + categories.stream()
                        .mapToInt(category -> category.code().length() + 1)
                        .sum();
    }

    /** The most tokens of an answer. */
    int answerTokens() {
        return answerTokens;
    }

    /** A prompt's size in UTF-8, with the family's own template: no prompt has more tokens. */
    int bytes(List<Turn> turns) {
        return bytes(dialogue(turns));
    }

    /** The same of a prompt about an image, which is not counted. */
    int bytesBesideImage(List<Turn> turns) {
        return bytes(Dialogue.about(new Conversation(turns)));
    }

    private int bytes(Dialogue dialogue) {
        long bytes =
                prompt(dialogue).codePoints().mapToLong(RemotePrompts::size).sum();
        return (int) Math.min(Integer.MAX_VALUE, bytes);
    }

    /** Bytes of a character as it is sent. */
    static int bytes(int codePoint) {
        // "<|" is sent with a blank between
        return size(codePoint) + (codePoint == '|' ? 1 : 0);
    }

    private static int size(int codePoint) {
        if (codePoint < 0x80) {
            return 1;
        }
        return codePoint < 0x800 ? 2 : codePoint < 0x10000 ? 3 : 4;
    }

    /**
     * Asks for a verdict on the last turn in the light of an image, by chat. The image stands first, where the model's
     * template puts it, whichever turn it came in.
     *
     * @param image a {@code data:} URI
     */
    JsonNode verdict(List<Turn> turns, String image) {
        ObjectNode request = JSON.objectNode().put("model", settings.model());
        ArrayNode messages = request.putArray("messages");
        for (Dialogue.Utterance utterance :
                Dialogue.about(new Conversation(turns)).utterances()) {
            ArrayNode content = messages.addObject()
                    .put("role", utterance.speaker() == Speaker.AGENT ? "assistant" : "user")
                    .putArray("content");
            if (messages.size() == 1) {
                content.addObject()
                        .put("type", "image_url")
                        .putObject("image_url")
                        .put("url", image);
            }
            utterance
                    .texts()
                    .forEach(text -> content.addObject().put("type", "text").put("text", ordinary(text)));
        }
        return greedy(request);
    }

    /** Asks for a verdict on the last turn. */
    JsonNode verdict(List<Turn> turns) {
        ObjectNode request = JSON.objectNode().put("model", settings.model());
        switch (settings.api()) {
            case COMPLETIONS -> request.put("prompt", prompt(dialogue(turns)) + LEAD);
            case CHAT -> request.set("messages", messages(turns));
        }
        return greedy(request);
    }

    /** Whether a harmless verdict has a probability of being wrong that is worth to be told by hazards. */
    boolean mayForce(GeneratedScores scores) {
        return settings.api() == Api.COMPLETIONS
                && scores.meaning() != Meaning.VERDICT
                && scores.unsafe() >= NEGLIGIBLE;
    }

    /** Asks for the hazards of the last turn, as if it had been found unsafe. */
    JsonNode hazards(List<Turn> turns) {
        ObjectNode request = JSON.objectNode().put("model", settings.model());
        request.put(
                "prompt",
                prompt(dialogue(turns)) + LEAD + settings.hazards().words().unsafe() + "\n");
        return greedy(request);
    }

    private JsonNode greedy(ObjectNode request) {
        request.put("max_tokens", answerTokens).put("temperature", 0).put("stream", false);
        if (settings.topLogprobs() > 0) {
            switch (settings.api()) {
                case COMPLETIONS -> request.put("logprobs", settings.topLogprobs());
                case CHAT -> request.put("logprobs", true).put("top_logprobs", settings.topLogprobs());
            }
        }
        return request;
    }

    private String prompt(Dialogue dialogue) {
        List<Segment> segments = settings.family().render(dialogue, categories);
        StringBuilder prompt = new StringBuilder();
        for (Segment segment : segments.subList(segments.indexOf(FIRST_TOKEN) + 1, segments.size())) {
            prompt.append(
                    switch (segment) {
                        case Segment.Special special -> special.token();
                        case Segment.Fixed fixed -> ordinary(fixed.text());
                        case Segment.Text text -> ordinary(text.text());
                    });
        }
        return prompt.toString();
    }

    private static ArrayNode messages(List<Turn> turns) {
        ArrayNode messages = JSON.arrayNode();
        for (Dialogue.Utterance utterance : dialogue(turns).utterances()) {
            messages.addObject()
                    .put("role", utterance.speaker() == Speaker.AGENT ? "assistant" : "user")
                    .put("content", ordinary(String.join("\n\n", utterance.texts())));
        }
        return messages;
    }

    private static Dialogue dialogue(List<Turn> turns) {
        return Dialogue.of(new Conversation(turns));
    }

    /** Text in which nothing reads like a special token, and that is well-formed. */
    private static String ordinary(String text) {
        String plain = text.replace("<|", "< |");
        if (plain.codePoints().noneMatch(RemotePrompts::isSurrogate)) {
            return plain;
        }
        int[] points = plain.codePoints()
                .map(point -> isSurrogate(point) ? 0xFFFD : point)
                .toArray();
        return new String(points, 0, points.length);
    }

    private static boolean isSurrogate(int point) {
        return point >= Character.MIN_SURROGATE && point <= Character.MAX_SURROGATE;
    }
}
