package dev.corral.guardmodels.assess;

import dev.corral.guardmodels.onnx.ModelException;
import dev.corral.guardmodels.store.UnusableGuardException;
import java.io.IOException;
import java.nio.file.NoSuchFileException;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.IExecutionExceptionHandler;

/** How a command that asks guards runs as a program. */
public final class Program {

    /** Says in a line what is wrong with a guard or a file; the exit code is 1. Everything else is thrown on. */
    public static final IExecutionExceptionHandler FAILURES = (failure, line, _) -> {
        switch (failure) {
            case UnusableGuardException _, ModelException _, IOException _ ->
                line.getErr().println(line.getColorScheme().errorText(describe(failure)));
            default -> throw failure;
        }
        return 1;
    };

    private Program() {}

    /** Runs a command and ends: standard output holds what it prints, and no library's log. */
    public static void runAndExit(Callable<Integer> command, String[] args) {
        System.setProperty("slf4j.provider", "org.slf4j.helpers.NOP_FallbackServiceProvider");
        System.setProperty("slf4j.internal.verbosity", "ERROR");
        System.exit(commandLine(command).execute(args));
    }

    /** A command whose failures are a line for people, not a stack trace. */
    public static CommandLine commandLine(Callable<Integer> command) {
        CommandLine corral = new CommandLine(command);
        return corral.setCommandName("corral " + corral.getCommandName())
                .setCaseInsensitiveEnumValuesAllowed(true)
                .setExecutionExceptionHandler(FAILURES);
    }

    private static String describe(Exception failure) {
        return switch (failure) {
            case NoSuchFileException missing -> "there is no file " + missing.getFile();
            default -> String.valueOf(failure.getMessage());
        };
    }
}
