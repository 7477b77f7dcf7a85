package dev.corral.guardmodels.report;

import java.util.ArrayList;
import java.util.List;
import java.util.function.IntFunction;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/** Rows and columns; the first columns are words, the others are numbers. */
final class Table {

    private final List<String> head;
    private final int words;
    private final List<List<String>> rows = new ArrayList<>();

    /**
     * @param words how many columns are words
     */
    Table(int words, List<String> head) {
        this.words = words;
        this.head = List.copyOf(head);
    }

    Table row(List<String> cells) {
        if (cells.size() != head.size()) {
            throw new IllegalArgumentException("a row must have " + head.size() + " cells: " + cells);
        }
        rows.add(cells.stream().map(Numbers::printable).toList());
        return this;
    }

    List<String> head() {
        return head;
    }

    List<List<String>> rows() {
        return rows;
    }

    boolean isWords(int column) {
        return column < words;
    }

    boolean isEmpty() {
        return rows.isEmpty();
    }

    /** In Markdown, with columns of equal width. */
    String markdown() {
        List<List<String>> escaped = rows.stream()
                .map(row -> row.stream().map(cell -> cell.replace("|", "\\|")).toList())
                .toList();
        int[] widths = IntStream.range(0, head.size())
                .map(column -> IntStream.concat(
                                IntStream.of(width(head.get(column))),
                                escaped.stream().mapToInt(row -> width(row.get(column))))
                        .max()
                        .orElse(0))
                .toArray();
        List<String> lines = new ArrayList<>();
        lines.add(line(column -> padded(head.get(column), widths[column], column)));
        lines.add(line(column -> isWords(column) ? "-".repeat(widths[column]) : "-".repeat(widths[column] - 1) + ":"));
        escaped.forEach(row -> lines.add(line(column -> padded(row.get(column), widths[column], column))));
        return String.join(System.lineSeparator(), lines);
    }

    private String line(IntFunction<String> cell) {
        return IntStream.range(0, head.size()).mapToObj(cell).collect(Collectors.joining(" | ", "| ", " |"));
    }

    private String padded(String cell, int width, int column) {
        String room = " ".repeat(width - width(cell));
        return isWords(column) ? cell + room : room + cell;
    }

    private static int width(String cell) {
        return cell.codePointCount(0, cell.length());
    }
}
