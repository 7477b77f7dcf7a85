package dev.corral.benchmarks.conversion;

import dev.corral.benchmarks.processes.JavaProcess;
import dev.corral.quantization.ModelCommand;
import dev.corral.quantization.QuantizeCommand;
import dev.corral.quantization.replica.PhoneReplica;
import dev.corral.quantization.replica.Replica;
import dev.corral.quantization.replica.ReplicaShape;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** A folder for random weights and for guards made of them: a temporary one, or one whose weights are kept. */
public final class Workplace implements AutoCloseable {

    private static final long SEED = 1;
    private static final double MEBIBYTE = 1 << 20;
    private static final String TOKENIZER = "tokenizer.json";

    private final Path folder;
    private final Optional<Path> kept;

    private Workplace(Path folder, Optional<Path> kept) {
        this.folder = folder;
        this.kept = kept;
    }

    /**
     * Opens a workplace.
     *
     * @param weights folder where random weights are kept, and looked for; null to make and delete them
     */
    public static Workplace open(@Nullable Path weights) throws IOException {
        if (weights != null) {
            Files.createDirectories(weights);
        }
        Path parent = weights == null ? Path.of(System.getProperty("java.io.tmpdir")) : weights;
        return new Workplace(Files.createTempDirectory(parent, "corral-bench-"), Optional.ofNullable(weights));
    }

    /** A guard, and what it took to make it. */
    public record Made(Path guard, JavaProcess.Usage usage) {

        /** What the guard takes on disk without its tokenizer, in MiB. */
        public double mebibytes() throws IOException {
            return Workplace.mebibytes(guard);
        }
    }

    /** What a guard takes on disk without its tokenizer, in MiB. */
    public static double mebibytes(Path guard) throws IOException {
        return size(guard) - Files.size(guard.resolve(TOKENIZER)) / MEBIBYTE;
    }

    /** Random weights of a shape, in bfloat16. */
    public Path weights(ReplicaShape shape) throws IOException {
        boolean cut = ReplicaShape.byId(shape.id())
                .filter(whole -> !whole.equals(shape))
                .isPresent();
        String name = cut ? shape.id() + "-" + shape.layers() + "-layers" : shape.id();
        Path directory = kept.orElse(folder).resolve(name);
        if (!Files.exists(directory)) {
            new Replica(shape, SEED).write(directory, _ -> {});
        }
        return directory;
    }

    /**
     * Quantises weights in a process of its own, by the command that users run.
     *
     * @param recipe options of {@code corral quantize}
     */
    public Made quantise(Path weights, List<String> recipe) throws IOException, InterruptedException {
        Path guard = Files.createTempDirectory(folder, "guards-").resolve("guard");
        List<String> arguments = new ArrayList<>(List.of("--from", weights.toString(), "--to", guard.toString()));
        arguments.addAll(recipe);
        try (JavaProcess process = JavaProcess.start(QuantizeCommand.class, arguments)) {
            return new Made(guard, process.await());
        }
    }

    /** A program for phones, and the files beside it. */
    public record Phone(Path folder) {

        /** What the program takes on disk, in MiB. */
        double mebibytes() throws IOException {
            return Files.size(folder.resolve(PhoneReplica.PROGRAM)) / MEBIBYTE;
        }
    }

    /** A program of a shape, with random weights of 4 bits. */
    Phone phone(ReplicaShape shape) throws IOException {
        Path to = folder.resolve("phone");
        new PhoneReplica(shape, SEED).write(to);
        return new Phone(to);
    }

    /** Imports a program in a process of its own, by the command that users run. */
    Made importGuard(Phone phone) throws IOException, InterruptedException {
        Path guard = Files.createTempDirectory(folder, "guards-").resolve("guard");
        List<String> arguments = List.of(
                "import",
                phone.folder.resolve(PhoneReplica.PROGRAM).toString(),
                "--tokenizer",
                phone.folder.resolve(PhoneReplica.TOKENIZER).toString(),
                "--params",
                phone.folder.resolve(PhoneReplica.PARAMETERS).toString(),
                "--to",
                guard.toString());
        try (JavaProcess process = JavaProcess.start(ModelCommand.class, arguments)) {
            return new Made(guard, process.await());
        }
    }

    /** All files of a folder together, in MiB. */
    static double size(Path directory) throws IOException {
        long bytes = 0;
        try (var files = Files.walk(directory)) {
            for (Path file : files.filter(Files::isRegularFile).toList()) {
                bytes += Files.size(file);
            }
        }
        return bytes / MEBIBYTE;
    }

    /** Deletes a guard that was made here and is not needed any more. */
    public void drop(Made made) throws IOException {
        deleteTree(made.guard());
    }

    @Override
    public void close() throws IOException {
        deleteTree(folder);
    }

    private static void deleteTree(Path directory) throws IOException {
        try (var files = Files.walk(directory)) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(file);
            }
        }
    }
}
