package dev.corral.quantization;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * Packages of Python in a virtual environment below {@code target}, which stays there for the next run. Without Python, or
 * without a way to fetch them, the tests that need them are skipped.
 */
record PythonPackages(Path folder) {

    private static final String INSTALLED = "installed.txt";

    static PythonPackages of(String name, List<String> packages) throws IOException {
        Path folder = Path.of("target/python", name).toAbsolutePath();
        Path installed = folder.resolve(INSTALLED);
        if (Files.exists(installed) && Files.readAllLines(installed).equals(packages)) {
            return new PythonPackages(folder);
        }
        Files.createDirectories(folder);
        Files.deleteIfExists(installed);
        PythonPackages made = new PythonPackages(folder);
        assumeTrue(made.succeeds(List.of("python3", "-m", "venv", ".")), "skipped: python3 makes no venv here");
        List<String> install = new ArrayList<>(List.of(made.python(), "-m", "pip", "install", "--quiet"));
        install.addAll(packages);
        assumeTrue(made.succeeds(install), "skipped: pip fetches no " + String.join(", ", packages) + " here");
        Files.write(installed, packages);
        return made;
    }

    String python() {
        return folder.resolve("bin/python").toString();
    }

    private boolean succeeds(List<String> command) {
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
