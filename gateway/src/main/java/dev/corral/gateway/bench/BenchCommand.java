package dev.corral.gateway.bench;

import java.io.IOException;
import java.util.Locale;
import picocli.CommandLine;
import picocli.CommandLine.Command;

/** {@code corral bench}: figures, beside their limits. */
@Command(
        name = "bench",
        mixinStandardHelpOptions = true,
        usageHelpWidth = 120,
        description = {
            "Measures speed, start-up and memory on this machine, and prints each figure beside its limit.",
            "Medians and 90th percentiles after a warm-up; run it on a machine that does nothing else."
        },
        subcommands = {GuardBench.class, GatewayBench.class, StartupBench.class, SoakBench.class, PolicyBench.class},
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {
            "0:every figure is within its limit",
            "1:a limit is missed, or something failed",
            "2:wrong options"
        },
        footerHeading = "%nExamples:%n",
        footer = {
            "  corral bench guard",
            "  corral bench gateway",
            "  corral bench startup",
            "  corral bench soak",
            "  corral bench policy"
        })
public final class BenchCommand {

    private BenchCommand() {}

    /** {@code corral bench}; figures are written the same everywhere. */
    public static void main(String[] args) {
        Locale.setDefault(Locale.ROOT);
        System.exit(commandLine().execute(args));
    }

    static CommandLine commandLine() {
        return new CommandLine(new BenchCommand())
                .setCommandName("corral bench")
                .setExecutionExceptionHandler((failure, command, _) -> {
                    if (!(failure instanceof IOException)) {
                        throw failure;
                    }
                    command.getErr().println(command.getColorScheme().errorText(String.valueOf(failure.getMessage())));
                    return command.getCommandSpec().exitCodeOnExecutionException();
                });
    }
}
