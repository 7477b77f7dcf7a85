package dev.corral.benchmarks.capacity;

import dev.corral.benchmarks.conversion.RandomGuard;
import dev.corral.benchmarks.conversion.Workplace;
import dev.corral.benchmarks.figures.Table;
import dev.corral.guardmodels.store.GuardManifest;
import dev.corral.guardmodels.store.GuardStore;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Objects;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code corral bench model}: the table for planning how many machines a guard needs. */
@Command(
        name = "model",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description = {
            "How long a guard's verdicts take on this machine, how many there are a second, and what memory they need.",
            "",
            "Times stand beside those of the model's matrix products alone: the same operators on the same weights and",
            "as many rows, run by the same runtime in the same process, by turns with the verdicts. That is the",
            "machine's limit; what is above it is attention, norms, quantisation and Corral. The ratio compares the best",
            "measurements, which are the least disturbed ones.",
            "",
            "The rows:",
            "  N new tokens, prefix cached    a verdict on a prompt that begins with a prefix of 200 tokens, as the",
            "                                 template of Llama Guard 3 has it, and goes on with N tokens never seen",
            "  N new tokens, nothing cached   the same after which no token of it was seen before",
            "  past tokens cached             64 new tokens at the end of a conversation of 1,000 tokens whose last",
            "                                 turn was judged just before, beside 64 new tokens without a past",
            "  turn 10 of a conversation      turns of 100 tokens, each judged in its order; of the last one's prompt its",
            "                                 own turn, the other role's before it and the template's end are new",
            "  stream in windows              an answer of 1,000 tokens, judged whenever 50 more are there, all verdicts",
            "                                 together; beside one verdict on the whole answer, and beside the products",
            "                                 of all windows",
            "  callers at once                verdicts on 64 new tokens a second, by so many callers",
            "  llama.cpp                      64 new tokens after 200 cached ones, as llama-bench measures it",
            "  resident                       memory of a Java process of its own that holds the guard, with one lane",
            ""
        },
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {
            "0:every figure is within its limit",
            "1:a limit is missed, or something failed",
            "2:wrong options"
        },
        footerHeading = "%nExamples:%n",
        footer = {
            "  corral bench model --guard guards/llama-guard-3-1b",
            "  corral bench model --shape llama-guard-3-1b-pruned --precision int4 --block-size 256 --json"
        })
public final class ModelBench implements Callable<Integer> {

    @ArgGroup(multiplicity = "1")
    private @Nullable Subject subject;

    @Mixin
    private final GuardOptions options = new GuardOptions();

    @Option(names = "--json", description = "print one JSON document in place of the table")
    private boolean json;

    @Spec
    private @Nullable CommandSpec spec;

    @Override
    public Integer call() throws IOException, InterruptedException {
        Table table = new Table(Objects.requireNonNull(spec).commandLine().getOut(), json);
        Subject chosen = Objects.requireNonNull(subject);
        if (chosen.guard != null) {
            measure(chosen.guard, table);
        } else {
            RandomGuard random = Objects.requireNonNull(chosen.random);
            try (Workplace workplace = random.workplace()) {
                table.say("making a guard of random weights");
                measure(random.make(workplace).guard(), table);
            }
        }
        return table.finish();
    }

    private void measure(Path guard, Table table) throws IOException, InterruptedException {
        GuardManifest manifest = GuardStore.open(guard).manifest();
        table.section("%s: %s".formatted(manifest.id(), manifest.made().recipe()));
        new GuardFigures(guard, options, table).all();
    }
}
