package dev.corral.gateway.coverage;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** What becomes of texts, place by place, for people. Places below one that share a fate are one row. */
final class CoverageTable {

    /** A place and all below it; of kinds that have the same place, each may have a fate of its own. */
    private static final class Node {
        private final Map<String, Node> below = new LinkedHashMap<>();
        private final Set<String> fates = new TreeSet<>();

        Set<String> allFates() {
            return Stream.concat(fates.stream(), below.values().stream().flatMap(node -> node.allFates().stream()))
                    .collect(Collectors.toCollection(TreeSet::new));
        }
    }

    private final Map<Surface, Node> surfaces = new LinkedHashMap<>();
    private final Set<String> unexplained = new LinkedHashSet<>();
    private final Set<Reason> used = new HashSet<>();

    void add(Surface surface, Place place, Treatment treatment) {
        Node node = surfaces.computeIfAbsent(surface, _ -> new Node());
        for (String segment : place.path()) {
            node = node.below.computeIfAbsent(segment, _ -> new Node());
        }
        node.fates.add(fate(surface, place, treatment));
    }

    /** Places where texts pass for no reason. */
    Set<String> unexplained() {
        return unexplained;
    }

    /** Reasons that were given for nothing. */
    List<Reason> idleReasons() {
        return Reasons.ALL.stream().filter(reason -> !used.contains(reason)).toList();
    }

    /** All of it, as Markdown. */
    String written() {
        StringBuilder written = new StringBuilder(Reasons.PREFACE);
        Reasons.ALL.forEach(reason -> written.append("| ")
                .append(reason.name())
                .append(" | ")
                .append(reason.why())
                .append(" |\n"));
        surfaces.forEach((surface, root) -> {
            written.append("\n## ")
                    .append(surface.heading())
                    .append("\n`")
                    .append(surface.path())
                    .append("`, ")
                    .append(surface.places().size())
                    .append(" places\n\n| place | a harmful text |\n|---|---|\n");
            rows(root, List.of(), written);
        });
        return written.toString();
    }

    private String fate(Surface surface, Place place, Treatment treatment) {
        if (!treatment.needsReason()) {
            return treatment.toString();
        }
        Optional<Reason> reason =
                Reasons.ALL.stream().filter(each -> each.isFor(surface, place)).findFirst();
        reason.ifPresentOrElse(
                used::add, () -> unexplained.add(surface.heading() + " | " + place.name() + " | " + treatment));
        return treatment + reason.map(each -> ": " + each.name()).orElse("");
    }

    private static void rows(Node node, List<String> path, StringBuilder written) {
        Set<String> fates = node.allFates();
        if (!path.isEmpty() && (fates.size() == 1 || node.below.isEmpty())) {
            boolean leaf = node.below.isEmpty();
            written.append("| `")
                    .append(Place.name(path))
                    .append(leaf ? "`" : "…`")
                    .append(" | ")
                    .append(String.join("; ", fates))
                    .append(" |\n");
            return;
        }
        if (!node.fates.isEmpty()) {
            written.append("| `")
                    .append(Place.name(path))
                    .append("` | ")
                    .append(String.join("; ", node.fates))
                    .append(" |\n");
        }
        alike(node).forEach((segment, below) -> {
            List<String> longer = new ArrayList<>(path);
            longer.add(segment);
            rows(below, longer, written);
        });
    }

    /** What is below a place; kinds of which the same is to be said are one. */
    private static Map<String, Node> alike(Node node) {
        Map<String, List<String>> names = new LinkedHashMap<>();
        Map<String, Node> nodes = new LinkedHashMap<>();
        node.below.forEach((segment, below) -> {
            StringBuilder rows = new StringBuilder();
            rows(below, List.of(), rows);
            String fate = segment.startsWith("(") ? below.allFates() + "\n" + rows : segment;
            names.computeIfAbsent(fate, _ -> new ArrayList<>()).add(segment);
            nodes.putIfAbsent(fate, below);
        });
        Map<String, Node> alike = new LinkedHashMap<>();
        names.forEach((fate, segments) -> alike.put(
                segments.size() == 1
                        ? segments.getFirst()
                        : segments.stream()
                                .map(segment -> segment.substring(1, segment.length() - 1))
                                .collect(Collectors.joining(", ", "(", ")")),
                Objects.requireNonNull(nodes.get(fate))));
        return alike;
    }
}
