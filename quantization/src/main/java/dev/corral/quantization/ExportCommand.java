package dev.corral.quantization;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.corral.guardmodels.store.GuardDirectory;
import dev.corral.guardmodels.store.GuardManifest;
import dev.corral.guardmodels.store.GuardStore;
import dev.corral.quantization.checkpoint.Checkpoint;
import dev.corral.quantization.checkpoint.CheckpointException;
import dev.corral.quantization.gguf.GgufExport;
import dev.corral.quantization.graph.GuardGraph;
import dev.corral.quantization.graph.LlamaConfig;
import dev.corral.quantization.graph.Matrix;
import dev.corral.quantization.safetensors.CheckpointWriter;
import dev.corral.quantization.safetensors.SafetensorsTensor;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code corral model export}: a guard for other programs to serve. */
@Command(
        name = "export",
        header = "write a guard as a GGUF file, or as a Hugging Face folder, for llama.cpp, Ollama or vLLM",
        description = {
            "",
            "Writes a guard that was made here so that other programs can serve it. 4-bit and 8-bit numbers in blocks"
                    + " become Q4_0 and Q8_0 of a GGUF file number for number; all other weights become F32, which is"
                    + " exact, or what --rest says.",
            "",
            "A guard has kept the output's rows of its verdict only. All other tokens get the mean of these rows, so that"
                    + " none of them is ever likelier than every token of a verdict. The starter guard's head has no"
                    + " tokens: in GGUF its rows get some, and how it is asked stands in the file's description.",
            ""
        },
        footer = {
            "",
            "Examples:",
            "  corral model export --to gguf llama-guard-3-1b-int4 llama-guard-3-1b.gguf",
            "  corral model export --to safetensors --rest bf16 llama-guard-3-1b-int4 llama-guard-3-1b",
            "  corral model export --to safetensors corral-starter starter"
        },
        mixinStandardHelpOptions = true,
        sortOptions = false,
        usageHelpWidth = 100)
final class ExportCommand implements Callable<Integer> {

    private static final String STARTER = "corral-starter";

    @Spec
    private CommandSpec spec;

    @Mixin
    private final ModelsOption models;

    @Option(names = "--to", required = true, paramLabel = "FORMAT", description = "gguf or safetensors.")
    private String format;

    @Option(
            names = "--rest",
            paramLabel = "TYPE",
            description =
                    "What weights become that are no blocks: f32 (the default), f16, of GGUF q8_0, of safetensors bf16.")
    private @Nullable String rest;

    @Parameters(
            index = "0",
            paramLabel = "DIR",
            description = "A guard's directory, the id of one that 'corral model list' shows, or corral-starter.")
    private String guard;

    @Parameters(index = "1", paramLabel = "OUT", description = "File or folder to make; must not exist yet.")
    private Path out;

    @SuppressWarnings({"NullAway.Init", "initialization"}) // picocli sets the fields
    ExportCommand(Environment environment) {
        this.models = new ModelsOption(environment);
    }

    @Override
    public Integer call() throws IOException {
        Optional<GgufExport.Rest> gguf = Optional.empty();
        SafetensorsTensor.Type type = SafetensorsTensor.Type.F32;
        switch (format) {
            case "gguf" -> gguf = Optional.of(choice(GgufExport.Rest.values(), GgufExport.Rest.F32));
            case "safetensors" -> type = choice(SafetensorsTensor.Type.values(), type);
            default -> throw wrongUse("--to must be gguf or safetensors: '" + format + "'");
        }
        if (Files.exists(out)) {
            throw wrongUse(out + " exists already: name another one, or delete it");
        }
        GuardDirectory directory =
                guard.equals(STARTER) ? GuardStore.starter() : GuardStore.open(models.directory(guard));
        if (directory.manifest().vision().isPresent()) {
            throw new CheckpointException(
                    "%s sees images, and only guards for text are exported: take the model that it was made of"
                            .formatted(directory.origin()));
        }
        try (GuardGraph graph = GuardGraph.open(directory.model())) {
            if (gguf.isPresent()) {
                gguf(directory, graph, gguf.get());
            } else {
                safetensors(directory, graph, type);
            }
        }
        PrintWriter said = spec.commandLine().getOut();
        said.printf("%s: %s of %s%n", out, format, directory.manifest().id());
        said.flush();
        return ExitCode.OK;
    }

    private <T extends Enum<T>> T choice(T[] types, T otherwise) {
        if (rest == null) {
            return otherwise;
        }
        return Arrays.stream(types)
                .filter(type -> type.name().equalsIgnoreCase(rest))
                .findFirst()
                .orElseThrow(() -> wrongUse("--rest must be one of "
                        + Arrays.stream(types)
                                .map(type -> type.name().toLowerCase(Locale.ROOT))
                                .collect(Collectors.joining(", "))
                        + " for " + format + ": '" + rest + "'"));
    }

    private void gguf(GuardDirectory directory, GuardGraph graph, GgufExport.Rest type) throws IOException {
        GuardManifest manifest = directory.manifest();
        Served served = served(directory, graph);
        Matrix output = served.output();
        if (served.classifies()) {
            float[] others = QuietRow.of(directory, graph).values(graph.config().hidden());
            output = new VerdictOutput(served.config().vocabulary(), graph.head(), served.verdictTokens(), others);
        }
        GgufExport.About about = new GgufExport.About(
                manifest.id(),
                manifest.licence(),
                ModelCard.of(directory).generator(),
                manifest.family().chatTemplate(manifest.hazards().categories()),
                served.verdictTokens());
        GgufExport export =
                new GgufExport(served.config(), served.weights(), output, served.tokenizerJson(), about, type);
        new DiskSpace().add(out, export.bytes()).require();
        try (ByteBar bar =
                new ByteBar("Writing", export.bytes(), spec.commandLine().getErr())) {
            export.write(out, bar::at);
        } catch (IOException | RuntimeException e) {
            Files.deleteIfExists(out);
            throw e;
        }
    }

    /**
     * A guard as others serve it.
     *
     * @param output a row for each token; the head itself where its rows stand for no tokens
     * @param verdictTokens that such a head's rows get
     */
    private record Served(
            LlamaConfig config, Checkpoint weights, String tokenizerJson, Matrix output, List<Integer> verdictTokens) {

        Served {
            verdictTokens = List.copyOf(verdictTokens);
        }

        boolean classifies() {
            return !verdictTokens.isEmpty();
        }
    }

    private static Served served(GuardDirectory directory, GuardGraph graph) {
        Optional<Matrix> output = output(directory, graph);
        if (output.isPresent()) {
            return new Served(
                    graph.config(), graph, new String(directory.tokenizerJson(), UTF_8), output.get(), List.of());
        }
        ServedStarter starter = ServedStarter.of(directory, graph);
        return new Served(
                starter.config(), starter.weights(), starter.tokenizerJson(), graph.head(), starter.verdictTokens());
    }

    /** A row for each token; empty where the guard's head has rows of its own, for no tokens. */
    private static Optional<Matrix> output(GuardDirectory directory, GuardGraph graph) {
        GuardManifest manifest = directory.manifest();
        List<Integer> tokens = manifest.verdict().tokens();
        if (!manifest.family().promptHasCategories()) {
            return Optional.empty();
        }
        if (tokens.isEmpty()) {
            throw new CheckpointException(
                    "%s does not say which tokens its head's rows are of ('verdict.tokens' of guard.yaml): make it again"
                            .formatted(directory.origin()));
        }
        return Optional.of(
                new VerdictOutput(graph.config().vocabulary(), graph.head(), tokens, VerdictOutput.mean(graph.head())));
    }

    private void safetensors(GuardDirectory directory, GuardGraph graph, SafetensorsTensor.Type type)
            throws IOException {
        Served served = served(directory, graph);
        Checkpoint weights = served.weights();
        Map<String, Matrix> matrices = new LinkedHashMap<>();
        List<CheckpointWriter.Entry> entries = new ArrayList<>();
        for (String name : weights.names()) {
            entries.add(
                    new CheckpointWriter.Entry(name, type, weights.require(name).shape()));
            if (weights.require(name).shape().size() == 2) {
                matrices.put(name, Matrix.of(weights.require(name)));
            }
        }
        Matrix head = served.output();
        String headName = served.classifies() ? Original.SCORE : "lm_head.weight";
        matrices.put(headName, head);
        entries.add(new CheckpointWriter.Entry(headName, type, List.of((long) head.rows(), (long) head.columns())));
        long bytes = entries.stream().mapToLong(CheckpointWriter.Entry::bytes).sum();
        new DiskSpace().add(out, bytes).require();
        Files.createDirectories(out);
        new HuggingFaceFolder(directory.manifest(), directory.origin(), served.classifies())
                .write(out, served.config(), served.tokenizerJson(), ModelCard.of(directory));
        long[] written = {0};
        try (ByteBar bar = new ByteBar("Writing", bytes, spec.commandLine().getErr())) {
            new CheckpointWriter(CheckpointWriter.SHARD_BYTES).write(out, entries, (entry, channel) -> {
                Matrix matrix = matrices.get(entry.name());
                float[] vector = matrix == null ? weights.require(entry.name()).vector() : new float[0];
                int rows = matrix == null ? 1 : matrix.rows();
                float[] row = matrix == null ? vector : new float[matrix.columns()];
                byte[] stored = new byte[row.length * type.bytes()];
                for (int r = 0; r < rows; r++) {
                    if (matrix != null) {
                        matrix.row(r, row);
                    }
                    put(type, row, ByteBuffer.wrap(stored).order(ByteOrder.LITTLE_ENDIAN));
                    ByteBuffer next = ByteBuffer.wrap(stored);
                    while (next.hasRemaining()) {
                        channel.write(next);
                    }
                    written[0] += stored.length;
                    bar.at(written[0]);
                }
            });
        }
    }

    private static void put(SafetensorsTensor.Type type, float[] row, ByteBuffer target) {
        for (float weight : row) {
            switch (type) {
                case F32 -> target.putFloat(weight);
                case F16 -> target.putShort(Float.floatToFloat16(weight));
                case BF16 -> target.putShort(nearestBf16(weight));
            }
        }
    }

    /** To the nearest, and halfway to the even one. */
    private static short nearestBf16(float weight) {
        int bits = Float.floatToRawIntBits(weight);
        return (short) ((bits + 0x7FFF + ((bits >>> 16) & 1)) >>> 16);
    }

    private ParameterException wrongUse(String message) {
        return new ParameterException(spec.commandLine(), message);
    }
}
