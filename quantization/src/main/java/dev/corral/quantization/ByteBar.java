package dev.corral.quantization;

import java.io.Console;
import java.io.PrintWriter;
import java.time.Duration;
import java.util.Optional;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import me.tongfei.progressbar.ProgressBarStyle;
import org.jspecify.annotations.Nullable;

/** How far a work of many bytes is: a bar on a terminal, a line for every tenth where the output goes to a file. */
final class ByteBar implements AutoCloseable {

    private static final long MEGABYTE = 1_000_000;
    private static final int STEPS = 10;

    private final String task;
    private final long total;
    private final PrintWriter err;
    private final @Nullable ProgressBar bar;
    private long step;

    ByteBar(String task, long total, PrintWriter err) {
        this.task = task;
        this.total = Math.max(total, 1);
        this.err = err;
        this.bar = onTerminal(task, total)
                .filter(_ -> total > MEGABYTE)
                .map(builder -> builder.showSpeed().build())
                .orElse(null);
    }

    /** A bar in megabytes; empty where there is no terminal to draw it on. */
    @SuppressWarnings("SystemConsoleNull") // it is null with -Djdk.console=java.base
    static Optional<ProgressBarBuilder> onTerminal(String task, long total) {
        Console console = System.console();
        return console == null || !console.isTerminal()
                ? Optional.empty()
                : Optional.of(new ProgressBarBuilder()
                        .setTaskName(task)
                        .setInitialMax(total)
                        .setUnit(" MB", MEGABYTE)
                        .setUpdateIntervalMillis((int) Duration.ofMillis(200).toMillis())
                        .setStyle(ProgressBarStyle.COLORFUL_UNICODE_BLOCK));
    }

    /** The bytes that are done by now. */
    synchronized void at(long bytes) {
        if (bar != null) {
            bar.stepTo(bytes);
        } else if (bytes * STEPS / total > step) {
            step = bytes * STEPS / total;
            err.println("%s: %d %% of %s".formatted(task, 100 * step / STEPS, new ByteCount(total)));
            err.flush();
        }
    }

    @Override
    public void close() {
        if (bar != null) {
            bar.close();
        }
    }
}
