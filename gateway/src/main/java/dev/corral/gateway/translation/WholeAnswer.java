package dev.corral.gateway.translation;

import java.util.ArrayList;
import java.util.List;

/**
 * An answer put together.
 *
 * @param content thoughts, texts and calls in their order
 * @param sequence the text that ended it; empty where none did, or nobody said
 */
record WholeAnswer(String id, String model, List<Content> content, Stop stop, String sequence, Usage usage) {

    WholeAnswer {
        content = List.copyOf(content);
    }

    /** All pieces of an answer together. */
    static WholeAnswer of(List<Delta> deltas) {
        String id = "";
        String model = "";
        Stop stop = Stop.END;
        String sequence = "";
        Usage usage = Usage.UNKNOWN;
        List<Content> content = new ArrayList<>();
        for (Delta delta : deltas) {
            switch (delta) {
                case Delta.Begin begin -> {
                    id = begin.id();
                    model = begin.model();
                }
                case Delta.Thought thought -> say(content, new Content.Thought(thought.text(), ""));
                case Delta.Text text -> say(content, new Content.Text(text.text()));
                case Delta.Call call -> content.add(new Content.Call(call.id(), call.name(), "", ""));
                case Delta.Arguments arguments -> argue(content, arguments);
                case Delta.Stopped stopped -> {
                    stop = stopped.reason();
                    sequence = stopped.sequence();
                }
                case Delta.Used used -> usage = usage.and(used.usage());
                case Delta.End _, Delta.Ping _, Delta.Failed _ -> {}
            }
        }
        return new WholeAnswer(id, model, content, stop, sequence, usage);
    }

    private static void say(List<Content> content, Content next) {
        if (!content.isEmpty()
                && content.getLast() instanceof Content.Text before
                && next instanceof Content.Text more) {
            content.set(content.size() - 1, new Content.Text(before.text() + more.text()));
        } else if (!content.isEmpty()
                && content.getLast() instanceof Content.Thought before
                && next instanceof Content.Thought more) {
            content.set(content.size() - 1, new Content.Thought(before.text() + more.text(), ""));
        } else {
            content.add(next);
        }
    }

    private static void argue(List<Content> content, Delta.Arguments more) {
        int number = 0;
        for (int i = 0; i < content.size(); i++) {
            if (content.get(i) instanceof Content.Call call && number++ == more.number()) {
                content.set(i, new Content.Call(call.id(), call.name(), call.arguments() + more.text(), call.where()));
            }
        }
    }
}
