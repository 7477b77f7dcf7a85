package dev.corral.guardmodels.prompt;

import dev.corral.guardmodels.prompt.Segment.Fixed;
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
            segments.add(new Fixed(beforeBegin));
        }
        segments.add(new Special("<|begin_of_text|>"));
        segments.addAll(List.of(START_HEADER, new Fixed("user"), END_HEADER));
        if (dialogue.image()) {
            segments.addAll(List.of(
                    new Fixed("\n\n"),
                    IMAGE,
                    new Fixed(" " + task(dialogue.judged().label(), categories))));
        } else {
            segments.add(new Fixed("\n\n" + task(dialogue.judged().label(), categories)));
        }
        segments.add(new Text(conversation(dialogue)));
        segments.add(new Fixed(question(dialogue.judged().label())));
        segments.add(new Special("<|eot_id|>"));
        segments.addAll(List.of(START_HEADER, new Fixed("assistant"), END_HEADER));
        return segments;
    }

    /** Without images, and without what stands before the first token: servers put that token before all the rest. */
    @Override
    public ChatTemplate chatTemplate(List<Category> categories) {
        return new ChatTemplate(
                "<|begin_of_text|><|start_header_id|>user<|end_header_id|>\n\n" + task(ChatTemplate.JUDGED, categories),
                "\n\n",
                question(ChatTemplate.JUDGED) + "<|eot_id|><|start_header_id|>assistant<|end_header_id|>");
    }

    @Override
    public boolean hasCategories() {
        return true;
    }

    // each part but the last ends in line feeds, after which the tokenizer begins anew

    private static String task(String judged, List<Category> categories) {
        StringBuilder task = new StringBuilder("Task: Check if there is unsafe content in '")
                .append(judged)
                .append("' messages in conversations according our safety policy with the below categories.\n\n")
                .append("<BEGIN UNSAFE CONTENT CATEGORIES>\n");
        for (Category category : categories) {
            task.append(category.code()).append(": ").append(category.text()).append('\n');
        }
        return task.append("<END UNSAFE CONTENT CATEGORIES>\n\n<BEGIN CONVERSATION>\n\n")
                .toString();
    }

    private static String conversation(Dialogue dialogue) {
        StringBuilder conversation = new StringBuilder();
        for (Dialogue.Utterance utterance : dialogue.utterances()) {
            for (String text : utterance.texts()) {
                conversation
                        .append(utterance.speaker().label())
                        .append(": ")
                        .append(PromptTemplate.trim(text))
                        .append("\n\n");
            }
        }
        return conversation.toString();
    }

    private String question(String judged) {
        return "<END CONVERSATION>\n\nProvide your safety assessment for ONLY THE LAST "
                + judged
                + " message in the above conversation:\n - First line must read 'safe' or 'unsafe'.\n"
                + " - If unsafe, a second line must include a comma-separated list of violated categories."
                + beforeEnd;
    }
}
