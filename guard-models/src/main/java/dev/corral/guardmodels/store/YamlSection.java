package dev.corral.guardmodels.store;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * One mapping of a YAML document, read key by key. What is missing or of the wrong type is noted and a stand-in
 * returned, so that one reading finds every problem; keys that nobody asked for are problems too.
 */
public final class YamlSection {

    private final String path;
    private final Map<?, ?> values;
    private final List<String> problems;
    private final Set<String> read = new HashSet<>();
    private final List<YamlSection> children = new ArrayList<>();

    private YamlSection(String path, @Nullable Object value, List<String> problems) {
        this.path = path;
        this.problems = problems;
        this.values = value instanceof Map<?, ?> map ? map : Map.of();
    }

    /** The document itself; what it lacks is noted. */
    public static YamlSection root(@Nullable Object document) {
        List<String> problems = new ArrayList<>();
        if (!(document instanceof Map)) {
            problems.add("it must be a mapping of keys to values");
        }
        return new YamlSection("", document, problems);
    }

    /** Notes a problem that the reader found itself. */
    public void problem(String message) {
        problems.add(path.isEmpty() ? message : "in '" + path + "': " + message);
    }

    /** Whether there is such a key. */
    public boolean has(String key) {
        return values.containsKey(key);
    }

    /** A mapping inside of this one. */
    public YamlSection section(String key) {
        YamlSection child = new YamlSection(name(key), value(key, Map.class, Map.of(), "a mapping"), problems);
        children.add(child);
        return child;
    }

    /** The mappings of a list. */
    public List<YamlSection> sections(String key) {
        List<YamlSection> sections = new ArrayList<>();
        for (Object element : list(key, "a list of mappings")) {
            String name = name(key) + "[" + sections.size() + "]";
            if (!(element instanceof Map)) {
                problems.add("'" + name + "' must be a mapping: '" + element + "'");
            }
            sections.add(new YamlSection(name, element, problems));
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

    double number(String key) {
        return value(key, Number.class, 0, "a number").doubleValue();
    }

    /** A whole number of at least {@code least}. */
    public int integer(String key, int least) {
        int number = value(key, Integer.class, least, "a whole number");
        if (number < least) {
            problems.add("'" + name(key) + "' must be at least " + least + ": " + number);
            return least;
        }
        return number;
    }

    List<Integer> integers(String key) {
        List<Integer> integers = new ArrayList<>();
        for (Object element : list(key, "a list of token ids")) {
            if (element instanceof Integer integer && integer >= 0) {
                integers.add(integer);
            } else {
                problems.add("'" + name(key) + "' must hold whole numbers of at least 0: " + element);
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
                problems.add("'" + name(key) + "' must be one of " + String.join(", ", choices.keySet()) + ": '" + word
                        + "'");
            }
            return choices.values().iterator().next();
        }
        return chosen;
    }

    /** All problems of the document; call on the root when everything was read. */
    public List<String> finish() {
        for (Object key : values.keySet()) {
            if (!read.contains(String.valueOf(key))) {
                problems.add("'" + name(String.valueOf(key)) + "' is not a key of this format; remove it");
            }
        }
        children.forEach(YamlSection::finish);
        return problems;
    }

    private List<String> keys() {
        return values.keySet().stream().map(String::valueOf).toList();
    }

    private <T> T value(String key, Class<T> type, T standIn, String expected) {
        read.add(key);
        Object value = values.get(key);
        if (value == null) {
            problems.add("'" + name(key) + "' is missing: it must be " + expected);
            return standIn;
        }
        if (!type.isInstance(value)) {
            problems.add("'" + name(key) + "' must be " + expected + ": '" + value + "'");
            return standIn;
        }
        return type.cast(value);
    }

    private String name(String key) {
        return path.isEmpty() ? key : path + "." + key;
    }
}
