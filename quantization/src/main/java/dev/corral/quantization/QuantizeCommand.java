package dev.corral.quantization;

import dev.corral.guardmodels.prompt.GuardFamily;
import dev.corral.guardmodels.store.UnusableGuardException;
import dev.corral.guardmodels.tokenizer.UnusableTokenizerException;
import dev.corral.quantization.checkpoint.CheckpointException;
import dev.corral.quantization.recipe.Recipe;
import dev.corral.quantization.recipe.RecipeException;
import java.io.IOException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code corral quantize}: the command line of {@link Converter}. */
@Command(
        name = "corral quantize",
        description = {
            "Makes a guard of a Hugging Face model folder, such as a download of meta-llama/Llama-Guard-3-1B.",
            ""
        },
        footer = {
            "",
            "Examples:",
            "  corral quantize --from Llama-Guard-3-1B --to guards/llama-guard-3-1b --precision int4",
            "  corral quantize --from Llama-Guard-3-1B --to guards/mixed --recipe mixed.yaml",
            "  corral run --guard guards/llama-guard-3-1b"
        },
        mixinStandardHelpOptions = true,
        sortOptions = false,
        usageHelpWidth = 100)
public final class QuantizeCommand implements Callable<Integer> {

    private static final int FAILED = 1;

    @Spec
    private CommandSpec spec;

    @Option(
            names = "--from",
            required = true,
            paramLabel = "DIR",
            description = "Folder with config.json, tokenizer.json and *.safetensors (F32, F16 or BF16).")
    private Path from;

    @Option(names = "--to", required = true, paramLabel = "DIR", description = "Folder to make; must not exist yet.")
    private Path to;

    @ArgGroup(validate = false, heading = "%nWhat to make of the weights; see docs/quantization.md:%n")
    private RecipeOptions recipe = new RecipeOptions();

    @ArgGroup(validate = false, heading = "%nWhat is said of the guard:%n")
    private DescriptionOptions description = new DescriptionOptions();

    @SuppressWarnings({"NullAway.Init", "initialization"}) // picocli sets the fields
    public QuantizeCommand() {}

    /** Runs the command and ends the JVM with its exit code: 0 done, 1 not possible, 2 wrong use. */
    public static void main(String[] arguments) {
        System.exit(new CommandLine(new QuantizeCommand()).execute(arguments));
    }

    @Override
    public Integer call() throws IOException {
        try {
            Recipe followed = CheckedOptions.of(spec, recipe::recipe);
            try (Original original = Original.huggingFace(from)) {
                GuardFamily family = CheckedOptions.of(spec, () -> description.family(original));
                Converter.Description said = CheckedOptions.of(spec, () -> description.description(original, to));
                ConversionBar.convert(
                        original, to, family, followed, said, spec.commandLine().getOut());
            }
            return CommandLine.ExitCode.OK;
        } catch (NoSuchFileException e) {
            spec.commandLine().getErr().println("Cannot convert " + from + ": there is no file " + e.getFile());
            return FAILED;
        } catch (CheckpointException | RecipeException | UnusableTokenizerException | UnusableGuardException e) {
            spec.commandLine().getErr().println("Cannot convert " + from + ": " + e.getMessage());
            return FAILED;
        }
    }
}
