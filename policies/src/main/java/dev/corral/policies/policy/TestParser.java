package dev.corral.policies.policy;

import dev.corral.policies.assessment.Probability;
import dev.corral.policies.policy.Decision.Outcome;
import dev.corral.policies.policy.Policy.HazardReference;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import org.snakeyaml.engine.v2.nodes.Node;

/** Reads the tests inside a policy. */
final class TestParser {

    static final Fields.Keys TEST = new Fields.Keys(
            List.of(
                    "prompt",
                    "completion",
                    "given",
                    "live",
                    "expect",
                    "by",
                    "redacted",
                    "source",
                    "tool",
                    "route",
                    "tenant",
                    "model",
                    "language"),
            "Write '{ prompt: How do I ...?, given: { S9: 0.93 }, expect: block }'.");
    private static final Fields.Keys GIVEN =
            new Fields.Keys(List.of(), "Write probabilities of hazards, such as '{ S9: 0.93 }'.");

    static final Map<String, Outcome> OUTCOMES = RuleParser.words(
            List.of(Outcome.ALLOW, Outcome.FLAG, Outcome.REDACT, Outcome.RESPOND, Outcome.BLOCK),
            outcome -> outcome.name().toLowerCase(Locale.ROOT));

    private final Problems problems;

    TestParser(Problems problems) {
        this.problems = problems;
    }

    List<PolicyTest> tests(Value value) {
        return value
                .items("test", "Write each test as '- { prompt: ..., given: { S9: 0.93 }, expect: block }'.")
                .orElse(List.of())
                .stream()
                .flatMap(item -> item.fields(TEST).flatMap(fields -> test(item, fields)).stream())
                .toList();
    }

    private Optional<PolicyTest> test(Value item, Fields fields) {
        Optional<Value> prompt = fields.optional("prompt");
        Optional<Value> completion = fields.optional("completion");
        if (prompt.isPresent() == completion.isPresent()) {
            bad(
                    item.node(),
                    "a test must have either a prompt or a completion",
                    "Add 'prompt:' with what a user says.");
        }
        Optional<String> text = prompt.or(() -> completion).flatMap(Value::text);
        boolean live = fields.optional("live").flatMap(Value::flag).orElse(false);
        Optional<Value> given = fields.optional("given");
        if (live && given.isPresent()) {
            bad(
                    given.get().node(),
                    "a test is either live or given its probabilities",
                    "Remove 'given', or remove 'live'.");
        }
        Map<HazardReference, Probability> probabilities = new LinkedHashMap<>();
        given.flatMap(value -> value.fields(GIVEN))
                .ifPresent(codes -> codes.forEach((code, location, value) -> value.probability()
                        .map(Probability::new)
                        .ifPresent(p -> probabilities.put(new HazardReference(code, location), p))));
        if (probabilities.values().stream().mapToDouble(Probability::value).sum() > 1 + 1e-9) {
            bad(
                    given.orElseThrow().node(),
                    "the probabilities of a guard exclude each other, and these add up to more than 1",
                    "Lower them.");
        }
        Optional<Outcome> expect = fields.required("expect", "expect: block").flatMap(value -> value.word(OUTCOMES));
        Direction direction = completion.isPresent() ? Direction.COMPLETION : Direction.PROMPT;
        String tool = text(fields, "tool");
        ContentSource source = fields.optional("source")
                .flatMap(value -> value.word(RuleParser.SOURCES))
                .orElse(
                        !tool.isEmpty()
                                ? ContentSource.TOOL_CALL
                                : direction == Direction.PROMPT ? ContentSource.USER : ContentSource.ASSISTANT);
        if (!tool.isEmpty() && !source.isOfTool()) {
            bad(
                    item.node(),
                    "only a definition, a call or a result is of a tool, and this is from " + source.word(),
                    "Remove 'source', or write one of tool-definition, tool-call, tool-result.");
        }
        Facts facts = new Facts(
                direction,
                text(fields, "route"),
                text(fields, "tenant"),
                text(fields, "model"),
                fields.optional("language").flatMap(Value::text).stream().toList());
        Optional<String> by = fields.optional("by").flatMap(Value::text);
        Optional<String> redacted = fields.optional("redacted").flatMap(Value::text);
        if (text.isEmpty() || expect.isEmpty()) {
            return Optional.empty();
        }
        return Optional.of(new PolicyTest(
                text.get(), facts, source, tool, probabilities, live, expect.get(), by, redacted, item.location()));
    }

    private static String text(Fields fields, String key) {
        return fields.optional(key).flatMap(Value::text).orElse("");
    }

    private void bad(Node node, String message, String advice) {
        problems.report(Problem.BAD_TEST, node, message, advice);
    }
}
