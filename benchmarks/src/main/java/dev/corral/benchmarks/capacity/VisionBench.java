package dev.corral.benchmarks.capacity;

import dev.corral.benchmarks.conversion.QuantizeBench;
import dev.corral.benchmarks.conversion.RandomGuard;
import dev.corral.benchmarks.conversion.Workplace;
import dev.corral.benchmarks.figures.Row;
import dev.corral.benchmarks.figures.Sample;
import dev.corral.benchmarks.figures.Table;
import dev.corral.benchmarks.figures.Unit;
import dev.corral.benchmarks.processes.JavaProcess;
import dev.corral.benchmarks.processes.Memory;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code corral bench vision}: what a guard that sees images needs and takes. */
@Command(
        name = "vision",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description = {
            "What a guard that sees images takes of this machine, in a process of its own with one lane.",
            "",
            "The rows:",
            "  guard on disk                  without its tokenizer; quantising too, where the guard is made here",
            "  loading                        until it can judge, its files' checksums verified",
            "  resident                       memory of the process: after loading, and the most that it ever had",
            "  an image never seen            a verdict on a prompt with an image of two by two tiles",
            "  the same image, next turn      a verdict on the conversation two turns later; the image must not be",
            "                                 looked at again",
            ""
        },
        footerHeading = "%nExamples:%n",
        footer = {
            "  corral bench vision --guard guards/llama-guard-3-11b-vision",
            "  corral bench vision --shape llama-guard-3-11b-vision --layers 9"
        })
public final class VisionBench implements Callable<Integer> {

    private static final Row.Bar MOST_DISK = new Row.Bar.OfValue(7.5 * 1024);
    private static final Row.Bar MOST_RESIDENT = new Row.Bar.OfValue(10 * 1024);
    private static final Row.Bar MOST_CONVERSION = new Row.Bar.OfValue(2 * 1024);
    private static final Row.Bar SECOND_TURN = new Row.Bar.OfRatio(0.25);

    @ArgGroup(multiplicity = "1")
    private @Nullable Subject subject;

    @Option(
            names = "--threads",
            paramLabel = "N",
            description = "threads of the guard's lane (default: as many as processors)")
    private int threads = Runtime.getRuntime().availableProcessors();

    @Option(names = "--json", description = "print one JSON document in place of the table")
    private boolean json;

    @Spec
    private @Nullable CommandSpec spec;

    @Override
    public Integer call() throws IOException, InterruptedException {
        Table table = new Table(Objects.requireNonNull(spec).commandLine().getOut(), json);
        Subject chosen = Objects.requireNonNull(subject);
        if (chosen.guard != null) {
            table.section(chosen.guard.toString());
            table.add(Row.of(
                            "guard-disk",
                            "guard on disk, without tokenizer",
                            Unit.MEBIBYTES,
                            Sample.once(Workplace.mebibytes(chosen.guard)))
                    .heldTo(MOST_DISK));
            measure(chosen.guard, table);
        } else {
            RandomGuard random = Objects.requireNonNull(chosen.random);
            try (Workplace workplace = random.workplace()) {
                table.say("making a guard of random weights");
                Workplace.Made made = random.make(workplace);
                table.section(random.label());
                QuantizeBench.Limits limits = new QuantizeBench.Limits(
                        Optional.empty(), Optional.of(MOST_CONVERSION), Optional.of(MOST_DISK));
                QuantizeBench.add(made, limits, table);
                measure(made.guard(), table);
            }
        }
        return table.finish();
    }

    private void measure(Path guard, Table table) throws IOException {
        long start = System.nanoTime();
        try (JavaProcess process =
                JavaProcess.start(VisionProcess.class, List.of(guard.toString(), Integer.toString(threads)))) {
            await(process, VisionProcess.LOADED);
            table.add(Row.of("load", "loading", Unit.SECONDS, Sample.once((System.nanoTime() - start) / 1e9)));
            process.memory().ifPresent(memory -> memory("memory-loaded", "resident after load", memory, table));
            process.goOn();
            Judged first = judged(process);
            Judged second = judged(process);
            table.add(Row.of(
                    "image-first", "a prompt with an image never seen", Unit.SECONDS, Sample.once(first.seconds)));
            if (second.images != first.images) {
                throw new IOException("the same image was looked at again in the next turn");
            }
            table.add(Row.of(
                            "image-next-turn",
                            "the same image, two turns later",
                            Unit.SECONDS,
                            Sample.once(second.seconds))
                    .comparedWith("an image never seen", Sample.once(first.seconds))
                    .heldTo(SECOND_TURN));
            process.memory().ifPresent(memory -> {
                memory("memory-judged", "resident after both", memory, table);
                table.add(mebibytes("memory-most", "the most that was ever resident", memory.mostResident())
                        .heldTo(MOST_RESIDENT));
            });
            process.goOn();
        }
    }

    private static void memory(String id, String what, Memory memory, Table table) {
        table.add(mebibytes(id, what, memory.resident()));
        table.add(mebibytes(id + "-anonymous", "  of it heap and native memory", memory.anonymous()));
    }

    private static Row mebibytes(String id, String what, double value) {
        return Row.of(id, what, Unit.MEBIBYTES, Sample.once(value));
    }

    /** A verdict's time, and the images that were looked at up to it. */
    private record Judged(double seconds, long images) {}

    private static Judged judged(JavaProcess process) throws IOException {
        String[] words = await(process, VisionProcess.JUDGED).strip().split(" ", 2);
        return new Judged(Double.parseDouble(words[0]), Long.parseLong(words[1]));
    }

    /** What follows these words in the next line that begins with them; libraries may print lines of their own. */
    private static String await(JavaProcess process, String beginning) throws IOException {
        String line = process.line();
        while (!line.startsWith(beginning)) {
            line = process.line();
        }
        return line.substring(beginning.length());
    }
}
