package dev.corral.benchmarks.capacity;

import dev.corral.benchmarks.conversion.RandomGuard;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Option;

/** Whose figures a benchmark prints: one of a directory, or one of random weights. */
final class Subject {

    @Option(names = "--guard", paramLabel = "DIR", description = "a guard directory that 'corral quantize' wrote")
    @Nullable
    Path guard;

    @ArgGroup(exclusive = false)
    @Nullable
    RandomGuard random;
}
