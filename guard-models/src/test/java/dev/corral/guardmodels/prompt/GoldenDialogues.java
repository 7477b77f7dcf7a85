package dev.corral.guardmodels.prompt;

import dev.corral.guardmodels.prompt.Dialogue.Utterance;
import java.util.ArrayList;
import java.util.List;
import tools.jackson.databind.JsonNode;

/** Golden conversations as dialogues, taken over without making them fit. */
final class GoldenDialogues {

    private GoldenDialogues() {}

    /** Messages of role and parts. */
    static Dialogue ofMessages(JsonNode messages) {
        List<Utterance> utterances = new ArrayList<>();
        boolean image = false;
        for (JsonNode message : messages) {
            List<String> texts = new ArrayList<>();
            for (JsonNode part : message.get("content")) {
                if (part.path("type").stringValue("").equals("text")) {
                    texts.add(part.get("text").stringValue());
                }
                image |= part.path("type").stringValue("").equals("image");
            }
            utterances.add(new Utterance(speaker(message), texts));
        }
        return new Dialogue(utterances, image);
    }

    /** Turns of role and text. */
    static Dialogue ofTurns(JsonNode turns) {
        List<Utterance> utterances = new ArrayList<>();
        for (JsonNode turn : turns) {
            utterances.add(new Utterance(speaker(turn), List.of(turn.get("text").stringValue())));
        }
        return new Dialogue(utterances);
    }

    private static Speaker speaker(JsonNode message) {
        return switch (message.get("role").stringValue()) {
            case "user" -> Speaker.USER;
            case "assistant" -> Speaker.AGENT;
            default -> throw new IllegalArgumentException("neither user nor assistant");
        };
    }
}
