package dev.corral.benchmarks;

import dev.corral.benchmarks.capacity.GuardFigures;
import dev.corral.benchmarks.capacity.GuardOptions;
import dev.corral.benchmarks.conversion.QuantizeBench;
import dev.corral.benchmarks.conversion.QuantizeBench.Limits;
import dev.corral.benchmarks.conversion.Workplace;
import dev.corral.benchmarks.figures.Row.Bar;
import dev.corral.benchmarks.figures.Table;
import dev.corral.quantization.replica.ReplicaShape;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code corral bench figures}: what Corral promises of Llama Guard 3 1B, on random weights of its geometry. */
@Command(
        name = "figures",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description = {
            "The figures that Corral is held to on Llama Guard 3 1B, with random weights of its true geometry: the full",
            "shape is quantised; the pruned shape is quantised to int4 and int8 and judges. Takes about ten minutes.",
            "'corral help bench model' explains the rows."
        },
        footerHeading = "%nExamples:%n",
        footer = {
            "  corral bench figures",
            "  corral bench figures --weights /var/tmp/weights --llama-bench ./llama-bench --gguf pruned-q4_0.gguf"
        })
public final class FiguresBench implements Callable<Integer> {

    private static final String FULL = "llama-guard-3-1b";
    private static final String PRUNED = "llama-guard-3-1b-pruned";
    private static final List<String> INT4 = List.of("--precision", "int4", "--block-size", "256");
    private static final List<String> INT8 = List.of("--precision", "int8");

    private static final Limits FULL_LIMITS = new Limits(most(120), most(1536), Optional.empty());
    private static final Limits PRUNED_LIMITS = new Limits(Optional.empty(), Optional.empty(), most(438));
    private static final Optional<Bar> LOADED_LIMIT = most(620);

    @Mixin
    private final GuardOptions options = new GuardOptions();

    @Option(
            names = "--weights",
            paramLabel = "DIR",
            description = "folder to keep the random weights in, and to look for them")
    private @Nullable Path weights;

    @Option(
            names = "--int4",
            paramLabel = "RECIPE",
            description = "recipe file for the guard of int4 (default: int4 in blocks of 256)")
    private @Nullable Path int4Recipe;

    @Option(names = "--int8", paramLabel = "RECIPE", description = "recipe file for the guard of int8 (default: int8)")
    private @Nullable Path int8Recipe;

    @Option(names = "--json", description = "print one JSON document in place of the table")
    private boolean json;

    @Spec
    private @Nullable CommandSpec spec;

    private static Optional<Bar> most(double value) {
        return Optional.of(new Bar.OfValue(value));
    }

    @Override
    public Integer call() throws IOException, InterruptedException {
        Table table = new Table(Objects.requireNonNull(spec).commandLine().getOut(), json);
        try (Workplace workplace = Workplace.open(weights)) {
            Workplace.Made full = make(workplace, FULL, INT4, table);
            QuantizeBench.add(full, FULL_LIMITS, table);
            workplace.drop(full);

            Workplace.Made int4 = make(workplace, PRUNED, recipe(int4Recipe, INT4), table);
            QuantizeBench.add(int4, PRUNED_LIMITS, table);
            GuardFigures figures = new GuardFigures(int4.guard(), options, table);
            figures.memory(LOADED_LIMIT);
            figures.limitedTimes();
            workplace.drop(int4);

            Workplace.Made int8 = make(workplace, PRUNED, recipe(int8Recipe, INT8), table);
            QuantizeBench.add(int8, Limits.NONE, table);
            new GuardFigures(int8.guard(), options, table).limitedTimes();
        }
        return table.finish();
    }

    private static List<String> recipe(@Nullable Path file, List<String> otherwise) {
        return file == null ? otherwise : List.of("--recipe", file.toString());
    }

    private static Workplace.Made make(Workplace workplace, String shape, List<String> recipe, Table table)
            throws IOException, InterruptedException {
        table.section(shape + " " + String.join(" ", recipe));
        Path source = workplace.weights(ReplicaShape.byId(shape).orElseThrow());
        return workplace.quantise(source, recipe);
    }
}
