package dev.corral.guardmodels.prompt;

import java.util.List;

/** The words around a dialogue. */
interface PromptTemplate {

    List<Segment> render(Dialogue dialogue, List<Category> categories);

    /** The same for a server that makes prompts of messages; every prompt begins with the tokenizer's first token. */
    ChatTemplate chatTemplate(List<Category> categories);

    /** Whether the categories are part of the prompt. */
    boolean hasCategories();

    /**
     * Removes what Python's {@code str.strip} removes at both ends; that is more than {@link String#strip} does (no-break
     * spaces, U+0085) and the guards were trained with it.
     */
    static String trim(String text) {
        int start = 0;
        int end = text.length();
        while (start < end && isPythonSpace(text.charAt(start))) {
            start++;
        }
        while (end > start && isPythonSpace(text.charAt(end - 1))) {
            end--;
        }
        return text.substring(start, end);
    }

    private static boolean isPythonSpace(char c) {
        return Character.isWhitespace(c) || Character.isSpaceChar(c) || c == '\u0085';
    }
}
