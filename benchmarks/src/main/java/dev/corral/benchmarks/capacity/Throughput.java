package dev.corral.benchmarks.capacity;

import dev.corral.benchmarks.figures.Race;
import dev.corral.benchmarks.figures.Row;
import dev.corral.benchmarks.figures.Sample;
import dev.corral.benchmarks.figures.Table;
import dev.corral.benchmarks.figures.Unit;
import dev.corral.benchmarks.products.Products;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.Semaphore;

/** Verdicts a second when several callers want them at the same time, each on a text of its own. */
final class Throughput {

    private static final List<Integer> CALLERS = List.of(1, 2, 4, 8);
    private static final int NEW_TOKENS = 64;

    private final Decoder decoder;
    private final Products products;
    private final Table table;
    private final int lanes;
    private final int rounds;
    private final int verdicts;

    /**
     * A bench of a loaded decoder.
     *
     * @param rounds how often the rates are measured
     * @param verdicts of each caller in a round
     */
    Throughput(Decoder decoder, Products products, Table table, int lanes, int rounds, int verdicts) {
        this.decoder = decoder;
        this.products = products;
        this.table = table;
        this.lanes = lanes;
        this.rounds = rounds;
        this.verdicts = verdicts;
    }

    /** All rows. */
    void all() throws InterruptedException {
        // products alone are computed by no more callers at once than there are lanes for verdicts
        Semaphore free = new Semaphore(lanes, true);
        try (Products.Pass pass = products.pass(NEW_TOKENS, Decoder.ROWS)) {
            Race.Work verdict = () -> decoder.judge(decoder.userPrefix(), decoder.tokens(NEW_TOKENS));
            Race.Work product = () -> {
                free.acquire();
                try {
                    pass.run();
                } finally {
                    free.release();
                }
            };
            for (int callers : CALLERS) {
                List<Double> rates = new ArrayList<>();
                List<Double> limits = new ArrayList<>();
                for (int round = 0; round < rounds; round++) {
                    rates.add(rate(callers, verdict));
                    limits.add(rate(callers, product));
                }
                table.add(Row.of(
                                "callers-" + callers,
                                "%d new tokens, prefix cached, %d callers at once".formatted(NEW_TOKENS, callers),
                                Unit.VERDICTS_PER_SECOND,
                                Sample.ofRates(rates))
                        .comparedWith("its products alone", Sample.ofRates(limits)));
            }
        }
    }

    private double rate(int callers, Race.Work work) throws InterruptedException {
        long start = System.nanoTime();
        List<Future<?>> running = new ArrayList<>();
        try (ExecutorService threads = Executors.newFixedThreadPool(callers)) {
            for (int caller = 0; caller < callers; caller++) {
                running.add(threads.submit(() -> {
                    for (int i = 0; i < verdicts; i++) {
                        work.run();
                    }
                    return null;
                }));
            }
            for (Future<?> one : running) {
                one.get();
            }
        } catch (ExecutionException e) {
            throw new IllegalStateException("a caller got no verdict", e.getCause());
        }
        return callers * verdicts / ((System.nanoTime() - start) / 1e9);
    }
}
