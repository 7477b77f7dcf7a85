package dev.corral.gateway.policy;

import dev.corral.policies.policy.PolicyIssue;
import dev.corral.policies.policy.Severity;
import java.math.BigDecimal;
import java.math.RoundingMode;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.TreeSet;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.SerializationFeature;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/** Results as JSON and SARIF. */
final class Report {

    static final JsonNodeFactory JSON = JsonNodeFactory.instance;

    private static final JsonMapper MAPPER =
            JsonMapper.builder().enable(SerializationFeature.INDENT_OUTPUT).build();

    /** How much a finding counts, in SARIF's words. */
    enum Level {
        error,
        warning,
        /** Nothing to mend. */
        note
    }

    /** A finding of any command, at a place. */
    record Entry(String code, Level level, String message, String file, int line, int column) {

        static Entry of(PolicyIssue issue) {
            return new Entry(
                    issue.code(),
                    issue.severity() == Severity.ERROR ? Level.error : Level.warning,
                    issue.message() + ". " + issue.advice(),
                    issue.location().origin(),
                    issue.location().line(),
                    issue.location().column());
        }
    }

    private Report() {}

    static String write(JsonNode value) {
        return MAPPER.writeValueAsString(value);
    }

    static String json(List<Entry> entries) {
        ArrayNode list = JSON.arrayNode();
        for (Entry entry : entries) {
            list.addObject()
                    .put("severity", entry.level.name())
                    .put("code", entry.code)
                    .put("file", entry.file)
                    .put("line", entry.line)
                    .put("column", entry.column)
                    .put("message", entry.message);
        }
        return write(list);
    }

    static String sarif(List<Entry> entries) {
        ObjectNode sarif = JSON.objectNode()
                .put("$schema", "https://json.schemastore.org/sarif-2.1.0.json")
                .put("version", "2.1.0");
        ObjectNode run = sarif.putArray("runs").addObject();
        ObjectNode driver = run.putObject("tool").putObject("driver").put("name", "corral policy");
        Set<String> codes = new TreeSet<>();
        entries.forEach(entry -> codes.add(entry.code));
        ArrayNode rules = driver.putArray("rules");
        codes.forEach(code -> rules.addObject().put("id", code));
        ArrayNode results = run.putArray("results");
        for (Entry entry : entries) {
            ObjectNode result = results.addObject().put("ruleId", entry.code).put("level", entry.level.name());
            result.putObject("message").put("text", entry.message);
            ObjectNode place = result.putArray("locations").addObject().putObject("physicalLocation");
            place.putObject("artifactLocation").put("uri", entry.file.replace('\\', '/'));
            if (entry.line > 0) {
                place.putObject("region").put("startLine", entry.line).put("startColumn", entry.column);
            }
        }
        return write(sarif);
    }

    static String word(Enum<?> constant) {
        return constant.name().toLowerCase(Locale.ROOT);
    }

    static String number(double value) {
        return new BigDecimal(value)
                .setScale(3, RoundingMode.HALF_EVEN)
                .stripTrailingZeros()
                .toPlainString();
    }
}
