package dev.corral.gateway.audit;

import dev.corral.gateway.audit.AuditEvent.Decided;
import dev.corral.gateway.audit.AuditEvent.NoVerdict;
import dev.corral.gateway.audit.AuditEvent.Said;
import dev.corral.gateway.audit.AuditEvent.Scores;
import dev.corral.gateway.audit.AuditEvent.Verdict;
import dev.corral.policies.assessment.Coverage;
import dev.corral.policies.assessment.Coverage.Extent;
import dev.corral.policies.assessment.Coverage.Unscanned;
import dev.corral.policies.assessment.Meaning;
import dev.corral.policies.assessment.Probability;
import dev.corral.policies.policy.AuditDetail;
import dev.corral.policies.policy.ContentHash;
import dev.corral.policies.policy.ContentSource;
import dev.corral.policies.policy.Decision.Outcome;
import dev.corral.policies.policy.Direction;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/**
 * A line of an audit file: a JSON object whose first field is {@code previous}, the hash of the line before, and whose last
 * field is {@code hash}, its own.
 *
 * @param json what the line says
 * @param previous 64 hexadecimal digits; those of {@link #FIRST} where there is no line before
 * @param hash SHA-256 of the line up to {@code ,"hash":}, in hexadecimal digits
 */
record AuditLine(JsonNode json, String previous, String hash) {

    /** What the first line of all names as the one before it. */
    static final String FIRST = "0".repeat(64);

    private static final JsonMapper JSON = JsonMapper.shared();
    private static final String HASH = ",\"hash\":\"";
    private static final int END = HASH.length() + FIRST.length() + 2;

    /** A line that is not one of an audit, or not as it was written. */
    static final class BrokenException extends Exception {

        private static final long serialVersionUID = 1L;

        BrokenException(String message) {
            super(message);
        }
    }

    /** What a sink writes: an event, or that there is none where there should be. */
    sealed interface Entry {

        /** An exchange. */
        record Of(AuditEvent event) implements Entry {}

        /** So many events before this place were lost. */
        record Lost(Instant time, long events) implements Entry {}
    }

    /** The text of a line, without its end. */
    static String write(Entry entry, String previous) {
        ObjectNode json = JSON.createObjectNode().put("previous", previous);
        switch (entry) {
            case Entry.Of of -> put(json, of.event());
            case Entry.Lost lost -> json.put("time", lost.time().toString()).put("lost", lost.events());
        }
        String text = JSON.writeValueAsString(json);
        String open = text.substring(0, text.length() - 1);
        return open + HASH + sha256(open) + "\"}";
    }

    /**
     * Reads a line, and checks that it is as it was written.
     *
     * @throws BrokenException if it is not
     */
    static AuditLine read(String text) throws BrokenException {
        JsonNode json;
        try {
            json = JSON.readTree(text);
        } catch (JacksonException e) {
            throw new BrokenException("it is not a whole JSON object: " + e.getOriginalMessage());
        }
        String previous = json.path("previous").asString("");
        String hash = json.path("hash").asString("");
        if (!json.isObject() || previous.length() != FIRST.length() || hash.length() != FIRST.length()) {
            throw new BrokenException("it is no line of an audit: it lacks 'previous' or 'hash'");
        }
        if (!text.endsWith(HASH + hash + "\"}")
                || !sha256(text.substring(0, text.length() - END)).equals(hash)) {
            throw new BrokenException("it is not as it was written: its hash is another one than it says");
        }
        return new AuditLine(json, previous, hash);
    }

    private static String sha256(String text) {
        return ContentHash.of(() -> text).hex();
    }

    private static void put(ObjectNode json, AuditEvent event) {
        json.put("time", event.time().toString())
                .put("exchange", event.exchange())
                .put("tenant", event.tenant())
                .put("route", event.route())
                .put("model", event.model());
        event.languages().forEach(json.putArray("languages")::add);
        json.put("policy", event.policy()).put("status", event.status()).put("ending", event.ending());
        ArrayNode decided = json.putArray("decided");
        event.decided().forEach(each -> put(decided.addObject(), each));
    }

    private static void put(ObjectNode json, Decided decided) {
        json.put("direction", word(decided.direction()))
                .put("decision", word(decided.outcome()))
                .put("guard", decided.guard());
        decided.rules().forEach(json.putArray("rules")::add);
        decided.hazards().forEach(json.putArray("hazards")::add);
        json.put("detail", word(decided.detail()));
        ArrayNode said = json.putArray("said");
        decided.said().forEach(each -> put(said.addObject(), each, decided.detail()));
    }

    private static void put(ObjectNode json, Said said, AuditDetail detail) {
        said.sources().stream().sorted().map(ContentSource::word).forEach(json.putArray("sources")::add);
        said.kept().ifPresent(kept -> json.put(key(detail), kept));
        ArrayNode verdicts = json.putArray("verdicts");
        said.verdicts().forEach(verdict -> put(verdicts.addObject(), verdict));
    }

    /** Under which what was kept stands. */
    private static String key(AuditDetail detail) {
        return detail == AuditDetail.HASH ? "sha256" : "text";
    }

    private static void put(ObjectNode json, Verdict verdict) {
        switch (verdict) {
            case Scores scores -> {
                json.put("unsafe", scores.unsafe().value());
                ObjectNode hazards = json.putObject("scores");
                scores.hazards().forEach((code, p) -> hazards.put(code, p.value()));
                json.put("unnamed", scores.unnamed().value()).put("meaning", word(scores.meaning()));
            }
            case NoVerdict none -> json.put("no_verdict", none.reason());
        }
        put(json, "characters", verdict.coverage().characters());
        put(json, "images", verdict.coverage().images());
        ArrayNode unscanned = json.putArray("unscanned");
        verdict.coverage()
                .unscanned()
                .forEach(each -> unscanned
                        .addObject()
                        .put("what", each.what())
                        .put("where", each.where())
                        .put("why", each.why()));
    }

    private static void put(ObjectNode json, String key, Extent extent) {
        json.putArray(key).add(extent.scanned()).add(extent.total());
    }

    /** How many events are missing here; 0 where the line is an event. */
    long lost() {
        return json.path("lost").asLong(0);
    }

    /**
     * The event of this line.
     *
     * @throws BrokenException if there is none
     */
    AuditEvent event() throws BrokenException {
        try {
            return new AuditEvent(
                    Instant.parse(text(json, "time")),
                    text(json, "exchange"),
                    text(json, "tenant"),
                    text(json, "route"),
                    text(json, "model"),
                    texts(json, "languages"),
                    text(json, "policy"),
                    all(json, "decided", AuditLine::decided),
                    json.get("status").asInt(),
                    text(json, "ending"));
        } catch (RuntimeException e) { // a line that nobody changed, and that another version wrote
            throw new BrokenException("it is not an event as this version writes it: " + e.getMessage());
        }
    }

    private static Decided decided(JsonNode json) {
        AuditDetail detail = constant(AuditDetail.class, text(json, "detail"));
        return new Decided(
                constant(Direction.class, text(json, "direction")),
                constant(Outcome.class, text(json, "decision")),
                text(json, "guard"),
                texts(json, "rules"),
                texts(json, "hazards"),
                detail,
                all(json, "said", said -> said(said, detail)));
    }

    private static Said said(JsonNode json, AuditDetail detail) {
        Set<ContentSource> sources = new LinkedHashSet<>();
        texts(json, "sources").forEach(word -> sources.add(constant(ContentSource.class, word)));
        return new Said(
                sources,
                Optional.ofNullable(json.get(key(detail))).map(JsonNode::asString),
                all(json, "verdicts", AuditLine::verdict));
    }

    private static Verdict verdict(JsonNode json) {
        Coverage coverage = new Coverage(
                extent(json.get("characters")),
                extent(json.get("images")),
                all(
                        json,
                        "unscanned",
                        each -> new Unscanned(text(each, "what"), text(each, "where"), text(each, "why"))));
        if (json.has("no_verdict")) {
            return new NoVerdict(text(json, "no_verdict"), coverage);
        }
        Map<String, Probability> hazards = new LinkedHashMap<>();
        json.get("scores")
                .properties()
                .forEach(score -> hazards.put(
                        score.getKey(), new Probability(score.getValue().asDouble())));
        return new Scores(
                new Probability(json.get("unsafe").asDouble()),
                hazards,
                new Probability(json.get("unnamed").asDouble()),
                constant(Meaning.class, text(json, "meaning")),
                coverage);
    }

    private static Extent extent(JsonNode json) {
        return new Extent(json.get(0).asLong(), json.get(1).asLong());
    }

    private static <T> List<T> all(JsonNode json, String field, Function<JsonNode, T> reader) {
        List<T> all = new ArrayList<>();
        json.get(field).forEach(each -> all.add(reader.apply(each)));
        return all;
    }

    private static List<String> texts(JsonNode json, String field) {
        return all(json, field, JsonNode::asString);
    }

    private static String text(JsonNode json, String field) {
        return json.get(field).asString();
    }

    private static String word(Enum<?> constant) {
        return constant.name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    private static <E extends Enum<E>> E constant(Class<E> type, String word) {
        return Enum.valueOf(type, word.toUpperCase(Locale.ROOT).replace('-', '_'));
    }
}
