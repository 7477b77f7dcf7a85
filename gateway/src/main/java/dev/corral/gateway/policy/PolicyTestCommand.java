package dev.corral.gateway.policy;

import dev.corral.gateway.policy.Report.Entry;
import dev.corral.gateway.policy.Report.Level;
import dev.corral.policies.policy.CompiledPolicy;
import dev.corral.policies.policy.Policies;
import dev.corral.policies.policy.PolicyTester;
import dev.corral.policies.policy.PolicyTester.Result;
import dev.corral.policies.policy.SourceLocation;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;
import tools.jackson.databind.node.ArrayNode;

/** {@code corral policy test}. */
@Command(
        name = "test",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        usageHelpWidth = 100,
        description = {
            "Runs the tests inside policies: with the probabilities that they give, or live through the real guard."
        })
final class PolicyTestCommand implements Callable<Integer> {

    @Spec
    private @Nullable CommandSpec spec;

    @Parameters(arity = "1..*", paramLabel = "FILE", description = "Policies.")
    private List<Path> files = List.of();

    @Option(names = "--format", description = "${COMPLETION-CANDIDATES} (default: text).")
    private Format format = Format.text;

    @Option(names = "--junit", paramLabel = "FILE", description = "Also writes JUnit XML there.")
    private @Nullable Path junit;

    @Mixin
    private final GuardChoice guard = new GuardChoice();

    @Override
    public Integer call() throws IOException {
        List<Entry> failures = new ArrayList<>();
        ArrayNode json = Report.JSON.arrayNode();
        StringBuilder suites = new StringBuilder();
        int count = 0;
        try (LiveGuard live = new LiveGuard(guard)) {
            for (Path file : files) {
                CompiledPolicy policy = Policies.load(file, guard.sight());
                List<Result> results = PolicyTester.run(policy, test -> live.assess(policy, test));
                count += results.size();
                JunitXml.suite(file.toString(), results, suites);
                for (Result result : results) {
                    describe(file, result, json, failures);
                }
            }
        }
        if (junit != null) {
            Files.writeString(junit, JunitXml.document(suites));
        }
        switch (format) {
            case json -> out().println(Report.write(json));
            case sarif -> out().println(Report.sarif(failures));
            case text -> out().println(count + " tests, " + failures.size() + " failed");
        }
        out().flush();
        return failures.isEmpty() ? 0 : 1;
    }

    private void describe(Path file, Result result, ArrayNode json, List<Entry> failures) {
        String failure = String.join("; ", result.failures());
        SourceLocation place = result.test().location();
        json.addObject()
                .put("file", file.toString())
                .put("line", place.line())
                .put("decision", Report.word(result.decision().outcome()))
                .put("passed", result.passed())
                .put("failure", failure);
        if (!result.passed()) {
            failures.add(new Entry("TEST", Level.error, failure, place.origin(), place.line(), place.column()));
        }
        if (format == Format.text) {
            out().println((result.passed() ? "ok     " : "FAILED ") + place + " "
                    + Report.word(result.decision().outcome()) + (failure.isEmpty() ? "" : ": " + failure));
        }
    }

    private PrintWriter out() {
        return Objects.requireNonNull(spec).commandLine().getOut();
    }
}
