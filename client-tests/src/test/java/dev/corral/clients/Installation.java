package dev.corral.clients;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/** Packages of another language, fetched into a folder. Where that cannot be done, the tests that need them are skipped. */
final class Installation {

    /** Python as it is usually called. */
    static final List<String> PYTHON = List.of("python3");

    private Installation() {}

    /**
     * Of Python, in a virtual environment; returns its interpreter.
     *
     * @param names by which it may be called, of which the first is taken that makes such an environment
     */
    static Path python(List<String> names, Path folder, List<String> packages) throws IOException {
        Files.createDirectories(folder);
        Path python = folder.resolve("bin/python");
        assumeTrue(
                names.stream().anyMatch(name -> succeeds(folder, List.of(name, "-m", "venv", "--clear", "."))),
                "skipped: none of " + names + " makes a venv here");
        assumeTrue(
                succeeds(folder, with(List.of(python.toString(), "-m", "pip", "install", "--quiet"), packages)),
                "skipped: pip fetches no packages here");
        return python;
    }

    /** Of Node, in a folder of modules; returns that folder. */
    static Path node(Path folder, List<String> packages) throws IOException {
        Files.createDirectories(folder);
        assumeTrue(succeeds(folder, List.of("node", "--version")), "skipped: there is no Node here");
        assumeTrue(
                succeeds(folder, with(List.of("npm", "install", "--no-audit", "--no-fund", "--prefix", "."), packages)),
                "skipped: npm fetches no packages here");
        return folder.resolve("node_modules");
    }

    private static List<String> with(List<String> command, List<String> more) {
        return Stream.concat(command.stream(), more.stream()).toList();
    }

    private static boolean succeeds(Path folder, List<String> command) {
        try {
            Process process = new ProcessBuilder(command)
                    .directory(folder.toFile())
                    .redirectErrorStream(true)
                    .redirectOutput(folder.resolve("install.log").toFile())
                    .start();
            if (!process.waitFor(5, TimeUnit.MINUTES)) {
                process.destroyForcibly();
                return false;
            }
            return process.exitValue() == 0;
        } catch (IOException _) {
            return false;
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }
}
