package dev.corral.guardmodels.dataset;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * A file of labelled conversations.
 *
 * @param file its name, without its folder
 * @param rows those that can be used, in the file's order
 * @param broken those that cannot
 */
public record LabelledRows(String file, List<LabelledRow> rows, List<BrokenLineException> broken) {

    public LabelledRows {
        rows = List.copyOf(rows);
        broken = List.copyOf(broken);
    }

    /**
     * Reads a file.
     *
     * @param limit lines to read at most, blank ones not counted
     * @throws IOException if the file cannot be read, unpacked, or has no lines
     */
    public static LabelledRows read(Path file, int limit) throws IOException {
        List<LabelledRow> rows = new ArrayList<>();
        List<BrokenLineException> broken = new ArrayList<>();
        try (JsonLines lines = JsonLines.open(file)) {
            boolean more = true;
            while (more && rows.size() + broken.size() < limit) {
                try {
                    Line line = lines.next();
                    more = line != null;
                    if (line != null) {
                        rows.add(LabelledRow.of(line));
                    }
                } catch (BrokenLineException e) {
                    broken.add(e);
                }
            }
        }
        if (rows.isEmpty() && broken.isEmpty()) {
            throw new IOException(file + " has no rows: it must hold a JSON object a line");
        }
        return new LabelledRows(file.getFileName().toString(), rows, broken);
    }
}
