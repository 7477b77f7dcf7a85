package dev.corral.quantization;

import dev.corral.guardmodels.store.GuardStore;
import dev.corral.guardmodels.store.Precision;
import dev.corral.quantization.hub.DownloadRecord;
import dev.corral.quantization.hub.Hub;
import dev.corral.quantization.hub.HubAddress;
import dev.corral.quantization.hub.HubException;
import dev.corral.quantization.hub.ModelDownload;
import dev.corral.quantization.hub.Patience;
import dev.corral.quantization.hub.Repository;
import dev.corral.quantization.hub.RepositoryName;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code corral model pull}: from a repository of a hub to a guard. */
@Command(
        name = "pull",
        header = "download a model, verify it, and make a guard of it",
        description = {
            "",
            "Downloads the files of a Hugging Face repository that a guard is made of, compares them with the hub's"
                    + " checksums, and quantises them as 'corral quantize' does. A download that was broken off goes on"
                    + " where it stopped when the same command is given again.",
            "",
            "Meta's repositories are gated: accept the licence at https://huggingface.co/meta-llama/Llama-Guard-3-1B, make"
                    + " a token at https://huggingface.co/settings/tokens, and set it as HF_TOKEN or store it with 'hf auth"
                    + " login'. The token is sent to the hub alone, and never printed.",
            ""
        },
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {
            "0:the guard is there",
            "1:the model cannot be had, is not what the hub lists, or cannot be converted",
            "2:wrong usage"
        },
        footer = {
            "",
            "Examples:",
            "  corral model pull meta-llama/Llama-Guard-3-1B",
            "  corral model pull meta-llama/Llama-Guard-3-1B --precision int4 --to guards/llama-guard -- --block-size 64",
            "  HF_ENDPOINT=https://hub.example.com corral model pull meta-llama/Llama-Guard-3-8B --weights-only"
        },
        mixinStandardHelpOptions = true,
        sortOptions = false,
        usageHelpWidth = 100)
final class PullCommand implements Callable<Integer> {

    private static final int PRECISION_OF_WEIGHTS = 16;
    private static final String LOCK = ".lock";

    private final Environment environment;
    private final Patience patience;

    @Spec
    private CommandSpec spec;

    @Parameters(index = "0", paramLabel = "OWNER/NAME", description = "The repository.")
    private String repository;

    @Parameters(
            index = "1..*",
            paramLabel = "QUANTIZE-OPTION",
            description = "After --: more options for 'corral quantize'.")
    private List<String> quantizeOptions = new ArrayList<>();

    @Option(
            names = "--precision",
            paramLabel = "P",
            defaultValue = "int8",
            description = "As 'corral quantize' knows it. Default: ${DEFAULT-VALUE}.")
    private String precision;

    @Option(
            names = "--to",
            paramLabel = "DIR",
            description = "Folder of the guard; must not exist yet. Default: guards/NAME-PRECISION among the models.")
    private @Nullable Path to;

    @Option(names = "--weights-only", description = "Download and verify, but make no guard.")
    private boolean weightsOnly;

    @Option(names = "--delete-weights", description = "Delete the download once the guard is made.")
    private boolean deleteWeights;

    @Option(
            names = "--revision",
            paramLabel = "R",
            defaultValue = "main",
            description = "A branch, a tag or a commit. Default: ${DEFAULT-VALUE}.")
    private String revision;

    @Option(
            names = "--hub",
            paramLabel = "URL",
            description = "The hub. Default: HF_ENDPOINT, or " + HubAddress.HUGGING_FACE + ".")
    private @Nullable String hub;

    @Mixin
    private final ModelsOption models;

    @SuppressWarnings({"NullAway.Init", "initialization"}) // picocli sets the fields
    PullCommand(Environment environment) {
        this(environment, Patience.DEFAULT);
    }

    @SuppressWarnings({"NullAway.Init", "initialization"}) // picocli sets the fields
    PullCommand(Environment environment, Patience patience) {
        this.environment = environment;
        this.patience = patience;
        this.models = new ModelsOption(environment);
    }

    @Override
    public Integer call() throws IOException {
        RepositoryName name = name();
        HubAddress address = address();
        Path guard = guard(name);
        requireUsableOptions(guard);
        Path weights = models.folder().weights(name);
        Files.createDirectories(weights);
        try (FileChannel channel =
                        FileChannel.open(weights.resolve(LOCK), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
                FileLock _ = lock(channel, weights);
                Hub client = new Hub(address, environment.token(), Tool.name(), patience)) {
            download(client, address, name, weights, guard);
        }
        if (weightsOnly) {
            out().printf("Make a guard of it: corral quantize --from %s --to DIR --precision %s%n", weights, precision);
            out().flush();
            return ExitCode.OK;
        }
        int code = quantize(weights, guard);
        if (code == ExitCode.OK && deleteWeights) {
            delete(weights);
        }
        return code;
    }

    private RepositoryName name() {
        try {
            return RepositoryName.parse(repository);
        } catch (IllegalArgumentException e) {
            throw wrongUse(String.valueOf(e.getMessage()));
        }
    }

    private HubAddress address() {
        try {
            return HubAddress.parse(hub == null ? environment.hub() : hub);
        } catch (IllegalArgumentException e) {
            throw wrongUse(String.valueOf(e.getMessage()));
        }
    }

    private Path guard(RepositoryName name) {
        String id = name.name().toLowerCase(Locale.ROOT).replace('_', '-') + "-" + precision;
        return to == null ? models.folder().guard(id) : to;
    }

    /** What 'corral quantize' would refuse after gigabytes came is refused before. */
    private void requireUsableOptions(Path guard) {
        if (weightsOnly) {
            if (to != null || deleteWeights || !quantizeOptions.isEmpty()) {
                throw wrongUse("--weights-only makes no guard: leave --to, --delete-weights and quantize options out");
            }
            return;
        }
        if (Precision.byLabel(precision).isEmpty()) {
            throw wrongUse("--precision must be one of "
                    + Arrays.stream(Precision.values()).map(Precision::label).collect(Collectors.joining(", ")) + ": '"
                    + precision + "'");
        }
        if (Files.exists(guard)) {
            throw wrongUse(guard + " exists already: name a folder that does not with --to, or delete it");
        }
        try {
            new CommandLine(new QuantizeCommand()).parseArgs(quantizeArguments(Path.of("."), guard));
        } catch (ParameterException e) {
            throw wrongUse("'corral quantize' does not know these options: " + e.getMessage());
        }
    }

    private void download(Hub client, HubAddress address, RepositoryName name, Path weights, Path guard)
            throws IOException {
        Repository listed = client.repository(name, revision);
        ModelDownload download = ModelDownload.choose(client, listed, weights);
        DiskSpace disk = new DiskSpace().add(weights, download.missingBytes(weights));
        if (!weightsOnly) {
            disk.add(guard, guardBytes(download.bytes()));
        }
        disk.require();
        out().printf(
                        "%s at %s: %s in %d files to %s%n",
                        name,
                        listed.commit().substring(0, 10),
                        new ByteCount(download.bytes()),
                        download.files().size(),
                        weights);
        out().flush();
        try (ByteBar bar = new ByteBar("Downloading", download.bytes(), err())) {
            download.run(client, weights, (_, bytes) -> bar.at(bytes));
        }
        new DownloadRecord(address.toString(), name.toString(), revision, listed.commit()).write(weights);
        GuardStore.seal(weights);
        out().println("Every file is the one that the hub lists.");
        out().flush();
    }

    /** Roughly, and rather too much: weights come with 16 bits. */
    private long guardBytes(long weightBytes) {
        int bits = switch (Precision.byLabel(precision).orElse(Precision.FP32)) {
            case INT4 -> 6;
            case INT8 -> 9;
            default -> 33;
        };
        return weightBytes / PRECISION_OF_WEIGHTS * bits;
    }

    private static FileLock lock(FileChannel channel, Path weights) throws IOException {
        String busy = "another 'corral model pull' is at work in %s: wait for it, or end it".formatted(weights);
        try {
            return Optional.ofNullable(channel.tryLock()).orElseThrow(() -> new HubException(busy));
        } catch (OverlappingFileLockException e) {
            throw new HubException(busy, e);
        }
    }

    private int quantize(Path weights, Path guard) {
        return new CommandLine(new QuantizeCommand())
                .setOut(out())
                .setErr(err())
                .setExecutionExceptionHandler(spec.root().commandLine().getExecutionExceptionHandler())
                .execute(quantizeArguments(weights, guard));
    }

    private String[] quantizeArguments(Path weights, Path guard) {
        return Stream.concat(
                        Stream.of("--from", weights.toString(), "--to", guard.toString(), "--precision", precision),
                        quantizeOptions.stream())
                .toArray(String[]::new);
    }

    private void delete(Path weights) throws IOException {
        try (Stream<Path> files = Files.list(weights)) {
            for (Path file : files.filter(Files::isRegularFile).toList()) {
                Files.delete(file);
            }
        }
        Files.delete(weights);
        out().println("Deleted " + weights);
        out().flush();
    }

    private ParameterException wrongUse(String message) {
        return new ParameterException(spec.commandLine(), message);
    }

    private PrintWriter out() {
        return spec.commandLine().getOut();
    }

    private PrintWriter err() {
        return spec.commandLine().getErr();
    }
}
