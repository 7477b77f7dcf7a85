package dev.corral.policies.policy;

import dev.corral.policies.assessment.Probability;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import org.snakeyaml.engine.v2.common.ScalarStyle;
import org.snakeyaml.engine.v2.exceptions.Mark;
import org.snakeyaml.engine.v2.nodes.MappingNode;
import org.snakeyaml.engine.v2.nodes.Node;
import org.snakeyaml.engine.v2.nodes.ScalarNode;
import org.snakeyaml.engine.v2.nodes.SequenceNode;
import org.snakeyaml.engine.v2.nodes.Tag;

/**
 * A value of the file with its name for messages. Each reading is the value as that type, or empty after the problem was
 * reported.
 */
record Value(String name, Node node, Problems problems) {

    private static final Pattern NAME = Pattern.compile("[A-Za-z0-9][A-Za-z0-9._-]*");
    private static final Pattern DURATION = Pattern.compile("([0-9]{1,9})(ms|s|m)");
    private static final Pattern LENGTH = Pattern.compile("([0-9]{1,9}) (character|token)s?");
    private static final List<Tag> NUMBERS = List.of(Tag.INT, Tag.FLOAT);
    private static final Duration LONGEST = Duration.ofMinutes(10);
    private static final int WIDEST = 100_000;

    SourceLocation location() {
        return problems.locate(node);
    }

    /** Not blank. */
    Optional<String> text() {
        Optional<String> text =
                scalar("text", "Write a text; put it in quotes where it looks like something else.", Tag.STR);
        if (text.filter(String::isBlank).isPresent()) {
            return problems.report(Problem.BAD_TEXT, node, name + " must not be blank", "Write it, or leave it out.");
        }
        return text;
    }

    /** Text that is safe in a header, a metric and a file name. */
    Optional<String> identifier() {
        Optional<String> text = text();
        if (text.filter(t -> !NAME.matcher(t).matches()).isPresent()) {
            return problems.report(
                    Problem.BAD_TEXT,
                    node,
                    name + " must be letters, digits, dots, hyphens and underscores, the first a letter or digit: "
                            + quoted(),
                    "Use a short name such as 'customer-support'.");
        }
        return text;
    }

    /** A text, or a list of them; none of them blank. */
    Optional<List<String>> texts(String itemName) {
        if (!isList()) {
            return text().map(List::of);
        }
        return items(itemName, "Write a text, or a list such as [a, b].")
                .map(items ->
                        items.stream().flatMap(item -> item.text().stream()).toList());
    }

    /** {@code true} or {@code false}. */
    Optional<Boolean> flag() {
        return scalar("true or false", "Write true or false.", Tag.BOOL).map(Boolean::parseBoolean);
    }

    /** 0 to 1. */
    Optional<Double> probability() {
        String advice = "Write a number from 0 to 1, such as 0.7.";
        return scalar("a number from 0 to 1", advice, Tag.FLOAT, Tag.INT).flatMap(text -> {
            try {
                double number = Double.parseDouble(text);
                if (number >= 0 && number <= 1) {
                    return Optional.of(number + 0.0);
                }
            } catch (NumberFormatException e) {
                // .nan, .inf, or in an octal or hexadecimal form: reported below
            }
            return problems.report(Problem.OUT_OF_RANGE, node, name + " must be between 0 and 1: " + text, advice);
        });
    }

    /** From 1. */
    Optional<Integer> ordinal() {
        String advice = "Write a whole number such as 1.";
        return scalar("a whole number", advice, Tag.INT).flatMap(text -> {
            try {
                int number = Integer.parseInt(text);
                if (number >= 1) {
                    return Optional.of(number);
                }
            } catch (NumberFormatException e) {
                // too large, or in an octal or hexadecimal form: reported below
            }
            return problems.report(
                    Problem.OUT_OF_RANGE,
                    node,
                    name + " must be between 1 and " + Integer.MAX_VALUE + ": " + text,
                    advice);
        });
    }

    /** Above 0, up to 1. */
    Optional<Probability> threshold() {
        String advice = "Write a number such as 0.5: at or above it, the hazard counts as present.";
        return scalar("a number above 0, up to 1", advice, Tag.FLOAT, Tag.INT).flatMap(text -> {
            try {
                double number = Double.parseDouble(text);
                if (number > 0 && number <= 1) {
                    return Optional.of(new Probability(number));
                }
            } catch (NumberFormatException e) {
                // .nan, .inf, or in an octal or hexadecimal form: reported below
            }
            return problems.report(
                    Problem.OUT_OF_RANGE, node, name + " must be above 0 and at most 1: " + text, advice);
        });
    }

    /** Above 0, up to ten minutes. */
    Optional<Duration> duration() {
        String advice = "Write a number and its unit, ms, s or m, such as 10s; at most 10m.";
        return scalar("a duration", advice, Tag.STR, Tag.INT, Tag.FLOAT).flatMap(text -> {
            Matcher matcher = DURATION.matcher(text);
            if (!matcher.matches()) {
                String rule = text.matches("[0-9.]+") ? " must have a unit: " : " must be a duration: ";
                return problems.report(Problem.BAD_DURATION, node, name + rule + quoted(), advice);
            }
            long amount = Long.parseLong(matcher.group(1));
            Duration duration = switch (matcher.group(2)) {
                case "ms" -> Duration.ofMillis(amount);
                case "s" -> Duration.ofSeconds(amount);
                default -> Duration.ofMinutes(amount);
            };
            if (duration.isZero() || duration.compareTo(LONGEST) > 0) {
                return problems.report(
                        Problem.BAD_DURATION, node, name + " must be above 0 and at most 10m: " + text, advice);
            }
            return Optional.of(duration);
        });
    }

    /** A number of characters, from 1; or of tokens, each of which counts as some characters. */
    Optional<Integer> characters() {
        String advice = "Write a number and its unit, such as '200 characters' or '50 tokens'.";
        return scalar("a length", advice, Tag.STR, Tag.INT, Tag.FLOAT).flatMap(text -> {
            Matcher matcher = LENGTH.matcher(text);
            if (!matcher.matches()) {
                String rule =
                        text.matches("[0-9.]+") ? " must have a unit: " : " must be a number of characters or tokens: ";
                return problems.report(Problem.BAD_LENGTH, node, name + rule + quoted(), advice);
            }
            long length = Long.parseLong(matcher.group(1))
                    * (matcher.group(2).equals("token") ? StreamingWindows.CHARACTERS_PER_TOKEN : 1);
            if (length < 1 || length > WIDEST) {
                return problems.report(
                        Problem.BAD_LENGTH,
                        node,
                        name + " must be between 1 and " + WIDEST + " characters: " + text,
                        advice);
            }
            return Optional.of((int) length);
        });
    }

    /** One of these words. */
    <T> Optional<T> word(Map<String, T> words) {
        String choice = (words.size() == 1 ? "" : "one of ") + String.join(", ", words.keySet());
        return scalar(choice, "Write " + choice + ".", Tag.STR).flatMap(text -> {
            T meaning = words.get(text);
            if (meaning != null) {
                return Optional.of(meaning);
            }
            return problems.report(
                    Problem.UNKNOWN_WORD,
                    node,
                    name + " must be " + choice + ": " + quoted(),
                    Spelling.nearest(text, words.keySet())
                            .map(word -> "Did you mean '" + word + "'?")
                            .orElse("Write " + choice + "."));
        });
    }

    Optional<Fields> fields(Fields.Keys keys) {
        if (node instanceof MappingNode mapping && mapping.getTag().equals(Tag.MAP)) {
            return Optional.of(new Fields(name, mapping, keys, problems));
        }
        return wrongType("a mapping of keys to values", keys.example());
    }

    /** At least one, or the problem and none. */
    Optional<List<Value>> items(String itemName, String advice) {
        if (node instanceof SequenceNode sequence && sequence.getTag().equals(Tag.SEQ)) {
            List<Node> nodes = sequence.getValue();
            if (nodes.isEmpty()) {
                return problems.report(Problem.WRONG_TYPE, node, name + " must not be an empty list", advice);
            }
            return Optional.of(IntStream.range(0, nodes.size())
                    .mapToObj(i -> new Value(itemName + " " + (i + 1), nodes.get(i), problems))
                    .toList());
        }
        return wrongType("a list", advice);
    }

    boolean isMapping() {
        return node instanceof MappingNode;
    }

    /** Whether the value is a text; in quotes, where it looks like something else. */
    boolean isText() {
        return node instanceof ScalarNode scalar && scalar.getTag().equals(Tag.STR);
    }

    /** Where the characters of a text begin, behind its quote. */
    SourceLocation textLocation() {
        SourceLocation start = location();
        boolean quoted = node instanceof ScalarNode scalar
                && (scalar.getScalarStyle() == ScalarStyle.DOUBLE_QUOTED
                        || scalar.getScalarStyle() == ScalarStyle.SINGLE_QUOTED);
        return quoted ? new SourceLocation(start.origin(), start.line(), start.column() + 1) : start;
    }

    /** Whether a text stands on one line of the file, so that its characters have their places there. */
    boolean isOnOneLine() {
        return node.getStartMark().map(Mark::getLine).equals(node.getEndMark().map(Mark::getLine));
    }

    boolean isList() {
        return node instanceof SequenceNode;
    }

    Optional<String> scalar(String type, String advice, Tag... tags) {
        if (node instanceof ScalarNode scalar && List.of(tags).contains(scalar.getTag())) {
            return Optional.of(scalar.getValue());
        }
        return wrongType(type, advice);
    }

    private <T> Optional<T> wrongType(String type, String advice) {
        return problems.report(Problem.WRONG_TYPE, node, name + " must be " + type + ", not " + actual(), advice);
    }

    private String actual() {
        return switch (node) {
            case MappingNode mapping -> "a mapping";
            case SequenceNode sequence -> "a list";
            case ScalarNode scalar when scalar.getTag().equals(Tag.NULL) -> "nothing";
            case ScalarNode scalar when scalar.getTag().equals(Tag.STR) -> "the text " + quoted();
            case ScalarNode scalar when scalar.getTag().equals(Tag.BOOL) -> scalar.getValue();
            case ScalarNode scalar when NUMBERS.contains(scalar.getTag()) -> "the number " + scalar.getValue();
            default -> "something with the tag " + node.getTag();
        };
    }

    private String quoted() {
        return Problems.quote(node instanceof ScalarNode scalar ? scalar.getValue() : "");
    }
}
