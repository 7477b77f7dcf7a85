package dev.corral.policies.policy;

import dev.corral.policies.policy.Policy.Source;
import java.util.Optional;
import org.snakeyaml.engine.v2.api.LoadSettings;
import org.snakeyaml.engine.v2.composer.Composer;
import org.snakeyaml.engine.v2.events.AliasEvent;
import org.snakeyaml.engine.v2.events.CollectionEndEvent;
import org.snakeyaml.engine.v2.events.CollectionStartEvent;
import org.snakeyaml.engine.v2.events.DocumentStartEvent;
import org.snakeyaml.engine.v2.events.Event;
import org.snakeyaml.engine.v2.events.NodeEvent;
import org.snakeyaml.engine.v2.exceptions.MarkedYamlEngineException;
import org.snakeyaml.engine.v2.exceptions.ReaderException;
import org.snakeyaml.engine.v2.exceptions.YamlEngineException;
import org.snakeyaml.engine.v2.nodes.MappingNode;
import org.snakeyaml.engine.v2.nodes.Node;
import org.snakeyaml.engine.v2.parser.Parser;
import org.snakeyaml.engine.v2.parser.ParserImpl;
import org.snakeyaml.engine.v2.scanner.StreamReader;

/** Reads the text of one file as a tree of YAML. */
final class YamlFile {

    /*
     * Hostile files: the text is limited, and the tree is built of checked events. The tree builder recurses, so it is
     * stopped at the event that goes too deep; a file that uses anchors is refused, and its tree, in which an alias is the
     * same node once more, is not looked at. So neither deep nesting nor aliases of aliases cost more than reading the text
     * once.
     */

    static final int LONGEST = 1 << 20;

    private static final int DEEPEST_NESTING = 16;

    private final Source source;
    private final Problems problems;

    private YamlFile(Source source, Problems problems) {
        this.source = source;
        this.problems = problems;
    }

    /**
     * The mapping that the file is, or the problems and none.
     *
     * @param example of such a file, as an advice
     */
    static Optional<MappingNode> read(Source source, String example, Problems problems) {
        return new YamlFile(source, problems).root(example);
    }

    private Optional<MappingNode> root(String example) {
        LoadSettings settings = LoadSettings.builder()
                .setLabel(source.origin())
                .setCodePointLimit(LONGEST)
                .setAllowDuplicateKeys(true)
                .setAllowNonScalarKeys(true)
                .build();
        CheckedEvents events = new CheckedEvents(new ParserImpl(settings, new StreamReader(settings, source.text())));
        try {
            Optional<Node> node = new Composer(settings, events).getSingleNode();
            if (events.hasAnchors) {
                return Optional.empty();
            }
            if (node.filter(MappingNode.class::isInstance).isEmpty()) {
                problems.report(
                        Problem.NOT_A_POLICY,
                        node.map(problems::locate).orElseGet(() -> SourceLocation.wholeOf(source.origin())),
                        node.isEmpty() ? "the file is empty" : "a policy must be a mapping of keys to values",
                        example);
                return Optional.empty();
            }
            return node.map(MappingNode.class::cast);
        } catch (Refused _) {
            return Optional.empty();
        } catch (MarkedYamlEngineException e) {
            problems.report(
                    Problem.SYNTAX,
                    problems.locate(e.getProblemMark().or(e::getContextMark)),
                    "this is not YAML: " + e.getProblem(),
                    "Look at the indentation, the colons, the brackets and the quotes here and in the line above.");
        } catch (ReaderException e) {
            problems.report(
                    Problem.SYNTAX,
                    locate(e.getPosition()),
                    String.format("this is not YAML: the character U+%04X is not allowed", e.getCodePoint()),
                    "Remove it.");
        } catch (YamlEngineException e) {
            problems.report(
                    Problem.SYNTAX,
                    SourceLocation.wholeOf(source.origin()),
                    "this is not YAML: " + e.getMessage(),
                    "A policy is a short text in YAML, at most " + LONGEST + " characters.");
        }
        return Optional.empty();
    }

    /** There is no tree to be built of this file; the problem was reported. */
    private static final class Refused extends RuntimeException {

        private static final long serialVersionUID = 1L;

        Refused() {
            super(null, null, false, false);
        }
    }

    /** Looks at each event before the tree builder gets it. */
    private final class CheckedEvents implements Parser {

        private final Parser events;
        private int depth;
        private int documents;
        private boolean hasAnchors;

        CheckedEvents(Parser events) {
            this.events = events;
        }

        @Override
        public boolean checkEvent(Event.ID kind) {
            return events.checkEvent(kind);
        }

        @Override
        public Event peekEvent() {
            return events.peekEvent();
        }

        @Override
        public boolean hasNext() {
            return events.hasNext();
        }

        @Override
        public Event next() {
            Event event = events.next();
            SourceLocation location = problems.locate(event.getStartMark());
            if (event instanceof NodeEvent node
                    && !(event instanceof AliasEvent)
                    && node.getAnchor().isPresent()) {
                hasAnchors = true;
                problems.report(
                        Problem.ANCHOR,
                        location,
                        "a policy must not use YAML anchors",
                        "Remove it, and write the value out where an alias stands for it, so that a reader sees it there.");
            }
            if (event instanceof DocumentStartEvent && ++documents > 1) {
                problems.report(
                        Problem.NOT_A_POLICY,
                        location,
                        "a file must hold one policy, and here a second one starts",
                        "Move it to its own file, or remove the line '---'.");
                throw new Refused();
            }
            if (event instanceof CollectionStartEvent && ++depth > DEEPEST_NESTING) {
                problems.report(
                        Problem.NESTING,
                        location,
                        "a policy must not nest deeper than " + DEEPEST_NESTING + " levels",
                        "Remove some of the brackets.");
                throw new Refused();
            }
            if (event instanceof CollectionEndEvent) {
                depth--;
            }
            return event;
        }
    }

    private SourceLocation locate(int index) {
        int[] before = source.text().codePoints().limit(index).toArray();
        int line = 1;
        int column = 1;
        for (int codePoint : before) {
            column = codePoint == '\n' ? 1 : column + 1;
            line = codePoint == '\n' ? line + 1 : line;
        }
        return new SourceLocation(source.origin(), line, column);
    }
}
