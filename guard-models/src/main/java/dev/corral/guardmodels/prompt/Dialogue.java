package dev.corral.guardmodels.prompt;

import dev.corral.guardmodels.conversation.Conversation;
import dev.corral.guardmodels.conversation.Part;
import dev.corral.guardmodels.conversation.Part.ImagePart;
import dev.corral.guardmodels.conversation.Part.OpaquePart;
import dev.corral.guardmodels.conversation.Part.TextPart;
import dev.corral.guardmodels.conversation.Part.ToolCallPart;
import dev.corral.guardmodels.conversation.Part.ToolDefinitionPart;
import dev.corral.guardmodels.conversation.Part.ToolResultPart;
import dev.corral.guardmodels.conversation.Role;
import dev.corral.guardmodels.conversation.Turn;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * A conversation in the only form that the templates take: user and agent in turn, beginning with the user, each with at
 * least one text. The last speaker is the one that is judged.
 *
 * @param utterances oldest first
 * @param image whether it is about an image; then there may be utterances without text
 */
public record Dialogue(List<Utterance> utterances, boolean image) {

    /**
     * What one side said at once.
     *
     * @param texts each becomes a line of its own
     */
    public record Utterance(Speaker speaker, List<String> texts) {

        public Utterance {
            texts = List.copyOf(texts);
        }
    }

    /** Of text alone. */
    public Dialogue(List<Utterance> utterances) {
        this(utterances, false);
    }

    public Dialogue {
        utterances = List.copyOf(utterances);
        if (!image && utterances.stream().anyMatch(utterance -> utterance.texts.isEmpty())) {
            throw new IllegalArgumentException("an utterance must have at least one text, if only an empty one");
        }
        if (utterances.isEmpty()) {
            throw new IllegalArgumentException("a dialogue must have at least one utterance");
        }
        for (int i = 0; i < utterances.size(); i++) {
            Speaker due = i % 2 == 0 ? Speaker.USER : Speaker.AGENT;
            if (utterances.get(i).speaker() != due) {
                throw new IllegalArgumentException(
                        "user and agent must alternate, beginning with the user: utterance " + i + " is not " + due);
            }
        }
    }

    /**
     * The readable text of any conversation. Assistants are the agent, everyone else the user; turns of one side that
     * follow each other are one utterance; before an agent that speaks first the user says nothing.
     *
     * @param conversation whose last turn has text
     */
    public static Dialogue of(Conversation conversation) {
        return of(conversation, false);
    }

    /**
     * The same, about one of its images: a turn of images alone is an utterance, too.
     *
     * @param conversation whose last turn has text or an image
     */
    public static Dialogue about(Conversation conversation) {
        return of(conversation, true);
    }

    private static Dialogue of(Conversation conversation, boolean image) {
        List<Utterance> utterances = new ArrayList<>();
        for (Turn turn : conversation.turns()) {
            List<String> texts = texts(turn);
            if (!texts.isEmpty() || (image && turn.parts().stream().anyMatch(ImagePart.class::isInstance))) {
                append(utterances, turn.role() == Role.ASSISTANT ? Speaker.AGENT : Speaker.USER, texts);
            }
        }
        return new Dialogue(utterances, image);
    }

    private static void append(List<Utterance> utterances, Speaker speaker, List<String> texts) {
        if (utterances.isEmpty() && speaker == Speaker.AGENT) {
            utterances.add(new Utterance(Speaker.USER, List.of("")));
        }
        if (!utterances.isEmpty() && utterances.getLast().speaker() == speaker) {
            List<String> all = new ArrayList<>(utterances.removeLast().texts());
            all.addAll(texts);
            utterances.add(new Utterance(speaker, all));
        } else {
            utterances.add(new Utterance(speaker, texts));
        }
    }

    /** What a guard can read of a turn, one text for each part that is text; a tool call as {@code name(arguments)}. */
    public static List<String> texts(Turn turn) {
        return turn.parts().stream()
                .map(Dialogue::text)
                .flatMap(Optional::stream)
                .toList();
    }

    private static Optional<String> text(Part any) {
        return switch (any) {
            case TextPart part -> Optional.of(part.text());
            case ToolCallPart call -> Optional.of(call.name() + "(" + call.arguments() + ")");
            case ToolResultPart result -> Optional.of(result.text());
            case ToolDefinitionPart definition -> Optional.of(definition.text());
            case ImagePart _ -> Optional.empty();
            case OpaquePart _ -> Optional.empty();
        };
    }

    /** Who is judged. */
    public Speaker judged() {
        return utterances.getLast().speaker();
    }
}
