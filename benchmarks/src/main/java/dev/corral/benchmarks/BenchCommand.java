package dev.corral.benchmarks;

import dev.corral.benchmarks.capacity.GuardBench;
import dev.corral.benchmarks.capacity.ImageBench;
import dev.corral.benchmarks.capacity.ModelBench;
import dev.corral.benchmarks.capacity.VisionBench;
import dev.corral.benchmarks.conversion.ImportBench;
import dev.corral.benchmarks.conversion.QuantizeBench;
import dev.corral.benchmarks.traffic.GatewayBench;
import dev.corral.benchmarks.traffic.PolicyBench;
import dev.corral.benchmarks.traffic.ReloadBench;
import dev.corral.benchmarks.traffic.SoakBench;
import dev.corral.benchmarks.traffic.StartupBench;
import dev.corral.benchmarks.traffic.StreamsBench;
import dev.corral.guardmodels.onnx.ModelException;
import dev.corral.guardmodels.store.UnusableGuardException;
import dev.corral.quantization.checkpoint.CheckpointException;
import java.io.IOException;
import java.util.Locale;
import java.util.Objects;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** {@code corral bench}: figures, beside their limits. */
@Command(
        name = "bench",
        mixinStandardHelpOptions = true,
        usageHelpWidth = 120,
        description = {
            "Measures speed, start-up and memory on this machine, and prints each figure beside its limit.",
            "Everything is warmed up before; run it on a machine that does nothing else.",
            "",
            "To plan how many machines your guard needs: corral bench model --guard DIR",
            "To see whether this machine keeps what Corral promises: figures, guard, image, gateway, streams, startup,",
            "policy, reload and soak.",
            ""
        },
        subcommands = {
            ModelBench.class,
            VisionBench.class,
            FiguresBench.class,
            QuantizeBench.class,
            ImportBench.class,
            GuardBench.class,
            ImageBench.class,
            GatewayBench.class,
            StreamsBench.class,
            StartupBench.class,
            SoakBench.class,
            PolicyBench.class,
            ReloadBench.class
        },
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {
            "0:every figure is within its limit",
            "1:a limit is missed, or something failed",
            "2:wrong options"
        },
        footerHeading = "%nExamples:%n",
        footer = {
            "  corral bench model --guard guards/llama-guard-3-1b",
            "  corral bench model --shape llama-guard-3-1b-pruned --precision int8 --json",
            "  corral bench figures",
            "  corral bench guard"
        })
public final class BenchCommand implements Callable<Integer> {

    @Spec
    private @Nullable CommandSpec spec;

    private BenchCommand() {}

    /** {@code corral bench}; figures are written the same everywhere. */
    public static void main(String[] args) {
        Locale.setDefault(Locale.ROOT);
        System.exit(commandLine().execute(args));
    }

    /** The command line, without the process around it. */
    public static CommandLine commandLine() {
        return new CommandLine(new BenchCommand())
                .setCommandName("corral bench")
                .setExecutionExceptionHandler((failure, command, _) -> {
                    if (!isForPeople(failure)) {
                        throw failure;
                    }
                    command.getErr().println(command.getColorScheme().errorText(String.valueOf(failure.getMessage())));
                    return command.getCommandSpec().exitCodeOnExecutionException();
                });
    }

    private static boolean isForPeople(Exception failure) {
        return failure instanceof IOException
                || failure instanceof ModelException
                || failure instanceof UnusableGuardException
                || failure instanceof CheckpointException;
    }

    /** Without a bench it tells what there is. */
    @Override
    public Integer call() {
        CommandLine command = Objects.requireNonNull(spec).commandLine();
        command.usage(command.getOut());
        return CommandLine.ExitCode.OK;
    }
}
