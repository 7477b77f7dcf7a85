package dev.corral.gateway.policy;

import dev.corral.policies.policy.Policies;
import java.io.PrintWriter;
import java.util.Objects;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code corral policy new}. */
@Command(
        name = "new",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        usageHelpWidth = 100,
        description = {"Writes a policy to start from: strict, balanced, children, research, healthcare, eu-ai-act."})
final class PolicyNew implements Callable<Integer> {

    @Spec
    private @Nullable CommandSpec spec;

    @Parameters(paramLabel = "TEMPLATE", description = "Which one.")
    private String template = "";

    @Option(names = "--format", description = "text or json (default: text).")
    private Format format = Format.text;

    @Override
    public Integer call() {
        if (format == Format.sarif) {
            throw new ParameterException(
                    Objects.requireNonNull(spec).commandLine(),
                    "--format sarif lists findings in files, and 'new' has none: write --format text or json");
        }
        if (!Policies.templates().contains(template)) {
            throw new ParameterException(
                    Objects.requireNonNull(spec).commandLine(),
                    "there is no template '" + template + "': write one of " + String.join(", ", Policies.templates()));
        }
        if (format == Format.json) {
            out().println(Report.write(
                    Report.JSON.objectNode().put("template", template).put("policy", Policies.template(template))));
        } else {
            out().print(Policies.template(template));
        }
        out().flush();
        return 0;
    }

    private PrintWriter out() {
        return Objects.requireNonNull(spec).commandLine().getOut();
    }
}
