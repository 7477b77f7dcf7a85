package dev.corral.guardmodels.report;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.DoubleUnaryOperator;
import java.util.stream.Collectors;

/**
 * A chart in SVG. Colours and strokes are classes of the page's style sheet, so that it follows the reader's light or dark
 * theme; title and description are there for those who cannot see it.
 */
final class Chart {

    private static final double WIDTH = 400;
    private static final double HEIGHT = 300;
    private static final double LEFT = 46;
    private static final double RIGHT = 10;
    private static final double TOP = 10;
    private static final double BOTTOM = 44;

    /**
     * One direction of a chart.
     *
     * @param label what it shows
     * @param ticks values to name, and their names
     * @param place of a value, 0 at the beginning and 1 at the end of the axis
     */
    record Axis(String label, List<Tick> ticks, DoubleUnaryOperator place) {

        record Tick(double value, String name) {}

        /** From 0 to 1. */
        static Axis share(String label) {
            return new Axis(
                    label,
                    List.of(0.0, 0.2, 0.4, 0.6, 0.8, 1.0).stream()
                            .map(value -> new Tick(value, plain(value)))
                            .toList(),
                    value -> value);
        }

        /** From 0.001 to 1, where each tenfold takes the same room; what is below lies at the beginning. */
        static Axis logarithmicShare(String label) {
            return new Axis(
                    label,
                    List.of(0.001, 0.01, 0.1, 1.0).stream()
                            .map(value -> new Tick(value, plain(value)))
                            .toList(),
                    value -> value <= 0.001 ? 0 : 1 + Math.log10(value) / 3);
        }

        /** From -1 to 1. */
        static Axis difference(String label) {
            return new Axis(
                    label,
                    List.of(-1.0, -0.5, 0.0, 0.5, 1.0).stream()
                            .map(value -> new Tick(value, plain(value)))
                            .toList(),
                    value -> (value + 1) / 2);
        }

        /** Numbers of rows from 0 to so many; each tenfold takes the same room, but for the beginning. */
        static Axis logarithmicCount(String label, int most) {
            List<Tick> ticks = new ArrayList<>();
            ticks.add(new Tick(0, "0"));
            for (long count = 1; count <= most; count *= 10) {
                ticks.add(new Tick(count, String.format(Locale.ROOT, "%,d", count)));
            }
            double whole = Math.log1p(most);
            return new Axis(label, ticks, count -> Math.log1p(count) / whole);
        }

        private static String plain(double value) {
            return value == Math.rint(value) ? Long.toString((long) value) : Double.toString(value);
        }
    }

    /** A point of a line. */
    record Point(double x, double y) {}

    private final String id;
    private final String title;
    private final String description;
    private final Axis x;
    private final Axis y;
    private final Markup shapes = new Markup();

    /**
     * @param id unique in the page
     * @param description what the picture shows, in a sentence or two
     */
    Chart(String id, String title, String description, Axis x, Axis y) {
        this.id = id;
        this.title = title;
        this.description = description;
        this.x = x;
        this.y = y;
    }

    /** A line from point to point. */
    Chart line(String style, List<Point> points) {
        if (!points.isEmpty()) {
            shapes.open(
                            "path",
                            "class",
                            "line " + style,
                            "d",
                            "M"
                                    + points.stream()
                                            .map(point -> number(x(point.x)) + " " + number(y(point.y)))
                                            .collect(Collectors.joining("L")))
                    .close("path");
        }
        return this;
    }

    /** A line of steps: each point's height holds from the point before it on. */
    Chart steps(String style, List<Point> points) {
        List<Point> corners = new ArrayList<>();
        for (Point point : points) {
            if (!corners.isEmpty()) {
                corners.add(new Point(corners.getLast().x, point.y));
            }
            corners.add(point);
        }
        return line(style, corners);
    }

    /** A dot; what it stands for is shown where a mouse points at it. */
    Chart dot(String style, Point point, String meaning) {
        shapes.open("circle", "class", "dot " + style, "cx", number(x(point.x)), "cy", number(y(point.y)), "r", "4.5")
                .element("title", meaning)
                .close("circle");
        return this;
    }

    /** A bar from the bottom, between two values of x. */
    Chart bar(double from, double to, double value, String meaning) {
        double top = y(value);
        shapes.open(
                        "rect",
                        "class",
                        "bar",
                        "x",
                        number(x(from) + 0.5),
                        "y",
                        number(top),
                        "width",
                        number(x(to) - x(from) - 1),
                        "height",
                        number(HEIGHT - BOTTOM - top))
                .element("title", meaning)
                .close("rect");
        return this;
    }

    /** A line across, from bottom to top. */
    Chart mark(String style, double value, String meaning) {
        String at = number(x(value));
        shapes.open(
                        "line",
                        "class",
                        "mark " + style,
                        "x1",
                        at,
                        "x2",
                        at,
                        "y1",
                        number(TOP),
                        "y2",
                        number(HEIGHT - BOTTOM))
                .element("title", meaning)
                .close("line");
        return this;
    }

    private double x(double value) {
        return LEFT + x.place.applyAsDouble(value) * (WIDTH - LEFT - RIGHT);
    }

    private double y(double value) {
        return HEIGHT - BOTTOM - y.place.applyAsDouble(value) * (HEIGHT - TOP - BOTTOM);
    }

    private static String number(double value) {
        String text = String.format(Locale.ROOT, "%.1f", value);
        return text.endsWith(".0") ? text.substring(0, text.length() - 2) : text;
    }

    /** The chart, at the end of what was written before. */
    void write(Markup markup) {
        markup.open(
                        "svg",
                        "viewBox",
                        "0 0 " + number(WIDTH) + " " + number(HEIGHT),
                        "role",
                        "img",
                        "aria-labelledby",
                        id + "-title " + id + "-description")
                .element("title", title, "id", id + "-title")
                .element("desc", description, "id", id + "-description");
        for (Axis.Tick tick : x.ticks) {
            String at = number(x(tick.value));
            markup.open("line", "class", "grid", "x1", at, "x2", at, "y1", number(TOP), "y2", number(HEIGHT - BOTTOM))
                    .close("line")
                    .element("text", tick.name, "x", at, "y", number(HEIGHT - BOTTOM + 15), "text-anchor", "middle");
        }
        for (Axis.Tick tick : y.ticks) {
            String at = number(y(tick.value));
            markup.open("line", "class", "grid", "x1", number(LEFT), "x2", number(WIDTH - RIGHT), "y1", at, "y2", at)
                    .close("line")
                    .element(
                            "text",
                            tick.name,
                            "x",
                            number(LEFT - 6),
                            "y",
                            number(y(tick.value) + 4),
                            "text-anchor",
                            "end");
        }
        markup.element(
                        "text",
                        x.label,
                        "class",
                        "axis",
                        "x",
                        number((LEFT + WIDTH - RIGHT) / 2),
                        "y",
                        number(HEIGHT - 8),
                        "text-anchor",
                        "middle")
                .element(
                        "text",
                        y.label,
                        "class",
                        "axis",
                        "transform",
                        "translate(11 " + number((TOP + HEIGHT - BOTTOM) / 2) + ") rotate(-90)",
                        "text-anchor",
                        "middle");
        markup.append(shapes);
        markup.close("svg");
    }
}
