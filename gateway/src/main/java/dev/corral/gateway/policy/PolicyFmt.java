package dev.corral.gateway.policy;

import dev.corral.gateway.policy.Report.Entry;
import dev.corral.gateway.policy.Report.Level;
import dev.corral.policies.policy.Policies;
import dev.corral.policies.policy.PolicyFormatter;
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
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code corral policy fmt}. */
@Command(
        name = "fmt",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        usageHelpWidth = 100,
        description = {
            "Gives policies one look. Comments and meaning stay.",
            "Without --write, prints the result; --check only says which files differ."
        })
final class PolicyFmt implements Callable<Integer> {

    @Spec
    private @Nullable CommandSpec spec;

    @Parameters(arity = "1..*", paramLabel = "FILE", description = "Policies.")
    private List<Path> files = List.of();

    @Option(names = "--write", description = "Changes the files.")
    private boolean write;

    @Option(names = "--check", description = "Exit code 1 if a file is not formatted.")
    private boolean check;

    @Option(names = "--format", description = "With --check, how it is said: ${COMPLETION-CANDIDATES} (default: text).")
    private Format format = Format.text;

    @Override
    public Integer call() throws IOException {
        if (format != Format.text && !check) {
            throw new ParameterException(
                    Objects.requireNonNull(spec).commandLine(),
                    "--format " + format + " goes with --check; without it, the result is the policy");
        }
        List<Entry> different = new ArrayList<>();
        for (Path file : files) {
            String text = Policies.text(file);
            PolicyCheck.requireYaml(file, text);
            String formatted = PolicyFormatter.format(text);
            if (check) {
                if (!formatted.equals(text)) {
                    String message = "not formatted; run 'corral policy fmt --write " + file + "'";
                    different.add(new Entry("FMT", Level.error, message, file.toString(), 0, 0));
                    if (format == Format.text) {
                        out().println(file + " is " + message);
                    }
                }
            } else if (write) {
                if (!formatted.equals(text)) {
                    Files.writeString(file, formatted);
                    out().println(file.toString());
                }
            } else {
                out().print(formatted);
            }
        }
        switch (format) {
            case json -> out().println(Report.json(different));
            case sarif -> out().println(Report.sarif(different));
            case text -> {}
        }
        out().flush();
        return different.isEmpty() ? 0 : 1;
    }

    private PrintWriter out() {
        return Objects.requireNonNull(spec).commandLine().getOut();
    }
}
