package dev.corral.gateway.policy;

import dev.corral.gateway.policy.Report.Entry;
import dev.corral.gateway.policy.Report.Level;
import dev.corral.policies.policy.GuardSight;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code corral policy lint}. */
@Command(
        name = "lint",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        usageHelpWidth = 100,
        description = {"Checks policies: all problems at once, each with its place and what to do."})
final class PolicyLint implements Callable<Integer> {

    @Spec
    private @Nullable CommandSpec spec;

    @Parameters(arity = "1..*", paramLabel = "FILE", description = "Policies.")
    private List<Path> files = List.of();

    @Option(names = "--format", description = "${COMPLETION-CANDIDATES} (default: text).")
    private Format format = Format.text;

    @Option(names = "--strict", description = "Warnings count as errors.")
    private boolean strict;

    @Mixin
    private final GuardChoice guard = new GuardChoice();

    @Override
    public Integer call() {
        GuardSight sight = guard.sight();
        List<Entry> entries = new ArrayList<>();
        Map<String, String> names = new HashMap<>();
        for (Path file : files) {
            PolicyCheck check = PolicyCheck.of(file, sight);
            check.issues().forEach(issue -> entries.add(Entry.of(issue)));
            if (format == Format.text) {
                check.rendered().forEach(out()::println);
            }
            check.policy().ifPresent(policy -> {
                String other = names.putIfAbsent(policy.name(), file.toString());
                if (other != null) {
                    Entry twice = new Entry(
                            "POL042",
                            Level.error,
                            "the name '" + policy.name() + "' is taken by " + other + ". Give each policy its own.",
                            file.toString(),
                            0,
                            0);
                    entries.add(twice);
                    if (format == Format.text) {
                        out().println("ERROR POL042 " + file + ": " + twice.message());
                    }
                }
            });
        }
        long errors =
                entries.stream().filter(entry -> entry.level() == Level.error).count();
        switch (format) {
            case json -> out().println(Report.json(entries));
            case sarif -> out().println(Report.sarif(entries));
            case text ->
                out().println(files.size() + (files.size() == 1 ? " policy, " : " policies, ") + errors + " errors, "
                        + (entries.size() - errors) + " warnings");
        }
        out().flush();
        return errors > 0 || (strict && !entries.isEmpty()) ? 1 : 0;
    }

    private PrintWriter out() {
        return Objects.requireNonNull(spec).commandLine().getOut();
    }
}
