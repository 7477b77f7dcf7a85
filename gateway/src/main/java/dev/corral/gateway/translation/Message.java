package dev.corral.gateway.translation;

import java.util.List;

/** What one side says at a time. */
sealed interface Message {

    /** Its place in the request. */
    String where();

    record Instructions(List<String> texts, String where) implements Message {
        public Instructions {
            texts = List.copyOf(texts);
        }
    }

    /** Texts and images. */
    record Question(List<Content> content, String where) implements Message {
        public Question {
            content = List.copyOf(content);
        }
    }

    /** Thoughts, texts and calls, in the order in which they came. */
    record Reply(List<Content> content, String where) implements Message {
        public Reply {
            content = List.copyOf(content);
        }
    }

    /**
     * The result of a call.
     *
     * @param tool its name; empty where only the call's identifier was given
     * @param content texts, and images where the API takes them
     * @param failed whether the tool failed
     */
    record Result(String callId, String tool, List<Content> content, boolean failed, String where) implements Message {
        public Result {
            content = List.copyOf(content);
        }
    }
}
