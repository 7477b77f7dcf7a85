package dev.corral.quantization;

import dev.corral.guardmodels.evaluation.CompareCommand;
import dev.corral.guardmodels.onnx.ModelException;
import dev.corral.guardmodels.store.UnusableGuardException;
import dev.corral.guardmodels.tokenizer.UnusableTokenizerException;
import dev.corral.quantization.checkpoint.CheckpointException;
import dev.corral.quantization.hub.HubException;
import dev.corral.quantization.recipe.RecipeException;
import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code corral model}: guard models on this machine, and how they come here. */
@Command(
        name = "corral model",
        description = {"Brings guard models to this machine, shows, checks and compares them.", ""},
        synopsisSubcommandLabel = "COMMAND",
        commandListHeading = "%nCommands:%n",
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {"0:done", "1:not possible, or something is not as it should be", "2:wrong usage"},
        footer = {
            "",
            "Models lie in CORRAL_MODELS, or else in ~/.local/share/corral/models.",
            "",
            "Examples:",
            "  corral model pull meta-llama/Llama-Guard-3-1B",
            "  corral model import ollama:llama-guard3:1b",
            "  corral model list",
            "  corral model verify llama-guard-3-1b-int8",
            "  corral model pull --help"
        },
        mixinStandardHelpOptions = true,
        sortOptions = false,
        usageHelpWidth = 100)
public final class ModelCommand implements Runnable {

    private static final int FAILED = 1;

    @Spec
    private @Nullable CommandSpec spec;

    ModelCommand() {}

    /** Runs the command and ends the JVM with its exit code. */
    public static void main(String[] arguments) {
        Environment environment = new Environment(System.getenv(), Path.of(System.getProperty("user.home")));
        System.exit(commandLine(environment).execute(arguments));
    }

    /** All of {@code corral model}, with failures that are a line for people. */
    static CommandLine commandLine(Environment environment) {
        return new CommandLine(new ModelCommand())
                .addSubcommand(new PullCommand(environment))
                .addSubcommand(new ImportCommand(environment))
                .addSubcommand(new ListCommand(environment))
                .addSubcommand(new InspectCommand(environment))
                .addSubcommand(new VerifyCommand(environment))
                .addSubcommand(new ExportCommand(environment))
                .addSubcommand(new CompareCommand())
                .addSubcommand(new RandomCommand())
                .setExecutionExceptionHandler((failure, line, _) -> {
                    line.getErr().println(line.getColorScheme().errorText(describe(failure)));
                    return FAILED;
                });
    }

    @Override
    public void run() {
        if (spec != null) {
            throw new ParameterException(
                    spec.commandLine(),
                    "Say what to do: " + String.join(", ", spec.subcommands().keySet()));
        }
    }

    private static String describe(Exception failure) throws Exception {
        return switch (failure) {
            case HubException _,
                    CheckpointException _,
                    UnusableGuardException _,
                    UnusableTokenizerException _,
                    RecipeException _,
                    ModelException _ -> String.valueOf(failure.getMessage());
            case NoSuchFileException missing -> "there is no file " + missing.getFile();
            case NotDirectoryException file -> file.getFile() + " is not a directory";
            case AccessDeniedException denied ->
                denied.getFile() + " may not be read or written by this user: change its permissions";
            case FileSystemException other ->
                other.getFile() + ": " + Optional.ofNullable(other.getReason()).orElse("cannot be read or written");
            case IOException other -> String.valueOf(other.getMessage());
            default -> throw failure;
        };
    }
}
