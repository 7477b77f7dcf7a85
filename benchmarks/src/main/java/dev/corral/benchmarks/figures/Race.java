package dev.corral.benchmarks.figures;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;

/**
 * Measures several things by turns, so that what disturbs one of them disturbs the others as much.
 *
 * @param rounds of each, where there is time for so many
 * @param time after which a race of at least {@value #LEAST_ROUNDS} rounds ends
 */
public record Race(int rounds, Duration time) {

    private static final int LEAST_ROUNDS = 3;

    /** Something that takes time. */
    public interface Runner {

        /** Runs once, and tells how many nanoseconds of it count. */
        long nanos() throws InterruptedException;
    }

    /** Something all of whose time counts. */
    public interface Work {
        void run() throws InterruptedException;
    }

    /** Runs all of the work against the clock. */
    public static Runner timed(Work work) {
        return () -> {
            long start = System.nanoTime();
            work.run();
            return System.nanoTime() - start;
        };
    }

    /** Runs each once to warm up, then all by turns; the milliseconds of each. */
    public List<Sample> run(Runner... runners) throws InterruptedException {
        List<List<Double>> millis = new ArrayList<>();
        for (Runner runner : runners) {
            millis.add(new ArrayList<>());
            runner.nanos();
        }
        long start = System.nanoTime();
        int done = 0;
        while (done < rounds && (done < LEAST_ROUNDS || System.nanoTime() - start < time.toNanos())) {
            for (int i = 0; i < runners.length; i++) {
                millis.get(i).add(runners[i].nanos() / 1e6);
            }
            done++;
        }
        return IntStream.range(0, runners.length)
                .mapToObj(i -> Sample.of(millis.get(i)))
                .toList();
    }
}
