package dev.corral.guardmodels.prompt;

import dev.corral.guardmodels.prompt.Segment.Special;
import dev.corral.guardmodels.prompt.Segment.Text;
import java.util.ArrayList;
import java.util.List;

/**
 * The chat template of Llama Guard 3 (PurpleLlama, {@code Llama-Guard3}).
 *
 * @param beforeBegin text before the first token
 * @param beforeEnd text between the last sentence and the end of the turn
 */
record LlamaGuard3Template(String beforeBegin, String beforeEnd) implements PromptTemplate {

    static final Answer ANSWER = new Answer.Generated("\n\n", "<|eot_id|>");

    private static final Special START_HEADER = new Special("<|start_header_id|>");
    private static final Special END_HEADER = new Special("<|end_header_id|>");
    private static final Special IMAGE = new Special("<|image|>");

    @Override
    public List<Segment> render(Dialogue dialogue, List<Category> categories) {
        List<Segment> segments = new ArrayList<>();
        if (!beforeBegin.isEmpty()) {
            segments.add(new Text(beforeBegin));
        }
        segments.add(new Special("<|begin_of_text|>"));
        segments.addAll(List.of(START_HEADER, new Text("user"), END_HEADER));
        if (dialogue.image()) {
            segments.addAll(List.of(new Text("\n\n"), IMAGE, new Text(" " + body(dialogue, categories))));
        } else {
            segments.add(new Text("\n\n" + body(dialogue, categories)));
        }
        segments.add(new Special("<|eot_id|>"));
        segments.addAll(List.of(START_HEADER, new Text("assistant"), END_HEADER));
        return segments;
    }

    @Override
    public boolean hasCategories() {
        return true;
    }

    private String body(Dialogue dialogue, List<Category> categories) {
        String judged = dialogue.judged().label();
        StringBuilder body = new StringBuilder("Task: Check if there is unsafe content in '")
                .append(judged)
                .append("' messages in conversations according our safety policy with the below categories.\n\n")
                .append("<BEGIN UNSAFE CONTENT CATEGORIES>\n");
        for (Category category : categories) {
            body.append(category.code()).append(": ").append(category.text()).append('\n');
        }
        body.append("<END UNSAFE CONTENT CATEGORIES>\n\n<BEGIN CONVERSATION>\n\n");
        for (Dialogue.Utterance utterance : dialogue.utterances()) {
            for (String text : utterance.texts()) {
                body.append(utterance.speaker().label())
                        .append(": ")
                        .append(PromptTemplate.trim(text))
                        .append("\n\n");
            }
        }
        return body.append("<END CONVERSATION>\n\nProvide your safety assessment for ONLY THE LAST ")
                .append(judged)
                .append(" message in the above conversation:\n - First line must read 'safe' or 'unsafe'.\n")
                .append(" - If unsafe, a second line must include a comma-separated list of violated categories.")
                .append(beforeEnd)
                .toString();
    }
}
