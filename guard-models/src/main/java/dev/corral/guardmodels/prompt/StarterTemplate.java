package dev.corral.guardmodels.prompt;

import dev.corral.guardmodels.prompt.Segment.Fixed;
import dev.corral.guardmodels.prompt.Segment.Special;
import dev.corral.guardmodels.prompt.Segment.Text;
import java.util.ArrayList;
import java.util.List;

/** The prompt that the starter guard was trained with; it has no list of categories. */
record StarterTemplate() implements PromptTemplate {

    /**
     * Stands for the blank lines of the template in prompts that are tokenised as one string, where a line feed before a
     * word is a token of its own. It is embedded like the token of two line feeds.
     */
    static final String BLANK_LINE = "<|blank_line|>";

    static final Answer ANSWER = new Answer.VerdictHead(" unsafe", ":");

    @Override
    public List<Segment> render(Dialogue dialogue, List<Category> categories) {
        List<Segment> segments = new ArrayList<>();
        segments.add(new Special("<|im_start|>"));
        segments.add(new Fixed("Safety check of a conversation.\n\n"));
        for (Dialogue.Utterance utterance : dialogue.utterances()) {
            for (String text : utterance.texts()) {
                segments.add(new Fixed(utterance.speaker().label() + ":"));
                segments.add(new Text(" " + PromptTemplate.trim(text)));
                segments.add(new Fixed("\n\n"));
            }
        }
        segments.add(new Fixed("The last " + dialogue.judged().label() + " message is"));
        return segments;
    }

    @Override
    public ChatTemplate chatTemplate(List<Category> categories) {
        return new ChatTemplate(
                "<|im_start|>Safety check of a conversation." + BLANK_LINE,
                BLANK_LINE,
                "The last " + ChatTemplate.JUDGED + " message is");
    }

    @Override
    public boolean hasCategories() {
        return false;
    }
}
