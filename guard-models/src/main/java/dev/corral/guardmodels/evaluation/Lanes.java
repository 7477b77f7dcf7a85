package dev.corral.guardmodels.evaluation;

import dev.corral.guardmodels.dataset.LabelledRow;
import dev.corral.guardmodels.guard.Guard;
import dev.corral.policies.assessment.Assessment;
import java.io.Console;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import me.tongfei.progressbar.ProgressBarStyle;
import org.jspecify.annotations.Nullable;

/** Has a guard judge rows, several at once. Answers come in the order of the rows, whoever was done first. */
final class Lanes {

    private Lanes() {}

    /** What the guard said, and how long the row took in its lane. */
    record Answer(Assessment assessment, long nanoseconds) {}

    /**
     * Judges all rows.
     *
     * @param lanes at most so many at once
     * @param name of the guard, for the progress bar
     */
    static List<Answer> judge(Guard guard, List<LabelledRow> rows, int lanes, String name) {
        try (ProgressBar bar = bar(name, rows.size());
                ExecutorService workers = Executors.newFixedThreadPool(lanes)) {
            List<Future<Answer>> pending = new ArrayList<>();
            for (LabelledRow row : rows) {
                pending.add(workers.submit(() -> {
                    long start = System.nanoTime();
                    Assessment assessment = guard.assess(row.conversation());
                    Answer answer = new Answer(assessment, System.nanoTime() - start);
                    if (bar != null) {
                        bar.step();
                    }
                    return answer;
                }));
            }
            List<Answer> answers = new ArrayList<>();
            try {
                for (Future<Answer> one : pending) {
                    answers.add(one.get());
                }
            } catch (ExecutionException e) {
                workers.shutdownNow();
                throw new IllegalStateException("a guard must not throw", e.getCause());
            } catch (InterruptedException e) {
                workers.shutdownNow();
                Thread.currentThread().interrupt();
                throw new IllegalStateException("interrupted before all rows were judged", e);
            }
            return answers;
        }
    }

    /** On a terminal; nothing where the output goes to a file. */
    @SuppressWarnings("SystemConsoleNull") // it is null with -Djdk.console=java.base
    private static @Nullable ProgressBar bar(String name, int rows) {
        Console console = System.console();
        return console == null || !console.isTerminal()
                ? null
                : new ProgressBarBuilder()
                        .setTaskName("Judging, " + name)
                        .setInitialMax(rows)
                        .setUnit(" rows", 1)
                        .setStyle(ProgressBarStyle.COLORFUL_UNICODE_BLOCK)
                        .build();
    }
}
