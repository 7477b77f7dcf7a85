package dev.corral.gateway.audit;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code corral audit verify}. */
@Command(
        name = "verify",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        usageHelpWidth = 100,
        description = {
            "Checks that each line is as it was written and follows the line before; names the first that does not.",
            "Several files must follow each other: give them in the order of their time.",
            "Lines that were taken from the end leave no trace: compare the last hash with one that you noted elsewhere."
        })
final class AuditVerify implements Callable<Integer> {

    @Spec
    private @Nullable CommandSpec spec;

    @Parameters(paramLabel = "FILE", arity = "1..*", description = "Files of corral.audit.file, the oldest first.")
    private List<Path> files = List.of();

    @Override
    public Integer call() throws IOException {
        PrintWriter out = Objects.requireNonNull(spec).commandLine().getOut();
        long events = 0;
        long lost = 0;
        AuditFile before = null;
        for (Path file : files) {
            try (AuditFile audit = before == null ? AuditFile.open(file) : AuditFile.open(file, before)) {
                for (AuditFile.Entry entry = audit.next(); entry != null; entry = audit.next()) {
                    events += entry.event() == null ? 0 : 1;
                    lost += entry.lost();
                    if (entry.lost() > 0) {
                        out.println(file + ":" + entry.number() + ": " + entry.lost()
                                + " events were lost here: the audit could not be written");
                    }
                }
                before = audit;
            }
        }
        String hash = before == null || before.hash().isEmpty() ? "none" : before.hash();
        out.println("unbroken: " + events + (events == 1 ? " event" : " events")
                + (lost == 0 ? "" : ", and " + lost + " lost") + "; last hash " + hash);
        out.flush();
        return 0;
    }
}
