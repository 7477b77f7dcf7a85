package dev.corral.gateway.policy;

import picocli.CommandLine;
import picocli.CommandLine.ParameterException;

/** How a command writes its result. */
enum Format {
    /** For people. */
    text,
    /** For programs. */
    json,
    /** For code hosts: SARIF 2.1.0. */
    sarif;

    /**
     * Refuses SARIF for results that are not about a place in a file.
     *
     * @throws ParameterException if it was asked for
     */
    void refuseSarif(CommandLine command) {
        if (this == sarif) {
            throw new ParameterException(
                    command,
                    "--format sarif lists problems in files, and '" + command.getCommandName()
                            + "' finds none: write --format text or json");
        }
    }
}
