package dev.corral.guardmodels.report;

/** Writes HTML and SVG. Every text and every attribute goes through one place, which escapes it. */
final class Markup {

    private final StringBuilder out = new StringBuilder();

    /**
     * Opens an element.
     *
     * @param attributes names and values by turns
     */
    Markup open(String tag, String... attributes) {
        out.append('<').append(tag);
        for (int i = 0; i < attributes.length; i += 2) {
            out.append(' ').append(attributes[i]).append("=\"");
            escape(attributes[i + 1]);
            out.append('"');
        }
        out.append('>');
        return this;
    }

    Markup close(String tag) {
        out.append("</").append(tag).append('>');
        return this;
    }

    /** An element with nothing but text. */
    Markup element(String tag, String text, String... attributes) {
        return open(tag, attributes).text(text).close(tag);
    }

    Markup text(String text) {
        escape(text);
        return this;
    }

    /** What was written to another one. */
    Markup append(Markup other) {
        out.append(other.out);
        return this;
    }

    Markup line() {
        out.append('\n');
        return this;
    }

    /** What is written here and is neither text nor data: the style sheet. */
    Markup style(String css) {
        out.append("<style>\n").append(css).append("</style>");
        return this;
    }

    Markup doctype() {
        out.append("<!doctype html>\n");
        return this;
    }

    private void escape(String text) {
        text.codePoints().forEach(c -> {
            switch (c) {
                case '&' -> out.append("&amp;");
                case '<' -> out.append("&lt;");
                case '>' -> out.append("&gt;");
                case '"' -> out.append("&quot;");
                case '\'' -> out.append("&#39;");
                default -> {
                    boolean readable = c == '\n' || c == '\t' || !Character.isISOControl(c);
                    boolean whole = c < Character.MIN_SURROGATE || c > Character.MAX_SURROGATE;
                    out.appendCodePoint(readable && whole ? c : 0xFFFD);
                }
            }
        });
    }

    @Override
    public String toString() {
        return out.toString();
    }
}
