package dev.corral.benchmarks.capacity;

import dev.corral.benchmarks.figures.Row;
import dev.corral.benchmarks.figures.Table;
import dev.corral.benchmarks.products.Products;
import dev.corral.guardmodels.onnx.Resources;
import dev.corral.guardmodels.store.GuardDirectory;
import dev.corral.guardmodels.store.GuardStore;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;

/** Everything that is measured of one guard. */
public final class GuardFigures {

    private static final int THROUGHPUT_ROUNDS = 5;
    private static final int VERDICTS = 8;

    private final Path guard;
    private final GuardOptions options;
    private final Table table;

    /** Figures of a guard directory, to be added to a table. */
    public GuardFigures(Path guard, GuardOptions options, Table table) {
        this.guard = guard;
        this.options = options;
        this.table = table;
    }

    /** The whole table for planners. */
    public void all() throws IOException, InterruptedException {
        measure((times, throughput) -> {
            times.all();
            throughput.all();
        });
        new MemoryUse(guard, options.resources(), table).all(Optional.empty());
    }

    /** The times that have limits. */
    public void limitedTimes() throws IOException, InterruptedException {
        measure((times, _) -> times.limited());
    }

    /** The memory of a process that holds the guard. */
    public void memory(Optional<Row.Bar> afterLoad) throws IOException {
        new MemoryUse(guard, options.resources(), table).all(afterLoad);
    }

    private interface Figures {
        void add(VerdictTimes times, Throughput throughput) throws InterruptedException;
    }

    private void measure(Figures figures) throws IOException, InterruptedException {
        GuardDirectory directory = GuardStore.open(guard);
        Resources resources = options.resources();
        int lanes = resources.lanes();
        int threads = resources.threads();
        table.say("%d lane%s of %d thread%s".formatted(lanes, lanes == 1 ? "" : "s", threads, threads == 1 ? "" : "s"));
        try (Decoder decoder = Decoder.load(directory, resources);
                Products products = Products.of(Decoder.file(directory), resources)) {
            figures.add(
                    new VerdictTimes(decoder, products, options.race(), table),
                    new Throughput(
                            decoder, products, table, lanes, Math.min(options.rounds(), THROUGHPUT_ROUNDS), VERDICTS));
            Optional<LlamaCpp> llama = options.llamaCpp();
            if (llama.isPresent()) {
                llama.get().compare(decoder, threads, options.race(), table);
            } else {
                LlamaCpp.leaveOut(table);
            }
        }
    }
}
