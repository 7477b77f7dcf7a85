package dev.corral.benchmarks.capacity;

import dev.corral.benchmarks.figures.Race;
import dev.corral.guardmodels.onnx.Resources;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Option;

/** How guards are measured. */
public final class GuardOptions {

    private static final int MOST_THREADS_OF_A_LANE = 4;

    @Option(
            names = "--lanes",
            paramLabel = "N",
            description = "verdicts at the same time (default: half the processors)")
    private int lanes;

    @Option(
            names = "--threads",
            paramLabel = "N",
            description = "threads of one verdict (default: what the processors allow, at most 4)")
    private int threads;

    @Option(
            names = "--cache",
            paramLabel = "MB",
            defaultValue = "256",
            description = "memory for what was read of conversations, in megabytes (default: ${DEFAULT-VALUE})")
    private long cacheMegabytes;

    @Option(
            names = "--rounds",
            paramLabel = "N",
            defaultValue = "15",
            description = "measurements of each figure (default: ${DEFAULT-VALUE})")
    private int rounds;

    @Option(
            names = "--seconds",
            paramLabel = "N",
            defaultValue = "15",
            description = "time for a figure, after which three rounds are enough (default: ${DEFAULT-VALUE})")
    private int seconds;

    @ArgGroup(exclusive = false)
    private @Nullable LlamaOptions llama;

    /** What llama.cpp is run with. */
    static final class LlamaOptions {

        @Option(
                names = "--llama-bench",
                required = true,
                paramLabel = "PROGRAM",
                description = "llama.cpp's llama-bench, to be compared with; it is run with flash attention")
        @Nullable
        Path program;

        @Option(
                names = "--gguf",
                required = true,
                paramLabel = "FILE",
                description = "a model of the same shape for it")
        @Nullable
        Path model;
    }

    /** As the gateway chooses them, where nothing else is wished. */
    Resources resources() {
        int chosenLanes = lanes > 0 ? lanes : Math.max(1, processors() / 2);
        int chosenThreads = threads > 0 ? threads : Math.clamp(processors() / chosenLanes, 1, MOST_THREADS_OF_A_LANE);
        return new Resources(chosenLanes, chosenThreads, cacheMegabytes << 20);
    }

    private static int processors() {
        return Runtime.getRuntime().availableProcessors();
    }

    Race race() {
        return new Race(rounds, Duration.ofSeconds(seconds));
    }

    int rounds() {
        return rounds;
    }

    Optional<LlamaCpp> llamaCpp() {
        return llama == null || llama.program == null || llama.model == null
                ? Optional.empty()
                : Optional.of(new LlamaCpp(llama.program, llama.model));
    }
}
