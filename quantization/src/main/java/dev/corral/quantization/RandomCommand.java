package dev.corral.quantization;

import dev.corral.guardmodels.store.GuardStore;
import dev.corral.quantization.replica.Replica;
import dev.corral.quantization.replica.ReplicaShape;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code corral model random}: the command line of {@link Replica}. */
@Command(
        name = "random",
        header = "make weights of a guard's true geometry, without meaning and without a licence",
        description = {
            "",
            "Makes a Hugging Face model folder with the geometry of a true guard and random weights (bf16), to measure"
                    + " speed, memory and disk before the true weights are there. Its verdicts are noise.",
            "",
            "Llama's tokenizer is not free to be shipped: the one written here has its size, its special tokens and the"
                    + " verdict's token ids, but other words. A guard's prompt has nearly as many tokens as with the true"
                    + " one, other English text up to half as many more.",
            ""
        },
        footer = {
            "",
            "Examples:",
            "  corral model random --shape llama-guard-3-1b --to random-1b",
            "  corral quantize --from random-1b --to random-1b-int4 --precision int4",
            "  corral model random --shape llama-guard-3-8b --layers 4 --to random-8b-short",
            "  corral model random --shape llama-guard-3-11b-vision --layers 9 --to random-vision-short"
        },
        mixinStandardHelpOptions = true,
        sortOptions = false,
        usageHelpWidth = 100)
final class RandomCommand implements Callable<Integer> {

    @Spec
    private CommandSpec spec;

    @Option(
            names = "--shape",
            required = true,
            paramLabel = "S",
            description = "llama-guard-3-1b (3.0 GB), llama-guard-3-1b-pruned (2.2 GB), llama-guard-3-8b (16 GB) or"
                    + " llama-guard-3-11b-vision (21 GB).")
    private String shape;

    @Option(names = "--to", required = true, paramLabel = "DIR", description = "Folder to make; must not exist yet.")
    private Path to;

    @Option(
            names = "--seed",
            paramLabel = "N",
            defaultValue = "1",
            description = "The same seed gives the same bytes. Default: ${DEFAULT-VALUE}.")
    private long seed;

    @Option(names = "--layers", paramLabel = "N", description = "Another number of decoder layers than the true one.")
    private @Nullable Integer layers;

    @SuppressWarnings({"NullAway.Init", "initialization"}) // picocli sets the fields
    RandomCommand() {}

    @Override
    public Integer call() throws IOException {
        Replica replica = new Replica(shape(), seed);
        new DiskSpace().add(to, replica.bytes()).require();
        try (ByteBar bar =
                new ByteBar("Writing", replica.bytes(), spec.commandLine().getErr())) {
            replica.write(to, bar::at);
        }
        GuardStore.seal(to);
        PrintWriter out = spec.commandLine().getOut();
        out.printf(
                "%s: %s, %d layers, seed %d, %s of random weights%n",
                to, shape, replica.shape().layers(), seed, new ByteCount(replica.bytes()));
        out.printf(
                "Try it: corral quantize --from %s --to %s-int4 --precision int4%s --licence none --quality 'Random weights'%n",
                to, to, shape.equals("llama-guard-3-8b") && layers != null ? " --family llama-guard-3-8b" : "");
        out.flush();
        return ExitCode.OK;
    }

    private ReplicaShape shape() {
        ReplicaShape known = ReplicaShape.byId(shape)
                .orElseThrow(() -> wrongUse("--shape must be one of "
                        + ReplicaShape.ALL.stream().map(ReplicaShape::id).collect(Collectors.joining(", ")) + ": '"
                        + shape + "'"));
        if (layers == null) {
            return known;
        }
        if (layers < 1) {
            throw wrongUse("--layers must be at least 1: " + layers);
        }
        try {
            return known.withLayers(layers);
        } catch (IllegalArgumentException e) {
            throw wrongUse("--layers: " + e.getMessage());
        }
    }

    private ParameterException wrongUse(String message) {
        return new ParameterException(spec.commandLine(), message);
    }
}
