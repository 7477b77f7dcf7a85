package dev.corral.quantization;

import dev.corral.guardmodels.prompt.GuardFamily;
import dev.corral.guardmodels.store.GuardManifest;
import dev.corral.guardmodels.store.OwnHazards;
import dev.corral.guardmodels.store.UnusableGuardException;
import dev.corral.guardmodels.tokenizer.UnusableTokenizerException;
import dev.corral.policies.assessment.Probability;
import dev.corral.quantization.recipe.Recipe;
import dev.corral.quantization.recipe.RecipeException;
import dev.corral.quantization.safetensors.CheckpointException;
import java.io.Console;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.Callable;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import me.tongfei.progressbar.ProgressBarStyle;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
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
    private static final String UNMEASURED = "Not measured; try: corral evaluate --guard DIR --data FILE.jsonl";

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

    @Option(
            names = "--family",
            paramLabel = "F",
            description = "llama-guard-3, llama-guard-3-8b or corral-starter. Default: by the weights.")
    private @Nullable String family;

    @Option(
            names = "--hazards",
            paramLabel = "FILE",
            description = {
                "YAML file with the hazards that the model was fine-tuned for: 'name', and 'hazards' of 'code', 'name'",
                "and optionally 'prompt'; see docs/guards.md. Default: those of the family."
            })
    private @Nullable Path hazards;

    @Option(names = "--id", paramLabel = "ID", description = "Name of the guard. Default: the name of the --to folder.")
    private @Nullable String id;

    @Option(names = "--licence", paramLabel = "TEXT", description = "Licence of the weights. Default: by the family.")
    private @Nullable String licence;

    @Option(names = "--quality", paramLabel = "TEXT", description = "One sentence of measured quality, for the log.")
    private @Nullable String quality;

    @Option(
            names = "--threshold",
            paramLabel = "P",
            defaultValue = "0.5",
            description = "P(unsafe) that policies without a threshold use. Default: ${DEFAULT-VALUE}.")
    private double threshold;

    @SuppressWarnings({"NullAway.Init", "initialization"}) // picocli sets the fields
    public QuantizeCommand() {}

    /** Runs the command and ends the JVM with its exit code: 0 done, 1 not possible, 2 wrong use. */
    public static void main(String[] arguments) {
        System.exit(new CommandLine(new QuantizeCommand()).execute(arguments));
    }

    @Override
    public Integer call() throws IOException {
        PrintWriter out = spec.commandLine().getOut();
        try {
            Recipe followed = recipe();
            GuardFamily guardFamily = family();
            Converter.Description description = description(guardFamily);
            GuardManifest manifest;
            try (Bar bar = new Bar()) {
                manifest = new Converter(tool()).convert(from, to, guardFamily, followed, description, bar);
            }
            out.printf(
                    Locale.ROOT,
                    "%s: %s, family %s, %d MB%nTry it: corral run --guard %s%n",
                    to,
                    manifest.made().recipe(),
                    guardFamily.id(),
                    size(to) / 1_000_000,
                    to);
            return CommandLine.ExitCode.OK;
        } catch (NoSuchFileException e) {
            spec.commandLine().getErr().println("Cannot convert " + from + ": there is no file " + e.getFile());
            return FAILED;
        } catch (CheckpointException | RecipeException | UnusableTokenizerException | UnusableGuardException e) {
            spec.commandLine().getErr().println("Cannot convert " + from + ": " + e.getMessage());
            return FAILED;
        }
    }

    private Recipe recipe() {
        try {
            return recipe.recipe();
        } catch (IllegalArgumentException e) {
            throw wrongUse(String.valueOf(e.getMessage()));
        }
    }

    private GuardFamily family() {
        if (family == null) {
            return Converter.family(from);
        }
        String named = family;
        return GuardFamily.byId(named)
                .orElseThrow(() -> wrongUse(
                        "--family must be llama-guard-3, llama-guard-3-8b or corral-starter: '" + named + "'"));
    }

    private Converter.Description description(GuardFamily guardFamily) throws IOException {
        String name = id == null ? String.valueOf(to.toAbsolutePath().getFileName()) : id;
        if (!name.matches("[A-Za-z0-9.-]+")) {
            throw wrongUse("--id must be letters, digits, dots and hyphens: '" + name + "'");
        }
        if (!(threshold > 0 && threshold <= 1)) {
            throw wrongUse("--threshold must be above 0 and at most 1: " + threshold);
        }
        String byFamily = switch (guardFamily) {
            case LLAMA_GUARD_3 -> "Llama 3.2 Community License";
            case LLAMA_GUARD_3_8B -> "Llama 3.1 Community License";
            case CORRAL_STARTER -> "Apache-2.0";
        };
        return new Converter.Description(
                name,
                Optional.ofNullable(licence).orElse(byFamily),
                Optional.ofNullable(quality).orElse(UNMEASURED),
                new Probability(threshold),
                hazards == null
                        ? Optional.empty()
                        : Optional.of(OwnHazards.parse(Files.readString(hazards), hazards.toString(), guardFamily)));
    }

    private ParameterException wrongUse(String message) {
        return new ParameterException(spec.commandLine(), message);
    }

    private static String tool() {
        return "corral "
                + Optional.ofNullable(QuantizeCommand.class.getPackage().getImplementationVersion())
                        .orElse("development");
    }

    private static long size(Path folder) throws IOException {
        try (var files = Files.list(folder)) {
            return files.mapToLong(file -> file.toFile().length()).sum();
        }
    }

    /** A progress bar on a terminal; nothing where the output goes to a file. */
    private static final class Bar implements Converter.Progress, AutoCloseable {

        private static final long MEGABYTE = 1_000_000;

        private @Nullable ProgressBar bar;

        @Override
        @SuppressWarnings("SystemConsoleNull") // it is null with -Djdk.console=java.base
        public void total(long bytes) {
            Console console = System.console();
            if (console != null && console.isTerminal()) {
                bar = new ProgressBarBuilder()
                        .setTaskName("Converting")
                        .setInitialMax(bytes)
                        .setUnit(" MB", MEGABYTE)
                        .setUpdateIntervalMillis((int) Duration.ofMillis(200).toMillis())
                        .setStyle(ProgressBarStyle.COLORFUL_UNICODE_BLOCK)
                        .build();
            } else {
                System.err.printf(Locale.ROOT, "Converting %d MB%n", bytes / MEGABYTE);
            }
        }

        @Override
        public void calibrated(int conversations, int all) {
            if (conversations == all) {
                System.err.printf(Locale.ROOT, "Read %d conversations%n", all);
            }
        }

        @Override
        public void written(long bytes) {
            if (bar != null) {
                bar.stepTo(bytes);
            }
        }

        @Override
        public void close() {
            if (bar != null) {
                bar.close();
            }
        }
    }
}
