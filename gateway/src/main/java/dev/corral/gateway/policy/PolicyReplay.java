package dev.corral.gateway.policy;

import dev.corral.gateway.audit.AuditEvent;
import dev.corral.gateway.audit.AuditFile;
import dev.corral.gateway.policy.Replay.Change;
import dev.corral.gateway.policy.Replay.Example;
import dev.corral.gateway.policy.Replay.Lines;
import dev.corral.gateway.policy.Replay.Met;
import dev.corral.gateway.policy.Report.Entry;
import dev.corral.gateway.policy.Report.Level;
import dev.corral.guardmodels.dataset.BrokenLineException;
import dev.corral.guardmodels.dataset.JsonLines;
import dev.corral.guardmodels.dataset.Line;
import dev.corral.guardmodels.dataset.RecordedRow;
import dev.corral.policies.policy.CompiledPolicy;
import dev.corral.policies.policy.Decision.Outcome;
import dev.corral.policies.policy.GuardSight;
import dev.corral.policies.policy.Policies;
import dev.corral.policies.taxonomy.Hazard;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.context.config.ConfigDataEnvironmentPostProcessor;
import org.springframework.boot.context.properties.bind.Binder;
import org.springframework.core.env.StandardEnvironment;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/** {@code corral policy replay}. */
@Command(
        name = "replay",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        usageHelpWidth = 100,
        description = {
            "Says what recorded traffic would have met under a policy, by rule and hazard. Every turn is judged, as the"
                    + " gateway does.",
            "A line is a JSON object with 'text', 'turns' or 'response' as 'corral evaluate' reads them; the guard judges"
                    + " it, unless it has 'scores' such as {\"unsafe\": 0.8, \"S9\": 0.7} of its last turn. With scores it"
                    + " needs no text, and may have 'direction' (prompt or completion). 'route', 'tenant', 'model' and"
                    + " 'lang' are facts for rules.",
            "--against audit replays what a gateway kept (corral.audit.file, from the environment or an application.yaml"
                    + " here; or --audit FILE): its scores, and its texts where they were kept. No guard is asked.",
            "Exit code 0: all lines were replayed, and nothing differs; 1: lines cannot be used, or two policies differ."
        })
final class PolicyReplay implements Callable<Integer> {

    @Spec
    private @Nullable CommandSpec spec;

    @Parameters(paramLabel = "FILE", description = "The policy.")
    private @Nullable Path file;

    @Option(
            names = "--against",
            paramLabel = "FILE.jsonl",
            description = "Traffic, also .gz or .xz; or the word audit.")
    private @Nullable Path traffic;

    @Option(names = "--audit", paramLabel = "FILE", description = "The audit's file, for --against audit.")
    private @Nullable Path audit;

    @Option(
            names = "--compare",
            paramLabel = "FILE",
            description = "Another policy: shows what it decides differently.")
    private @Nullable Path compared;

    @Option(names = "--show-texts", description = "Shows the beginning of texts, not only the numbers of their lines.")
    private boolean showTexts;

    @Option(names = "--format", description = "${COMPLETION-CANDIDATES} (default: text).")
    private Format format = Format.text;

    @Option(names = "--html", paramLabel = "FILE", description = "Also writes a page for a browser there.")
    private @Nullable Path html;

    @Mixin
    private final GuardChoice guard = new GuardChoice();

    @Override
    public Integer call() throws IOException {
        boolean isAudit = traffic == null ? audit != null : traffic.toString().equals("audit");
        if (!isAudit && (traffic == null || audit != null)) {
            throw wrong("give --against FILE.jsonl, or --against audit");
        }
        Path recorded = isAudit ? auditFile() : Objects.requireNonNull(traffic);
        GuardSight sight = guard.sight();
        CompiledPolicy policy = Policies.load(Objects.requireNonNull(file), sight);
        Optional<CompiledPolicy> other = Optional.ofNullable(compared).map(path -> Policies.load(path, sight));
        List<BrokenLineException> broken = new ArrayList<>();
        List<Entry> entries = new ArrayList<>();
        Replay replay;
        try (LiveGuard live = new LiveGuard(guard)) {
            replay = new Replay(policy, other);
            if (isAudit) {
                readAudit(recorded, replay, entries);
            } else {
                read(recorded, replay, live, broken, entries);
            }
        }
        broken.forEach(line -> err().println(line.getMessage()));
        switch (format) {
            case text -> print(replay, broken.size());
            case json -> out().println(Report.write(json(replay, broken.size())));
            case sarif -> out().println(Report.sarif(entries));
        }
        if (html != null) {
            Files.writeString(html, ReplayPage.of(replay, recorded.toString(), broken.size(), showTexts));
        }
        out().flush();
        err().flush();
        return broken.isEmpty() && replay.changes().isEmpty() ? 0 : 1;
    }

    private Path auditFile() {
        if (audit != null) {
            return audit;
        }
        StandardEnvironment environment = new StandardEnvironment();
        ConfigDataEnvironmentPostProcessor.applyTo(environment);
        return Binder.get(environment)
                .bind("corral.audit.file", String.class)
                .map(Path::of)
                .orElseGet(() -> {
                    throw wrong("there is no corral.audit.file in the environment (CORRAL_AUDIT_FILE) nor in an"
                            + " application.yaml here: name the file with --audit");
                });
    }

    private ParameterException wrong(String message) {
        return new ParameterException(Objects.requireNonNull(spec).commandLine(), message);
    }

    private void readAudit(Path recorded, Replay replay, List<Entry> entries) throws IOException {
        try (AuditFile events = AuditFile.open(recorded)) {
            for (AuditFile.Entry entry = events.next(); entry != null; entry = events.next()) {
                replay.miss(entry.lost());
                AuditEvent event = entry.event();
                if (event != null && event.decided().isEmpty()) {
                    replay.leaveOut(event.ending());
                } else if (event != null) {
                    entries(
                            replay.add(Recorded.of(entry.number(), event)),
                            recorded.toString(),
                            entry.number(),
                            entries);
                }
            }
        } catch (NoSuchFileException e) {
            throw new IOException("there is no audit " + recorded + ": check --audit or corral.audit.file", e);
        }
        if (replay.rows() == 0 && replay.leftOut().isEmpty()) {
            throw new IOException(recorded + " has no events yet");
        }
    }

    private void read(
            Path recorded, Replay replay, LiveGuard live, List<BrokenLineException> broken, List<Entry> entries)
            throws IOException {
        try (JsonLines lines = JsonLines.open(recorded)) {
            boolean more = true;
            while (more) {
                try {
                    Line line = lines.next();
                    more = line != null;
                    if (line != null) {
                        replay(line, replay, live, entries);
                    }
                } catch (BrokenLineException e) {
                    broken.add(e);
                    entries.add(new Entry("LINE", Level.error, e.rule(), recorded.toString(), e.line(), e.column()));
                }
            }
        } catch (NoSuchFileException e) {
            throw new IOException("there is no file " + recorded + ": check the path given to --against", e);
        }
        if (replay.rows() == 0 && broken.isEmpty()) {
            throw new IOException(recorded + " has no lines: it must hold a JSON object a line");
        }
    }

    private void replay(Line line, Replay replay, LiveGuard live, List<Entry> entries) throws BrokenLineException {
        RecordedRow row = RecordedRow.of(line);
        try {
            replay.requireKnownHazards(row);
        } catch (IllegalArgumentException e) {
            throw line.broken("/scores", String.valueOf(e.getMessage()));
        }
        entries(replay.add(Recorded.of(row, live::assess)), line.file(), line.number(), entries);
    }

    /** What SARIF says of a line: what stopped or marked it, or where two policies differ. */
    private void entries(List<Met> met, String file, int line, List<Entry> entries) {
        boolean compared = met.size() > 1;
        Met before = met.getFirst();
        Met after = met.getLast();
        if (compared ? before.outcome() != after.outcome() : before.outcome() != Outcome.ALLOW) {
            String message = decided(before) + (compared ? " → " + decided(after) : "");
            entries.add(new Entry("REPLAY", Level.warning, message, file, line, 1));
        }
    }

    private void print(Replay replay, int broken) {
        out().println(replay.policy().revision() + ": " + lines(replay.rows()) + notes(replay, broken));
        out().println();
        out().printf("%-12s %7s %7s  %s%n", "decision", "lines", "share", "by what, for which hazards, examples");
        replay.decisions().forEach(entry -> {
            Met met = entry.getKey();
            String why = Stream.of(rules(met), hazards(met))
                    .filter(text -> !text.isEmpty())
                    .collect(Collectors.joining(", "));
            out().printf(
                            "%-12s %7d %7s  %s%n",
                            Report.word(met.outcome()),
                            entry.getValue().count(),
                            share(entry.getValue().count(), replay.rows()),
                            (why.isEmpty() ? "" : why + "; ") + places(entry.getValue()));
            printTexts(entry.getValue());
        });
        replay.other().ifPresent(other -> {
            int count = replay.changes().stream()
                    .mapToInt(change -> change.getValue().count())
                    .sum();
            out().println();
            out().println(other.revision() + " decides " + lines(count) + " differently");
            replay.changes().forEach(entry -> {
                out().println("  " + change(entry.getKey()) + ": "
                        + lines(entry.getValue().count()) + "; " + places(entry.getValue()));
                printTexts(entry.getValue());
            });
        });
    }

    private void printTexts(Lines lines) {
        if (showTexts) {
            lines.examples().forEach(example -> out().println("      " + example.line() + ": " + example.text()));
        }
    }

    /** What is to be known of the lines before their decisions are believed. */
    static String notes(Replay replay, int broken) {
        StringBuilder notes = new StringBuilder();
        if (broken > 0) {
            notes.append(", and ").append(lines(broken)).append(" that cannot be used");
        }
        if (replay.withoutText() > 0 && !replay.policy().patternHazards().isEmpty()) {
            notes.append("; ").append(lines(replay.withoutText())).append(" without text, where patterns find nothing");
        }
        if (!replay.leftOut().isEmpty()) {
            int count = replay.leftOut().values().stream()
                    .mapToInt(Integer::intValue)
                    .sum();
            notes.append("; not replayed, because nothing was judged: ")
                    .append(lines(count))
                    .append(" (")
                    .append(replay.leftOut().entrySet().stream()
                            .map(entry -> entry.getKey() + " " + entry.getValue())
                            .collect(Collectors.joining(", ")))
                    .append(')');
        }
        if (replay.missing() > 0) {
            notes.append("; ").append(replay.missing()).append(" events were lost when the audit could not be written");
        }
        if (!replay.unscored().isEmpty()) {
            notes.append("; without a score, which counts as absent: ")
                    .append(replay.unscored().entrySet().stream()
                            .map(entry -> entry.getKey() + " in " + lines(entry.getValue()))
                            .collect(Collectors.joining(", ")));
        }
        return notes.toString();
    }

    static String lines(int count) {
        return count + (count == 1 ? " line" : " lines");
    }

    static String share(int count, int all) {
        return String.format(Locale.ROOT, "%.1f %%", all == 0 ? 0 : 100.0 * count / all);
    }

    static String rules(Met met) {
        return String.join(" and ", met.rules());
    }

    static String hazards(Met met) {
        return met.hazards().stream()
                .map(hazard -> hazard.code() + " (" + hazard.displayName() + ")")
                .collect(Collectors.joining(" and "));
    }

    static String change(Change change) {
        Met seen = change.before().hazards().isEmpty() ? change.after() : change.before();
        String hazards = hazards(seen);
        return decided(change.before()) + " → " + decided(change.after()) + (hazards.isEmpty() ? "" : ", " + hazards);
    }

    private static String decided(Met met) {
        return Report.word(met.outcome()) + (met.rules().isEmpty() ? "" : " by " + rules(met));
    }

    static String places(Lines lines) {
        String numbers =
                lines.examples().stream().map(example -> "" + example.line()).collect(Collectors.joining(", "));
        return (lines.count() == 1 ? "line " : "lines ")
                + numbers
                + (lines.count() > lines.examples().size() ? ", …" : "");
    }

    private ObjectNode json(Replay replay, int broken) {
        ObjectNode json = Report.JSON
                .objectNode()
                .put("policy", replay.policy().revision())
                .put("lines", replay.rows())
                .put("broken", broken)
                .put("without_text", replay.withoutText())
                .put("lost", replay.missing());
        ObjectNode leftOut = json.putObject("not_replayed");
        replay.leftOut().forEach(leftOut::put);
        ObjectNode unscored = json.putObject("without_score");
        replay.unscored().forEach(unscored::put);
        ArrayNode decisions = json.putArray("decisions");
        for (Map.Entry<Met, Lines> entry : replay.decisions()) {
            ObjectNode decision = decisions.addObject();
            met(decision, entry.getKey());
            lines(decision, entry.getValue());
        }
        replay.other().ifPresent(other -> {
            ObjectNode comparison = json.putObject("compared").put("policy", other.revision());
            ArrayNode changes = comparison.putArray("differences");
            for (Map.Entry<Change, Lines> entry : replay.changes()) {
                ObjectNode change = changes.addObject();
                met(change.putObject("before"), entry.getKey().before());
                met(change.putObject("after"), entry.getKey().after());
                lines(change, entry.getValue());
            }
        });
        return json;
    }

    private static void met(ObjectNode json, Met met) {
        json.put("decision", Report.word(met.outcome()));
        met.rules().forEach(json.putArray("rules")::add);
        met.hazards().stream().map(Hazard::code).forEach(json.putArray("hazards")::add);
    }

    private void lines(ObjectNode json, Lines lines) {
        json.put("lines", lines.count());
        ArrayNode examples = json.putArray("examples");
        for (Example example : lines.examples()) {
            ObjectNode line = examples.addObject().put("line", example.line());
            if (showTexts) {
                line.put("text", example.text());
            }
        }
    }

    private PrintWriter out() {
        return Objects.requireNonNull(spec).commandLine().getOut();
    }

    private PrintWriter err() {
        return Objects.requireNonNull(spec).commandLine().getErr();
    }
}
