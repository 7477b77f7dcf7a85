package dev.corral.quantization;

import java.io.IOException;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;

/** What options mean; a value that they must not have is wrong use of their command. */
@FunctionalInterface
interface CheckedOptions<T> {

    /**
     * The meaning.
     *
     * @throws IllegalArgumentException if a value is wrong
     */
    T read() throws IOException;

    /** The meaning, or wrong use of {@code command}. */
    static <T> T of(CommandSpec command, CheckedOptions<T> options) throws IOException {
        try {
            return options.read();
        } catch (IllegalArgumentException e) {
            throw new ParameterException(command.commandLine(), String.valueOf(e.getMessage()));
        }
    }
}
