package dev.corral.benchmarks.capacity;

import dev.corral.benchmarks.figures.Report;
import dev.corral.benchmarks.figures.Times;
import dev.corral.guardmodels.conversation.Conversation;
import dev.corral.guardmodels.conversation.Role;
import dev.corral.guardmodels.conversation.Turn;
import dev.corral.guardmodels.guard.CachingGuard;
import dev.corral.guardmodels.guard.Guard;
import dev.corral.guardmodels.guard.OnnxGuard;
import dev.corral.guardmodels.onnx.Resources;
import dev.corral.guardmodels.prompt.Segment;
import dev.corral.guardmodels.store.GuardDirectory;
import dev.corral.guardmodels.store.GuardStore;
import dev.corral.guardmodels.tokenizer.GuardTokenizer;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code corral bench guard}: a verdict on a text that was never seen, and on one that was. */
@Command(
        name = "guard",
        mixinStandardHelpOptions = true,
        description = "The time for a verdict on a prompt of 64 tokens: never seen before, and repeated.")
public final class GuardBench implements Callable<Integer> {

    private static final int PROMPT_TOKENS = 64;
    private static final double VERDICT_LIMIT_MILLIS = 15;
    private static final double REPEAT_LIMIT_MILLIS = 0.2;
    private static final long CACHE_BYTES = 32L << 20;

    @Option(names = "--guard", paramLabel = "DIR", description = "another guard than the built-in starter guard")
    @Nullable
    Path directory;

    @Option(names = "--rounds", paramLabel = "N", description = "verdicts to measure (default: ${DEFAULT-VALUE})")
    int rounds = 300;

    @Spec
    @Nullable
    CommandSpec spec;

    @Override
    public Integer call() {
        System.setProperty("logback.configurationFile", "command-logging.xml");
        Report report = Report.of(spec);
        GuardDirectory files = directory == null ? GuardStore.starter() : GuardStore.open(directory);
        int cores = Runtime.getRuntime().availableProcessors();
        try (Guard guard = new CachingGuard(OnnxGuard.load(files, Resources.oneLane(cores)), CACHE_BYTES);
                GuardTokenizer tokenizer = GuardTokenizer.load(files.tokenizerJson(), files.origin())) {
            report.say("guard %s (%s), %d cores, prompts of %d tokens, %d rounds"
                    .formatted(guard.profile().id(), guard.profile().precision(), cores, PROMPT_TOKENS, rounds));
            Words words = new Words();
            measure(guard, tokenizer, words, rounds / 5 + 1);
            report.times("verdict, text never seen", measure(guard, tokenizer, words, rounds), VERDICT_LIMIT_MILLIS);
            String known = prompt(tokenizer, words);
            measureRepeats(guard, known, rounds * 10);
            report.times("verdict, text seen before", measureRepeats(guard, known, rounds * 10), REPEAT_LIMIT_MILLIS);
        }
        return report.exitCode();
    }

    private static Times measure(Guard guard, GuardTokenizer tokenizer, Words words, int rounds) {
        Times times = new Times(rounds);
        // made before: what makes them would use the processor's caches between two verdicts
        List<Conversation> prompts = Stream.generate(() -> conversation(prompt(tokenizer, words)))
                .limit(rounds)
                .toList();
        for (Conversation prompt : prompts) {
            long start = System.nanoTime();
            guard.assess(prompt);
            times.addSince(start);
        }
        return times;
    }

    private static Times measureRepeats(Guard guard, String known, int rounds) {
        Times times = new Times(rounds);
        for (int i = 0; i < rounds; i++) {
            Conversation repeated = conversation(known);
            long start = System.nanoTime();
            guard.assess(repeated);
            times.addSince(start);
        }
        return times;
    }

    private static Conversation conversation(String prompt) {
        return new Conversation(List.of(Turn.of(Role.USER, prompt)));
    }

    /** Words at random, as many as make exactly the tokens. */
    private static String prompt(GuardTokenizer tokenizer, Words words) {
        StringBuilder text = new StringBuilder("I");
        while (tokens(tokenizer, text) < PROMPT_TOKENS) {
            text.append(' ').append(words.next());
        }
        return text.toString();
    }

    private static int tokens(GuardTokenizer tokenizer, StringBuilder text) {
        return tokenizer.encode(List.of(new Segment.Text(text.toString()))).length;
    }
}
