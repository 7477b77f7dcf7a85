package dev.corral.guardmodels.conversation;

/** A piece of a turn. */
public sealed interface Part {

    /** Where the part stood, such as {@code messages[0].content[1]}: for messages to people. */
    String where();

    /** Text, reasoning and refusals included. */
    record TextPart(String text, String where) implements Part {}

    /** An image; not decoded. */
    record ImagePart(Image image, String where) implements Part {

        /** An image by its address, which nobody has looked at yet. */
        public ImagePart(String url, String where) {
            this(new Image.Reference(url), where);
        }
    }

    /**
     * A call of a tool by the assistant.
     *
     * @param arguments as they were sent, whether they are JSON or not
     */
    record ToolCallPart(String name, String arguments, String where) implements Part {}

    /**
     * What a tool answered.
     *
     * @param tool its name; empty where it is not known
     */
    record ToolResultPart(String text, String where, String tool) implements Part {

        /** Of a tool whose name is not known. */
        public ToolResultPart(String text, String where) {
            this(text, where, "");
        }
    }

    /**
     * A tool that the assistant may call.
     *
     * @param tool its name; empty where it has none
     * @param text all of the definition, its name included, as it was sent
     */
    record ToolDefinitionPart(String tool, String text, String where) implements Part {}

    /**
     * Something that no guard here can read.
     *
     * @param what such as {@code audio} or {@code field 'prediction'}
     */
    record OpaquePart(String what, String where) implements Part {}
}
