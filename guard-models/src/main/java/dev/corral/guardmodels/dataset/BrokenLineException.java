package dev.corral.guardmodels.dataset;

/** A line of a file that cannot be used. The message names the file, the line, the column and the rule. */
public final class BrokenLineException extends Exception {

    private final int line;
    private final int column;
    private final String rule;

    /**
     * @param file its name
     * @param line from 1
     * @param column in UTF-16 units, from 1
     * @param rule what must be, and what is
     */
    BrokenLineException(String file, int line, int column, String rule) {
        super(file + ":" + line + ":" + column + ": " + rule);
        this.line = line;
        this.column = column;
        this.rule = rule;
    }

    public int line() {
        return line;
    }

    public int column() {
        return column;
    }

    public String rule() {
        return rule;
    }
}
