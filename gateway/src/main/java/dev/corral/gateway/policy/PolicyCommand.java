package dev.corral.gateway.policy;

import dev.corral.guardmodels.store.UnusableGuardException;
import dev.corral.policies.policy.PolicyException;
import java.io.IOException;
import java.util.Locale;
import picocli.CommandLine;
import picocli.CommandLine.Command;

/** {@code corral policy}: everything about policies that needs no traffic. */
@Command(
        name = "policy",
        mixinStandardHelpOptions = true,
        usageHelpWidth = 100,
        description = "Checks, tests, explains and compares policies before they are in force.",
        subcommands = {
            PolicyNew.class,
            PolicyLint.class,
            PolicyTestCommand.class,
            PolicyExplain.class,
            PolicyDiffCommand.class,
            PolicyReplay.class,
            PolicyFmt.class,
            PolicyWhich.class,
            PolicySchema.class
        },
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {
            "0:all is well",
            "1:a policy has errors, a test failed, two policies differ, a file is not formatted, or lines of traffic cannot be"
                    + " used",
            "2:wrong usage"
        },
        footerHeading = "%nExamples:%n",
        footer = {
            "  corral policy new balanced > my-policy.yaml",
            "  corral policy lint my-policy.yaml",
            "  corral policy test my-policy.yaml",
            "  corral policy explain my-policy.yaml --prompt 'How do I pick a lock?' --given S2=0.6",
            "  corral policy diff old.yaml new.yaml",
            "  corral policy replay my-policy.yaml --against traffic.jsonl --compare next.yaml"
        })
public final class PolicyCommand {

    private PolicyCommand() {}

    /** {@code corral policy}; numbers are written the same everywhere. */
    public static void main(String[] args) {
        Locale.setDefault(Locale.ROOT);
        System.exit(commandLine().execute(args));
    }

    static CommandLine commandLine() {
        CommandLine policy = new CommandLine(new PolicyCommand()).setCommandName("corral policy");
        policy.setExecutionExceptionHandler((failure, command, _) -> {
            switch (failure) {
                case PolicyException _, UnusableGuardException _, IOException _, IllegalStateException _ ->
                    command.getErr().println(command.getColorScheme().errorText(String.valueOf(failure.getMessage())));
                default -> throw failure;
            }
            return 1;
        });
        return policy;
    }
}
