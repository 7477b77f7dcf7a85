package dev.corral.gateway;

import dev.corral.gateway.demo.DemoCommand;
import dev.corral.gateway.server.RunCommand;
import picocli.CommandLine;
import picocli.CommandLine.Command;

/** The commands that serve traffic. */
@Command(
        name = "corral",
        mixinStandardHelpOptions = true,
        description = "Stands between applications and a Llama backend and moderates what passes.",
        subcommands = {RunCommand.class, DemoCommand.class})
public final class GatewayApplication {

    private GatewayApplication() {}

    /** Runs a command and exits with its code: 0 after Ctrl-C or help, 1 for a failure, 2 for wrong usage. */
    public static void main(String... arguments) {
        System.exit(new CommandLine(new GatewayApplication()).execute(arguments));
    }
}
