package dev.corral.gateway.audit;

import dev.corral.gateway.audit.AuditEvent.Decided;
import dev.corral.policies.policy.Decision.Outcome;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Comparator;
import java.util.Deque;
import java.util.Locale;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code corral audit show}. */
@Command(
        name = "show",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        usageHelpWidth = 100,
        description = "Prints a line for each event: its time, exchange, policy, decision, rules, hazards and ending.")
final class AuditShow implements Callable<Integer> {

    @Spec
    private @Nullable CommandSpec spec;

    @Parameters(paramLabel = "FILE", description = "The file of corral.audit.file.")
    private @Nullable Path file;

    @Option(names = "--exchange", paramLabel = "ID", description = "Only this exchange.")
    private @Nullable String exchange;

    @Option(names = "--tenant", description = "Only this tenant.")
    private @Nullable String tenant;

    @Option(names = "--decision", description = "Only these: allow, flag, redact, respond, unavailable, block or none.")
    private @Nullable String decision;

    @Option(names = "--last", paramLabel = "N", description = "Only the last N.", defaultValue = "1000000")
    private int last = 1_000_000;

    @Override
    public Integer call() throws IOException {
        Deque<AuditEvent> events = new ArrayDeque<>();
        try (AuditFile audit = AuditFile.open(Objects.requireNonNull(file))) {
            for (AuditFile.Entry entry = audit.next(); entry != null; entry = audit.next()) {
                AuditEvent event = entry.event();
                if (event != null && isWanted(event)) {
                    events.addLast(event);
                    if (events.size() > last) {
                        events.removeFirst();
                    }
                }
            }
        }
        PrintWriter out = Objects.requireNonNull(spec).commandLine().getOut();
        events.forEach(event -> out.println(line(event)));
        out.flush();
        return 0;
    }

    private boolean isWanted(AuditEvent event) {
        return (exchange == null || exchange.equals(event.exchange()))
                && (tenant == null || tenant.equals(event.tenant()))
                && (decision == null || decision.equals(word(strictest(event))));
    }

    private static Optional<Outcome> strictest(AuditEvent event) {
        return event.decided().stream().map(Decided::outcome).max(Comparator.naturalOrder());
    }

    private static String word(Optional<Outcome> outcome) {
        return outcome.map(each -> each.name().toLowerCase(Locale.ROOT)).orElse("none");
    }

    private static String line(AuditEvent event) {
        Optional<Outcome> outcome = strictest(event);
        return event.time() + " " + event.exchange() + " " + event.policy()
                + (event.tenant().isEmpty() ? "" : " tenant " + event.tenant())
                + " " + word(outcome)
                + event.decided().stream()
                        .filter(each -> Optional.of(each.outcome()).equals(outcome))
                        .map(each -> (each.rules().isEmpty() ? "" : " by " + String.join(", ", each.rules()))
                                + (each.hazards().isEmpty() ? "" : " for " + String.join(", ", each.hazards())))
                        .distinct()
                        .collect(Collectors.joining(";"))
                + ", status " + event.status() + ", " + event.ending();
    }
}
