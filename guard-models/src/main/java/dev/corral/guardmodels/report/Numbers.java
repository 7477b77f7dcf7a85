package dev.corral.guardmodels.report;

import dev.corral.guardmodels.measurement.Estimate;
import java.util.Locale;
import java.util.OptionalDouble;
import org.jspecify.annotations.Nullable;

/** How figures are written for people. */
final class Numbers {

    /** Stands where the rows do not define a figure. */
    static final String UNDEFINED = "–";

    private Numbers() {}

    static String four(double value) {
        return String.format(Locale.ROOT, "%.4f", value);
    }

    static String three(OptionalDouble value) {
        return value.isPresent() ? String.format(Locale.ROOT, "%.3f", value.getAsDouble()) : UNDEFINED;
    }

    /** With its sign, unless it is rounded to nothing. */
    static String signed(double value) {
        String text = String.format(Locale.ROOT, "%+.4f", value);
        return text.endsWith("0.0000") ? "0.0000" : text;
    }

    static String percent(double share) {
        return String.format(Locale.ROOT, "%.2f %%", 100 * share);
    }

    static String milliseconds(double value) {
        return String.format(Locale.ROOT, value < 10 ? "%.2f" : "%.1f", value);
    }

    /** A threshold with two digits, or more where it has more. */
    static String threshold(double value) {
        String two = String.format(Locale.ROOT, "%.2f", value);
        return Double.parseDouble(two) == value ? two : Double.toString(value);
    }

    static String value(@Nullable Estimate estimate) {
        return estimate == null ? UNDEFINED : four(estimate.value());
    }

    static String difference(@Nullable Estimate estimate) {
        return estimate == null ? UNDEFINED : signed(estimate.value());
    }

    static String interval(@Nullable Estimate estimate) {
        return estimate == null
                ? UNDEFINED
                : String.format(Locale.ROOT, "%.3f to %.3f", estimate.low(), estimate.high());
    }

    static String differenceInterval(@Nullable Estimate estimate) {
        return estimate == null ? UNDEFINED : signed(estimate.low()) + " to " + signed(estimate.high());
    }

    /** Control characters, line ends included, would let a text write over the terminal. */
    static String printable(String text) {
        return text.codePoints()
                .map(c -> switch (Character.getType(c)) {
                    case Character.CONTROL,
                            Character.FORMAT,
                            Character.LINE_SEPARATOR,
                            Character.PARAGRAPH_SEPARATOR,
                            Character.SURROGATE -> ' ';
                    default -> c;
                })
                .collect(StringBuilder::new, StringBuilder::appendCodePoint, StringBuilder::append)
                .toString();
    }

    /** The beginning of a text, printable and in one line. */
    static String excerpt(String text, int longest) {
        String line = printable(text).strip();
        int length = line.codePointCount(0, line.length());
        return length <= longest ? line : line.substring(0, line.offsetByCodePoints(0, longest - 1)) + "…";
    }
}
