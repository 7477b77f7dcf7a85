package dev.corral.benchmarks.conversion;

import dev.corral.benchmarks.figures.Row;
import dev.corral.benchmarks.figures.Sample;
import dev.corral.benchmarks.figures.Table;
import dev.corral.benchmarks.figures.Unit;
import dev.corral.quantization.replica.ReplicaShape;
import java.io.IOException;
import java.util.Objects;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code corral bench import}: what making a guard of a published program costs. */
@Command(
        name = "import",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description = {
            "What it costs to import the program that Meta publishes for phones: 'corral model import' in a process of its",
            "own, on a .pte file as ExecuTorch 0.4 exports it, with the true geometry and random weights of 4 bits (437 MiB).",
            "",
            "The rows:",
            "  program             the size of the file",
            "  time                the whole command, from its start to its end",
            "  heap and native     the most memory that it had beside mapped files, whose pages the system may drop",
            "  on disk             the whole guard directory",
            ""
        },
        footerHeading = "%nExample:%n",
        footer = "  corral bench import")
public final class ImportBench implements Callable<Integer> {

    private static final String SHAPE = "llama-guard-3-1b-pruned";
    private static final double MOST_SECONDS = 30;
    private static final double MOST_MEMORY = 1024;
    private static final double MOST_DISK = 445;

    @Option(names = "--json", description = "print one JSON document in place of the table")
    private boolean json;

    @Spec
    private @Nullable CommandSpec spec;

    @Override
    public Integer call() throws IOException, InterruptedException {
        Table table = new Table(Objects.requireNonNull(spec).commandLine().getOut(), json);
        try (Workplace workplace = Workplace.open(null)) {
            table.section(SHAPE + " as an ExecuTorch program");
            Workplace.Phone phone = workplace.phone(ReplicaShape.byId(SHAPE).orElseThrow());
            Workplace.Made made = workplace.importGuard(phone);
            table.add(Row.of("program", "program", Unit.MEBIBYTES, Sample.once(phone.mebibytes())));
            table.add(row(
                    "import-time", "importing: time", Unit.SECONDS, made.usage().seconds(), MOST_SECONDS));
            String memory = "importing: heap and native memory";
            double most = made.usage().mostAnonymousMebibytes();
            if (most > 0) {
                table.add(row("import-memory", memory, Unit.MEBIBYTES, most, MOST_MEMORY));
            } else {
                table.leaveOut("import-memory", memory, "only Linux tells a process's memory");
            }
            double disk = Workplace.size(made.guard());
            table.add(row("import-disk", "guard on disk", Unit.MEBIBYTES, disk, MOST_DISK));
        }
        return table.finish();
    }

    private static Row row(String id, String what, Unit unit, double value, double limit) {
        return Row.of(id, what, unit, Sample.once(value)).heldTo(new Row.Bar.OfValue(limit));
    }
}
