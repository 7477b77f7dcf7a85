package dev.corral.benchmarks.figures;

import java.io.PrintWriter;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.Model.CommandSpec;

/** Prints figures as they are measured, and remembers whether all are within their limits. */
public final class Report {

    private final PrintWriter out;
    private boolean missed;

    private Report(PrintWriter out) {
        this.out = out;
    }

    /** Prints where a command prints. */
    public static Report of(@Nullable CommandSpec command) {
        return new Report(Objects.requireNonNull(command).commandLine().getOut());
    }

    public void say(String line) {
        out.println(line);
        out.flush();
    }

    /** Median and 90th percentile, with no limit. */
    public void times(String what, Times times) {
        say(row(what, times));
    }

    /** Median and 90th percentile; the limit is the median's. */
    public void times(String what, Times times, double limitMillis) {
        say(row(what, times)
                + "   limit %8.1f ms   %s".formatted(limitMillis, judged(times.medianMillis() <= limitMillis)));
    }

    /** One figure. */
    public void figure(String what, double value, String unit, double limit) {
        say("%-44s        %9.3f %s   limit %8.1f %s   %s"
                .formatted(what, value, unit, limit, unit, judged(value <= limit)));
    }

    private static String row(String what, Times times) {
        return "%-44s median %9.3f ms   p90 %9.3f ms".formatted(what, times.medianMillis(), times.p90Millis());
    }

    public int exitCode() {
        return missed ? ExitCode.SOFTWARE : ExitCode.OK;
    }

    private String judged(boolean holds) {
        missed |= !holds;
        return holds ? "ok" : "MISSED";
    }
}
