package dev.corral.policies.policy;

import dev.corral.policies.policy.Policy.Source;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.snakeyaml.engine.v2.common.FlowStyle;
import org.snakeyaml.engine.v2.nodes.MappingNode;
import org.snakeyaml.engine.v2.nodes.Node;
import org.snakeyaml.engine.v2.nodes.NodeTuple;
import org.snakeyaml.engine.v2.nodes.ScalarNode;
import org.snakeyaml.engine.v2.nodes.SequenceNode;
import org.snakeyaml.engine.v2.nodes.Tag;

/**
 * Puts a policy's file together with those that it names: {@code extends} and {@code thresholds-from}. What comes out is
 * one tree, whose nodes keep their places in their files.
 */
final class Inheritance {

    /*
     * What a file says itself stands; what it leaves out comes from its base. Mappings are put together key by key. Rules
     * of the file come first, then the base's, so that a special case can be put before the general ones; a rule with
     * 'override: true' takes the place of the base's rule with its id. Hazards and lists are names that rules rely on:
     * they cannot be given another meaning.
     */

    private static final int LONGEST_CHAIN = 8;

    /** What belongs to one file and its name. */
    private static final Set<String> NOT_INHERITED =
            Set.of("$schema", "policy", "version", "description", "extends", "applies-to", "shadow", "tests");

    private static final Set<String> NAMES = Set.of("hazards", "lists");
    private static final String EXTENDS = "extends";
    private static final String THRESHOLDS_FROM = "thresholds-from";
    private static final String THRESHOLDS = "thresholds";
    private static final String RULES = "rules";

    private final Beside beside;
    private final Problems problems;
    private final List<Source> sources = new ArrayList<>();
    private final List<String> chain = new ArrayList<>();

    Inheritance(Beside beside, Problems problems) {
        this.beside = beside;
        this.problems = problems;
    }

    /** The whole of a policy, or the problems and none. */
    Optional<MappingNode> read(Source source) {
        sources.add(source);
        return YamlFile.read(source, PolicyParser.EXAMPLE, problems).map(this::completed);
    }

    /** Every file that was read, the policy's own first. */
    List<Source> sources() {
        return sources;
    }

    /** The text of a file that a policy names; a problem where there is none. */
    Optional<String> file(Node name, String file) {
        if (!file.matches("[A-Za-z0-9_][A-Za-z0-9._-]*")) {
            return problems.report(
                    Problem.FILE_NOT_FOUND,
                    name,
                    "a policy can only name files in its own folder, by letters, digits, dots, hyphens and underscores: "
                            + Problems.quote(file),
                    "Move the file beside the policy.");
        }
        Optional<Source> known =
                sources.stream().filter(source -> source.origin().equals(file)).findFirst();
        if (known.isPresent()) {
            return known.map(Source::text);
        }
        Optional<String> text = beside.text(file);
        if (text.isEmpty()) {
            return problems.report(
                    Problem.FILE_NOT_FOUND,
                    name,
                    "there is no file " + Problems.quote(file) + " beside the policy that can be read as UTF-8",
                    "Check its name, or put it there.");
        }
        sources.add(new Source(file, text.get()));
        return text;
    }

    private MappingNode completed(MappingNode node) {
        MappingNode own = value(node, THRESHOLDS_FROM)
                .flatMap(this::fragment)
                .map(fragment -> merged(node, fragment))
                .orElse(node);
        Optional<Node> extended = value(node, EXTENDS);
        if (extended.isEmpty()) {
            value(own, RULES)
                    .filter(SequenceNode.class::isInstance)
                    .map(SequenceNode.class::cast)
                    .ifPresent(
                            rules -> rules.getValue().stream()
                                    .filter(Inheritance::isOverride)
                                    .forEach(
                                            rule -> problems.report(
                                                    Problem.NOTHING_TO_OVERRIDE,
                                                    rule,
                                                    "this policy extends none, so there is no rule to override",
                                                    "Remove 'override: true', or add 'extends:' with the name of a policy beside this one.")));
        }
        return extended.flatMap(this::base).map(base -> merged(own, base)).orElse(own);
    }

    private Optional<MappingNode> base(Node name) {
        Optional<String> file = word(name).map(word -> word.endsWith(".yaml") ? word : word + ".yaml");
        if (file.isEmpty()) {
            return Optional.empty();
        }
        if (chain.contains(file.get())
                || sources.getFirst().origin().endsWith("/" + file.get())
                || sources.getFirst().origin().equals(file.get())) {
            return problems.report(
                    Problem.CIRCULAR_EXTENDS,
                    name,
                    "a policy must not extend itself: " + String.join(" → ", chain) + (chain.isEmpty() ? "" : " → ")
                            + file.get(),
                    "Remove 'extends' from one of these files.");
        }
        if (chain.size() == LONGEST_CHAIN) {
            return problems.report(
                    Problem.CIRCULAR_EXTENDS,
                    name,
                    "a policy must not have more than " + LONGEST_CHAIN + " bases above each other",
                    "Put some of them together.");
        }
        chain.add(file.get());
        return file(name, file.get())
                .flatMap(text -> YamlFile.read(new Source(file.get(), text), PolicyParser.EXAMPLE, problems))
                .map(this::completed);
    }

    private Optional<MappingNode> fragment(Node name) {
        String example = "A file of thresholds holds nothing but 'thresholds: { default: 0.5, S4: 0.1 }'.";
        return word(name)
                .flatMap(file -> file(name, file).map(text -> new Source(file, text)))
                .flatMap(source -> YamlFile.read(source, example, problems))
                .map(fragment -> {
                    List<NodeTuple> thresholds = new ArrayList<>();
                    for (NodeTuple tuple : fragment.getValue()) {
                        if (THRESHOLDS.equals(key(tuple))) {
                            thresholds.add(tuple);
                        } else {
                            problems.report(
                                    Problem.UNKNOWN_KEY,
                                    tuple.getKeyNode(),
                                    "a file of thresholds has no key " + Problems.quote(key(tuple)),
                                    example);
                        }
                    }
                    return mapping(fragment, thresholds);
                });
    }

    private MappingNode merged(MappingNode own, MappingNode base) {
        Map<String, NodeTuple> inherited = new LinkedHashMap<>();
        for (NodeTuple tuple : base.getValue()) {
            String key = key(tuple);
            if (!NOT_INHERITED.contains(key)) {
                inherited.putIfAbsent(key, tuple);
            }
        }
        List<NodeTuple> tuples = new ArrayList<>();
        for (NodeTuple tuple : own.getValue()) {
            NodeTuple other = inherited.remove(key(tuple));
            tuples.add(other == null ? tuple : merged(key(tuple), tuple, other));
        }
        tuples.addAll(inherited.values());
        return mapping(own, tuples);
    }

    private NodeTuple merged(String key, NodeTuple own, NodeTuple base) {
        Node value = own.getValueNode();
        if (key.equals(RULES)
                && value instanceof SequenceNode rules
                && base.getValueNode() instanceof SequenceNode more) {
            return new NodeTuple(own.getKeyNode(), rules(rules, more));
        }
        if (value instanceof MappingNode mine && base.getValueNode() instanceof MappingNode theirs) {
            if (NAMES.contains(key)) {
                refuseSecondMeanings(key, mine, theirs);
            }
            return new NodeTuple(own.getKeyNode(), merged(mine, theirs));
        }
        return own;
    }

    private void refuseSecondMeanings(String key, MappingNode own, MappingNode base) {
        for (NodeTuple tuple : own.getValue()) {
            String name = key(tuple);
            base.getValue().stream()
                    .filter(other -> key(other).equals(name))
                    .findFirst()
                    .ifPresent(other -> problems.report(
                            Problem.ALREADY_DEFINED,
                            tuple.getKeyNode(),
                            Problems.quote(name) + " is one of the " + key + " in "
                                    + problems.locate(other.getKeyNode()) + " already",
                            "Give it another name: rules of the base mean the other one."));
        }
    }

    private SequenceNode rules(SequenceNode own, SequenceNode base) {
        Map<String, Node> overriding = new LinkedHashMap<>();
        List<Node> rules = new ArrayList<>();
        for (Node rule : own.getValue()) {
            Optional<String> id = id(rule);
            if (isOverride(rule) && id.isPresent()) {
                overriding.put(id.get(), rule);
            } else {
                rules.add(rule);
            }
        }
        for (Node rule : base.getValue()) {
            Node replacement = id(rule).map(overriding::remove).orElse(null);
            rules.add(replacement == null ? rule : replacement);
        }
        overriding.forEach((id, rule) -> problems.report(
                Problem.NOTHING_TO_OVERRIDE,
                rule,
                "no rule of the base has the id " + Problems.quote(id),
                "Correct the id, or remove 'override: true'."));
        return new SequenceNode(own.getTag(), true, rules, FlowStyle.BLOCK, own.getStartMark(), own.getEndMark());
    }

    private static Optional<String> id(Node rule) {
        return rule instanceof MappingNode mapping
                ? value(mapping, "id")
                        .flatMap(id -> id instanceof ScalarNode s ? Optional.of(s.getValue()) : Optional.empty())
                : Optional.empty();
    }

    private static boolean isOverride(Node rule) {
        return rule instanceof MappingNode mapping
                && value(mapping, "override")
                        .filter(value ->
                                value instanceof ScalarNode s && s.getValue().equals("true"))
                        .isPresent();
    }

    private static Optional<Node> value(MappingNode mapping, String key) {
        return mapping.getValue().stream()
                .filter(tuple -> key(tuple).equals(key))
                .map(NodeTuple::getValueNode)
                .findFirst();
    }

    private static String key(NodeTuple tuple) {
        return tuple.getKeyNode() instanceof ScalarNode key ? key.getValue() : "";
    }

    /** Anything else is reported by whoever reads the key. */
    private static Optional<String> word(Node node) {
        return node instanceof ScalarNode scalar && scalar.getTag().equals(Tag.STR)
                ? Optional.of(scalar.getValue())
                : Optional.empty();
    }

    private static MappingNode mapping(MappingNode like, List<NodeTuple> tuples) {
        return new MappingNode(
                like.getTag(), true, tuples, like.getFlowStyle(), like.getStartMark(), like.getEndMark());
    }
}
