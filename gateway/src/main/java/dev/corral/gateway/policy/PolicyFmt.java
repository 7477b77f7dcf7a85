package dev.corral.gateway.policy;

import dev.corral.policies.policy.Policies;
import dev.corral.policies.policy.PolicyFormatter;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
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

    @Override
    public Integer call() throws IOException {
        int code = 0;
        for (Path file : files) {
            String text = Policies.text(file);
            PolicyCheck.requireYaml(file, text);
            String formatted = PolicyFormatter.format(text);
            if (check) {
                if (!formatted.equals(text)) {
                    out().println(file + " is not formatted; run 'corral policy fmt --write " + file + "'");
                    code = 1;
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
        out().flush();
        return code;
    }

    private PrintWriter out() {
        return Objects.requireNonNull(spec).commandLine().getOut();
    }
}
