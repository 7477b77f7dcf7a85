package dev.corral.policies.policy;

import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import org.snakeyaml.engine.v2.nodes.MappingNode;
import org.snakeyaml.engine.v2.nodes.NodeTuple;
import org.snakeyaml.engine.v2.nodes.ScalarNode;
import org.snakeyaml.engine.v2.nodes.Tag;

/** A mapping of the file. Keys that are unknown or there twice are reported at once; the first of a double one counts. */
final class Fields {

    private final String name;
    private final MappingNode mapping;
    private final Problems problems;
    private final Map<String, Value> values = new LinkedHashMap<>();
    private final Map<String, SourceLocation> keyLocations = new HashMap<>();
    private final Set<String> misspelt = new HashSet<>();

    /**
     * What a mapping may hold.
     *
     * @param known keys; empty where any key may be there
     * @param example of such a mapping, as an advice
     */
    record Keys(List<String> known, String example) {}

    Fields(String name, MappingNode mapping, Keys keys, Problems problems) {
        this.name = name;
        this.mapping = mapping;
        this.problems = problems;
        for (NodeTuple tuple : mapping.getValue()) {
            add(tuple, keys);
        }
    }

    private void add(NodeTuple tuple, Keys keys) {
        if (!(tuple.getKeyNode() instanceof ScalarNode key && key.getTag().equals(Tag.STR))) {
            problems.report(
                    Problem.WRONG_TYPE, tuple.getKeyNode(), "a key of " + name + " must be a word", keys.example());
            return;
        }
        String word = key.getValue();
        if (!keys.known().isEmpty() && !keys.known().contains(word)) {
            Optional<String> meant = Spelling.nearest(word, keys.known());
            meant.ifPresent(misspelt::add);
            problems.report(
                    Problem.UNKNOWN_KEY,
                    key,
                    name + " has no key " + Problems.quote(word),
                    meant.map(known -> "Did you mean '" + known + "'?")
                            .orElse("Remove it, or use one of " + String.join(", ", keys.known()) + "."));
            return;
        }
        SourceLocation earlier = keyLocations.putIfAbsent(word, problems.locate(key));
        if (earlier != null) {
            problems.report(
                    Problem.DUPLICATE_KEY,
                    key,
                    "the key " + Problems.quote(word) + " is there twice, first in line " + earlier.line(),
                    "Keep one of them.");
            return;
        }
        values.put(word, new Value(word, tuple.getValueNode(), problems));
    }

    Optional<Value> optional(String key) {
        return Optional.ofNullable(values.get(key));
    }

    /**
     * The value, or the problem that there is none, unless it seems to be there in another spelling.
     *
     * @param example of key and value
     */
    Optional<Value> required(String key, String example) {
        Optional<Value> value = optional(key);
        if (value.isEmpty() && !misspelt.contains(key)) {
            problems.report(
                    Problem.MISSING_KEY,
                    mapping,
                    "the key '" + key + "' of " + name + " is missing",
                    "Add it, such as '" + example + "'.");
        }
        return value;
    }

    /** Every value by its key, each with the place of the key. */
    void forEach(EntryReader reader) {
        values.forEach((key, value) -> reader.read(key, Objects.requireNonNull(keyLocations.get(key)), value));
    }

    interface EntryReader {
        void read(String key, SourceLocation location, Value value);
    }
}
