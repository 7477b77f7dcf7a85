package dev.corral.benchmarks.figures;

import java.io.PrintWriter;
import java.util.LinkedHashMap;
import java.util.Map;
import picocli.CommandLine.ExitCode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/** Rows of figures under headings: printed as they are measured, for people, or in the end as JSON, for programs. */
public final class Table {

    private static final String HEADER = "%-58s %9s %9s %-10s  %-24s %9s %9s %6s  %s"
            .formatted("", "best", "median", "", "compared with", "best", "median", "ratio", "limit");

    private final PrintWriter out;
    private final boolean json;
    private final ObjectNode document = JsonMapper.shared().createObjectNode();
    private final Map<String, ObjectNode> sections = new LinkedHashMap<>();
    private String section = "";
    private boolean missed;

    /**
     * An empty table.
     *
     * @param json whether it is printed as JSON by {@link #finish}
     */
    public Table(PrintWriter out, boolean json) {
        this.out = out;
        this.json = json;
        ObjectNode machine = document.putObject("machine");
        Machine.facts().forEach(machine::put);
        document.putArray("sections");
        say("machine: " + String.join(", ", Machine.facts().values()));
    }

    /** A line for people: what is being done, or why something is not. */
    public void say(String line) {
        if (!json) {
            out.println(line);
            out.flush();
        }
    }

    /** Starts a group of rows: of one guard, of one conversion. */
    public void section(String name) {
        section = name;
        say("");
        say(name);
        say(HEADER);
    }

    /** Adds a row to the group. */
    public void add(Row row) {
        missed |= !row.held();
        say(line(row));
        rows().add(node(row));
    }

    /** Adds a row that stays without a figure. */
    public void leaveOut(String id, String what, String reason) {
        say("%-58s %s".formatted(what, "not measured: " + reason));
        rows().addObject().put("id", id).put("what", what).put("not_measured", reason);
    }

    private tools.jackson.databind.node.ArrayNode rows() {
        ObjectNode node = sections.computeIfAbsent(section, name -> {
            ObjectNode created = document.withArray("sections").addObject().put("name", name);
            created.putArray("rows");
            return created;
        });
        return node.withArray("rows");
    }

    /** Prints what is printed in the end, and tells the exit code: 1 if a limit was missed. */
    public int finish() {
        if (json) {
            out.println(document.toPrettyString());
            out.flush();
        }
        return missed ? ExitCode.SOFTWARE : ExitCode.OK;
    }

    private static String line(Row row) {
        String figure = "%-58s %9s %9s %-10s"
                .formatted(
                        row.what(),
                        number(row.measured().best()),
                        number(row.measured().median()),
                        row.unit().label());
        String comparison = row.comparison()
                .map(other -> "  %-24s %9s %9s %6.2f"
                        .formatted(
                                other.with(),
                                number(other.sample().best()),
                                number(other.sample().median()),
                                row.ratio().orElseThrow()))
                .orElse("");
        String bar = row.bar()
                .map(limit -> switch (limit) {
                    case Row.Bar.OfRatio ratio -> "  ratio at most %.2f".formatted(ratio.most());
                    case Row.Bar.OfValue value ->
                        "  at most %s %s"
                                .formatted(number(value.most()), row.unit().label());
                })
                .map(limit -> limit + (row.held() ? ": ok" : ": MISSED"))
                .orElse("");
        return (figure + comparison + bar).stripTrailing();
    }

    private static String number(double value) {
        return value < 100 ? "%.2f".formatted(value) : "%.0f".formatted(value);
    }

    private static ObjectNode node(Row row) {
        ObjectNode node = JsonMapper.shared()
                .createObjectNode()
                .put("id", row.id())
                .put("what", row.what())
                .put("unit", row.unit().label())
                .put("best", row.measured().best())
                .put("median", row.measured().median());
        row.comparison()
                .ifPresent(other -> node.putObject("compared_with")
                        .put("what", other.with())
                        .put("best", other.sample().best())
                        .put("median", other.sample().median())
                        .put("ratio", row.ratio().orElseThrow()));
        row.bar()
                .ifPresent(bar -> node.putObject("limit")
                        .put("of", bar instanceof Row.Bar.OfRatio ? "ratio" : "best")
                        .put("at_most", bar.most())
                        .put("held", row.held()));
        return node;
    }
}
