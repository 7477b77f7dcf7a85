package dev.corral.guardmodels.prompt;

import dev.corral.guardmodels.prompt.Segment.Fixed;
import dev.corral.guardmodels.prompt.Segment.Special;
import dev.corral.guardmodels.prompt.Segment.Text;
import java.util.ArrayList;
import java.util.List;

/** The prompt that the starter guard was trained with; it has no list of categories. */
record StarterTemplate() implements PromptTemplate {

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
    public boolean hasCategories() {
        return false;
    }
}
