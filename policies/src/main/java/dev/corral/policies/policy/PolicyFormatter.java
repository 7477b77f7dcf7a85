package dev.corral.policies.policy;

import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import org.snakeyaml.engine.v2.api.Dump;
import org.snakeyaml.engine.v2.api.DumpSettings;
import org.snakeyaml.engine.v2.api.LoadSettings;
import org.snakeyaml.engine.v2.api.StreamDataWriter;
import org.snakeyaml.engine.v2.api.lowlevel.Compose;
import org.snakeyaml.engine.v2.nodes.MappingNode;
import org.snakeyaml.engine.v2.nodes.Node;
import org.snakeyaml.engine.v2.nodes.NodeTuple;
import org.snakeyaml.engine.v2.nodes.ScalarNode;
import org.snakeyaml.engine.v2.nodes.SequenceNode;

/** Gives policy files one look: two spaces, lines of at most 120 characters, one kind of line ends. Keeps comments. */
public final class PolicyFormatter {

    private PolicyFormatter() {}

    /**
     * The text in its usual look; the same tree of values, and the same comments.
     *
     * @param text of a policy without errors of YAML
     */
    public static String format(String text) {
        Optional<Node> tree = tree(text, true);
        if (tree.isEmpty()) {
            return text;
        }
        DumpSettings settings = DumpSettings.builder()
                .setDumpComments(true)
                .setIndent(2)
                .setIndicatorIndent(2)
                .setIndentWithIndicator(true)
                .setWidth(120)
                .setBestLineBreak("\n")
                .setSplitLines(false)
                .build();
        StringBuilder formatted = new StringBuilder();
        new Dump(settings).dumpNode(tree.get(), new StreamDataWriter() {
            @Override
            public void write(String piece) {
                formatted.append(piece);
            }

            @Override
            public void write(String piece, int offset, int length) {
                formatted.append(piece, offset, offset + length);
            }
        });
        String result =
                formatted.toString().lines().map(String::stripTrailing).collect(Collectors.joining("\n", "", "\n"));
        if (!isSame(tree(text, false), tree(result, false))) {
            throw new IllegalStateException("formatting would change what the file says; it was left as it is");
        }
        return result;
    }

    private static Optional<Node> tree(String text, boolean comments) {
        return new Compose(LoadSettings.builder()
                        .setParseComments(comments)
                        .setAllowDuplicateKeys(true)
                        .setAllowNonScalarKeys(true)
                        .setCodePointLimit(YamlFile.LONGEST)
                        .build())
                .composeString(text);
    }

    private static boolean isSame(Optional<Node> a, Optional<Node> b) {
        return a.isPresent() && b.isPresent() && isSame(a.get(), b.get());
    }

    private static boolean isSame(Node a, Node b) {
        if (!a.getTag().equals(b.getTag())) {
            return false;
        }
        return switch (a) {
            case ScalarNode scalar ->
                b instanceof ScalarNode other && scalar.getValue().equals(other.getValue());
            case SequenceNode sequence ->
                b instanceof SequenceNode other && isSame(sequence.getValue(), other.getValue());
            case MappingNode mapping ->
                b instanceof MappingNode other
                        && isSame(
                                mapping.getValue().stream()
                                        .map(NodeTuple::getKeyNode)
                                        .toList(),
                                other.getValue().stream()
                                        .map(NodeTuple::getKeyNode)
                                        .toList())
                        && isSame(
                                mapping.getValue().stream()
                                        .map(NodeTuple::getValueNode)
                                        .toList(),
                                other.getValue().stream()
                                        .map(NodeTuple::getValueNode)
                                        .toList());
            default -> false;
        };
    }

    private static boolean isSame(List<Node> a, List<Node> b) {
        if (a.size() != b.size()) {
            return false;
        }
        for (int i = 0; i < a.size(); i++) {
            if (!isSame(a.get(i), b.get(i))) {
                return false;
            }
        }
        return true;
    }
}
