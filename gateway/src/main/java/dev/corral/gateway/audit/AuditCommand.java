package dev.corral.gateway.audit;

import java.io.IOException;
import java.util.Locale;
import picocli.CommandLine;
import picocli.CommandLine.Command;

/** {@code corral audit}: reads what a gateway kept. */
@Command(
        name = "audit",
        mixinStandardHelpOptions = true,
        usageHelpWidth = 100,
        description = "Verifies and shows the audit that a gateway keeps (corral.audit.file).",
        subcommands = {AuditVerify.class, AuditShow.class},
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {"0:all is well", "1:a line is broken, or a file cannot be read", "2:wrong usage"},
        footerHeading = "%nExamples:%n",
        footer = {
            "  corral audit verify audit.jsonl",
            "  corral audit verify audit-*.jsonl audit.jsonl",
            "  corral audit show audit.jsonl --decision block --last 20"
        })
public final class AuditCommand {

    private AuditCommand() {}

    /** {@code corral audit}; numbers are written the same everywhere. */
    public static void main(String[] args) {
        Locale.setDefault(Locale.ROOT);
        System.exit(commandLine().execute(args));
    }

    static CommandLine commandLine() {
        CommandLine audit = new CommandLine(new AuditCommand()).setCommandName("corral audit");
        audit.setExecutionExceptionHandler((failure, command, _) -> {
            if (!(failure instanceof IOException unreadable)) {
                throw failure;
            }
            command.getErr().println(command.getColorScheme().errorText(AuditFile.reason(unreadable)));
            return 1;
        });
        return audit;
    }
}
