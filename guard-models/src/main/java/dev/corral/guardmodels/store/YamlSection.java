package dev.corral.guardmodels.store;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.snakeyaml.engine.v2.api.Load;
import org.snakeyaml.engine.v2.api.LoadSettings;
import org.snakeyaml.engine.v2.api.lowlevel.Compose;
import org.snakeyaml.engine.v2.exceptions.Mark;
import org.snakeyaml.engine.v2.exceptions.YamlEngineException;
import org.snakeyaml.engine.v2.nodes.MappingNode;
import org.snakeyaml.engine.v2.nodes.Node;
import org.snakeyaml.engine.v2.nodes.NodeTuple;
import org.snakeyaml.engine.v2.nodes.ScalarNode;
import org.snakeyaml.engine.v2.nodes.SequenceNode;

/**
 * One mapping of a YAML document, read key by key. What is missing or of the wrong type is noted with its line and a
 * stand-in returned, so that one reading finds every problem; keys that nobody asked for are problems too.
 */
public final class YamlSection {

    private final String path;
    private final Map<?, ?> values;
    private final Map<String, Integer> lines;
    private final List<String> problems;
    private final Set<String> read = new HashSet<>();
    private final List<YamlSection> children = new ArrayList<>();

    private YamlSection(String path, @Nullable Object value, Map<String, Integer> lines, List<String> problems) {
        this.path = path;
        this.problems = problems;
        this.lines = lines;
        this.values = value instanceof Map<?, ?> map ? map : Map.of();
    }

    /**
     * The whole document.
     *
     * @throws UnusableGuardException if it is not YAML
     */
    public static YamlSection parse(String yaml, String origin) {
        LoadSettings settings = LoadSettings.builder().setLabel(origin).build();
        Map<String, Integer> lines = new HashMap<>();
        Object document;
        try {
            document = new Load(settings).loadFromString(yaml);
            new Compose(settings).composeString(yaml).ifPresent(root -> note("", root, lines));
        } catch (YamlEngineException e) {
            throw new UnusableGuardException(origin + " is not valid YAML: " + e.getMessage(), e);
        }
        List<String> problems = new ArrayList<>();
        if (!(document instanceof Map)) {
            problems.add("it must be a mapping of keys to values");
        }
        return new YamlSection("", document, lines, problems);
    }

    private static void note(String path, Node node, Map<String, Integer> lines) {
        switch (node) {
            case MappingNode mapping -> {
                for (NodeTuple tuple : mapping.getValue()) {
                    String key = tuple.getKeyNode() instanceof ScalarNode scalar ? scalar.getValue() : "";
                    String child = child(path, key);
                    line(tuple.getKeyNode()).ifPresent(line -> lines.put(child, line));
                    note(child, tuple.getValueNode(), lines);
                }
            }
            case SequenceNode sequence -> {
                for (int i = 0; i < sequence.getValue().size(); i++) {
                    Node element = sequence.getValue().get(i);
                    String child = path + "[" + i + "]";
                    line(element).ifPresent(line -> lines.put(child, line));
                    note(child, element, lines);
                }
            }
            default -> {}
        }
    }

    private static Optional<Integer> line(Node node) {
        return node.getStartMark().map(Mark::getLine).map(line -> line + 1);
    }

    private static String child(String path, String key) {
        return path.isEmpty() ? key : path + "." + key;
    }

    /** Notes a problem that the reader found itself. */
    public void problem(String message) {
        problemAt(path, path.isEmpty() ? message : "in '" + path + "': " + message);
    }

    /** Notes a problem of the value of a key, which the message names. */
    void problem(String key, String message) {
        problemAt(name(key), message);
    }

    private void problemAt(String place, String message) {
        Integer line = lines.getOrDefault(place, lines.get(path));
        problems.add(line == null ? message : "line " + line + ": " + message);
    }

    /** Where this section begins; 0 where nobody knows. */
    int line() {
        return lines.getOrDefault(path, 0);
    }

    /** Whether there is such a key. */
    public boolean has(String key) {
        return values.containsKey(key);
    }

    /** A mapping inside of this one. */
    public YamlSection section(String key) {
        YamlSection child = new YamlSection(name(key), value(key, Map.class, Map.of(), "a mapping"), lines, problems);
        children.add(child);
        return child;
    }

    Optional<YamlSection> optionalSection(String key) {
        return has(key) ? Optional.of(section(key)) : Optional.empty();
    }

    /** A list of mappings, at least one. */
    public List<YamlSection> sections(String key) {
        List<YamlSection> sections = new ArrayList<>();
        List<?> list = list(key, "a list of mappings");
        for (int i = 0; i < list.size(); i++) {
            String place = name(key) + "[" + i + "]";
            if (!(list.get(i) instanceof Map)) {
                problemAt(place, "'" + place + "' must be a mapping: '" + list.get(i) + "'");
            }
            sections.add(new YamlSection(place, list.get(i), lines, problems));
        }
        if (list.isEmpty() && values.get(key) instanceof List) {
            problem(key, "'" + name(key) + "' must have at least one element");
        }
        children.addAll(sections);
        return sections;
    }

    /** A list of anything. */
    public List<?> list(String key, String expected) {
        return value(key, List.class, List.of(), expected);
    }

    /** Any text. */
    public String text(String key) {
        return value(key, String.class, "", "text");
    }

    /** Text that must not be blank. */
    String filled(String key) {
        String text = text(key);
        if (text.isBlank() && values.get(key) instanceof String) {
            problem(key, "'" + name(key) + "' must not be blank");
        }
        return text.isBlank() ? "" : text;
    }

    Optional<String> optionalText(String key) {
        return has(key) ? Optional.of(text(key)) : Optional.empty();
    }

    double number(String key) {
        return value(key, Number.class, 0, "a number").doubleValue();
    }

    /** A whole number of at least {@code least}. */
    public int integer(String key, int least) {
        int number = value(key, Integer.class, least, "a whole number");
        if (number < least) {
            problem(key, "'" + name(key) + "' must be at least " + least + ": " + number);
            return least;
        }
        return number;
    }

    List<Integer> integers(String key) {
        List<Integer> integers = new ArrayList<>();
        for (Object element : value(key, List.class, List.of(), "a list of token ids")) {
            if (element instanceof Integer integer && integer >= 0) {
                integers.add(integer);
            } else {
                problem(key, "'" + name(key) + "' must hold whole numbers of at least 0: " + element);
            }
        }
        return integers;
    }

    Map<String, Integer> integersByKey(String key) {
        YamlSection section = section(key);
        Map<String, Integer> integers = new LinkedHashMap<>();
        section.keys().forEach(name -> integers.put(name, section.integer(name, 0)));
        return integers;
    }

    Map<String, List<Integer>> integerListsByKey(String key) {
        YamlSection section = section(key);
        Map<String, List<Integer>> lists = new LinkedHashMap<>();
        section.keys().forEach(name -> lists.put(name, section.integers(name)));
        return lists;
    }

    Map<String, String> texts(String key) {
        YamlSection section = section(key);
        Map<String, String> texts = new LinkedHashMap<>();
        section.keys().forEach(name -> texts.put(name, section.text(name)));
        return texts;
    }

    /** One of some words; the first of them stands in for a wrong one. */
    public <T> T choice(String key, Map<String, T> choices) {
        String word = text(key);
        T chosen = choices.get(word);
        if (chosen == null) {
            if (!word.isEmpty()) {
                problem(
                        key,
                        "'" + name(key) + "' must be one of " + String.join(", ", choices.keySet()) + ": '" + word
                                + "'");
            }
            return choices.values().iterator().next();
        }
        return chosen;
    }

    /**
     * Says what is wrong with the document; call on the root when everything was read.
     *
     * @throws UnusableGuardException with all problems at once, if there are any
     */
    public void finish(String origin) {
        unknownKeys();
        if (!problems.isEmpty()) {
            throw new UnusableGuardException(problems.stream()
                    .map(problem -> "\n  - " + problem)
                    .collect(Collectors.joining("", origin + " cannot be used:", "")));
        }
    }

    private void unknownKeys() {
        for (Object key : values.keySet()) {
            String word = String.valueOf(key);
            if (!read.contains(word)) {
                problem(word, "'" + name(word) + "' is not a key of this format; remove it");
            }
        }
        children.forEach(YamlSection::unknownKeys);
    }

    private List<String> keys() {
        return values.keySet().stream().map(String::valueOf).toList();
    }

    private <T> T value(String key, Class<T> type, T standIn, String expected) {
        read.add(key);
        Object value = values.get(key);
        if (value == null) {
            problem(key, "'" + name(key) + "' is missing: it must be " + expected);
            return standIn;
        }
        if (!type.isInstance(value)) {
            problem(key, "'" + name(key) + "' must be " + expected + ": '" + value + "'");
            return standIn;
        }
        return type.cast(value);
    }

    private String name(String key) {
        return child(path, key);
    }
}
