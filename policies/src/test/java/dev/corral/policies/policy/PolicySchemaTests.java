package dev.corral.policies.policy;

import static org.assertj.core.api.Assertions.assertThat;

import com.networknt.schema.InputFormat;
import com.networknt.schema.Schema;
import com.networknt.schema.SchemaRegistry;
import com.networknt.schema.SpecificationVersion;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import tools.jackson.databind.JsonNode;

/** The schema says of every case what the parser says, as far as a schema can. */
class PolicySchemaTests {

    private static final Path CASES = Path.of("src/test/resources/policies");

    /** Mistakes of form: keys, types, words, numbers. */
    private static final Set<Problem> OF_FORM = Set.of(
            Problem.UNKNOWN_KEY,
            Problem.MISSING_KEY,
            Problem.WRONG_TYPE,
            Problem.OUT_OF_RANGE,
            Problem.BAD_LENGTH,
            Problem.UNKNOWN_WORD,
            Problem.MESSAGE_MISSING,
            Problem.MESSAGE_IGNORED,
            Problem.REPEATED_HAZARD,
            Problem.BAD_HAZARD);

    /** Mistakes for which there is no tree to look at. */
    private static final Set<Problem> OF_YAML =
            Set.of(Problem.SYNTAX, Problem.NOT_A_POLICY, Problem.ANCHOR, Problem.NESTING, Problem.DUPLICATE_KEY);

    private static final Set<Problem> OF_MEANING = Set.of(
            Problem.HAZARD_NOT_SEEN,
            Problem.DUPLICATE_RULE,
            Problem.UNREACHABLE_RULE,
            Problem.FILE_NOT_FOUND,
            Problem.CIRCULAR_EXTENDS,
            Problem.NOTHING_TO_OVERRIDE,
            Problem.ALREADY_DEFINED,
            Problem.UNKNOWN_LIST,
            Problem.BAD_EXPRESSION,
            Problem.UNKNOWN_VARIABLE,
            Problem.EXPRESSION_TYPE,
            Problem.EXPRESSION_COST,
            Problem.CANNOT_REDACT,
            Problem.EMPTY_RANGE,
            Problem.OPTIMISTIC_REDACTION,
            Problem.UNKNOWN_RULE,
            Problem.UNKNOWN_GUARD);

    private static final Schema SCHEMA = SchemaRegistry.withDefaultDialect(SpecificationVersion.DRAFT_2020_12)
            .getSchema(Policies.schema(), InputFormat.JSON);

    @TestFactory
    Stream<DynamicTest> validateWhenFileHasMistakesOfFormFindsSome() throws IOException {
        // Jackson's YAML reader, which the validator uses, cannot read a key that is a list
        return cases().stream()
                .filter(folder -> !folder.endsWith("wrong-types"))
                .map(folder -> DynamicTest.dynamicTest(folder.getFileName().toString(), () -> {
                    Set<String> codes = codes(folder);
                    if (isAny(codes, OF_YAML)) {
                        return;
                    }
                    String policy = Files.readString(folder.resolve("policy.yaml"));
                    List<?> errors = SCHEMA.validate(policy, InputFormat.YAML);
                    if (isAny(codes, OF_FORM)) {
                        assertThat(errors).isNotEmpty();
                    } else if (codes.isEmpty() || codes.stream().allMatch(code -> isAny(Set.of(code), OF_MEANING))) {
                        assertThat(errors).isEmpty();
                    }
                }));
    }

    @Test
    void schemaWhenComparedWithTheParserKnowsTheSameKeysAndWords() {
        JsonNode root = SCHEMA.getSchemaNode();
        JsonNode rule = root.at("/properties/rules/items");

        assertThat(keys(root)).containsExactlyInAnyOrderElementsOf(PolicyParser.POLICY.known());
        assertThat(keys(rule)).containsExactlyInAnyOrderElementsOf(RuleParser.RULE.known());
        assertThat(keys(rule.at("/properties/when/anyOf/1")))
                .containsExactlyInAnyOrderElementsOf(RuleParser.WHEN.known());
        assertThat(keys(root.at("/properties/hazards/additionalProperties")))
                .containsExactlyInAnyOrderElementsOf(HazardParser.HAZARD.known());
        assertThat(keys(root.at("/properties/tests/items")))
                .containsExactlyInAnyOrderElementsOf(TestParser.TEST.known());
        assertThat(keys(root.at("/properties/guards")))
                .containsExactlyInAnyOrderElementsOf(PolicyParser.GUARDS.known());
        for (String guard : PolicyParser.GUARDS.known()) {
            assertThat(keys(root.at("/properties/guards/properties/" + guard)))
                    .containsExactlyInAnyOrderElementsOf(PolicyParser.GUARD.known());
        }
        assertThat(words(rule.at("/properties/then"))).isEqualTo(RuleParser.ACTIONS.keySet());
        assertThat(words(rule.at("/properties/audit"))).isEqualTo(RuleParser.AUDIT.keySet());
    }

    @Test
    void validateWhenPolicyIsTheShippedOneFindsNothing() {
        assertThat(SCHEMA.validate(Policies.defaultText(), InputFormat.YAML)).isEmpty();
    }

    private static Set<String> keys(JsonNode object) {
        return new TreeSet<>(object.path("properties").propertyNames());
    }

    private static Set<String> words(JsonNode value) {
        Set<String> words = new TreeSet<>();
        value.path("enum").values().forEach(word -> words.add(word.stringValue()));
        return words;
    }

    private static boolean isAny(Set<String> codes, Set<Problem> problems) {
        return problems.stream()
                .map(problem -> problem.at(SourceLocation.wholeOf(""), "", "").code())
                .anyMatch(codes::contains);
    }

    /** Of the errors in the policy's own file. */
    private static Set<String> codes(Path folder) throws IOException {
        Set<String> codes = new TreeSet<>();
        Matcher matcher = Pattern.compile("(?m)^ERROR (POL\\d+) policy.yaml")
                .matcher(Files.readString(folder.resolve("expected-issues.txt")));
        while (matcher.find()) {
            codes.add(matcher.group(1));
        }
        return codes;
    }

    private static List<Path> cases() throws IOException {
        try (Stream<Path> folders = Files.list(CASES)) {
            return folders.sorted().toList();
        }
    }
}
