package dev.corral.benchmarks.conversion;

import dev.corral.benchmarks.figures.Row;
import dev.corral.benchmarks.figures.Sample;
import dev.corral.benchmarks.figures.Table;
import dev.corral.benchmarks.figures.Unit;
import java.io.IOException;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code corral bench quantize}: what making a guard costs. */
@Command(
        name = "quantize",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description = {
            "What it costs to quantise weights: 'corral quantize' in a process of its own, on random weights of a shape.",
            "",
            "The rows:",
            "  time                the whole command, from its start to its end",
            "  heap and native     the most memory that it had beside mapped files, whose pages the system may drop",
            "  on disk             the guard directory without its tokenizer",
            ""
        },
        footerHeading = "%nExample:%n",
        footer = "  corral bench quantize --shape llama-guard-3-1b --precision int4")
public final class QuantizeBench implements Callable<Integer> {

    @ArgGroup(exclusive = false, multiplicity = "1")
    private @Nullable RandomGuard random;

    @Option(names = "--json", description = "print one JSON document in place of the table")
    private boolean json;

    @Spec
    private @Nullable CommandSpec spec;

    @Override
    public Integer call() throws IOException, InterruptedException {
        Table table = new Table(Objects.requireNonNull(spec).commandLine().getOut(), json);
        RandomGuard guard = Objects.requireNonNull(random);
        try (Workplace workplace = guard.workplace()) {
            table.section(guard.label());
            add(guard.make(workplace), Limits.NONE, table);
        }
        return table.finish();
    }

    /** What a conversion is held to. */
    public record Limits(Optional<Row.Bar> seconds, Optional<Row.Bar> memory, Optional<Row.Bar> disk) {

        /** Nothing. */
        public static final Limits NONE = new Limits(Optional.empty(), Optional.empty(), Optional.empty());
    }

    /** Adds what a guard took to make. */
    public static void add(Workplace.Made made, Limits limits, Table table) throws IOException {
        String memory = "quantising: heap and native memory";
        table.add(row(
                "quantize-time", "quantising: time", Unit.SECONDS, made.usage().seconds(), limits.seconds()));
        if (made.usage().mostAnonymousMebibytes() > 0) {
            table.add(row(
                    "quantize-memory", memory, Unit.MEBIBYTES, made.usage().mostAnonymousMebibytes(), limits.memory()));
        } else {
            table.leaveOut("quantize-memory", memory, "only Linux tells a process's memory");
        }
        table.add(
                row("guard-disk", "guard on disk, without tokenizer", Unit.MEBIBYTES, made.mebibytes(), limits.disk()));
    }

    private static Row row(String id, String what, Unit unit, double value, Optional<Row.Bar> bar) {
        Row row = Row.of(id, what, unit, Sample.once(value));
        return bar.map(row::heldTo).orElse(row);
    }
}
