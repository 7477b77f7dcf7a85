package dev.corral.benchmarks.processes;

import java.io.BufferedReader;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;

/** A class of Corral in a Java process of its own, with the options of this one. */
public final class JavaProcess implements AutoCloseable {

    private static final Duration SAMPLE = Duration.ofMillis(20);

    private final Process process;
    private final Path errors;
    private final BufferedReader output;

    private JavaProcess(Process process, Path errors) {
        this.process = process;
        this.errors = errors;
        this.output = process.inputReader();
    }

    /** How long a process took and the most memory that it had outside of the page cache. */
    public record Usage(double seconds, double mostAnonymousMebibytes) {}

    /** Starts a class's {@code main}. */
    public static JavaProcess start(Class<?> main, List<String> arguments) throws IOException {
        return start(List.of(), main, arguments);
    }

    /**
     * Starts a class's {@code main}.
     *
     * @param options of Java, beside those of this process
     */
    public static JavaProcess start(List<String> options, Class<?> main, List<String> arguments) throws IOException {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(ManagementFactory.getRuntimeMXBean().getInputArguments());
        command.addAll(options);
        command.add(main.getName());
        command.addAll(arguments);
        Path errors = Files.createTempFile("corral-bench", ".log");
        ProcessBuilder builder = new ProcessBuilder(command).redirectError(errors.toFile());
        // in the environment, because ONNX Runtime dies of long command lines
        builder.environment().put("CLASSPATH", classPath());
        return new JavaProcess(builder.start(), errors);
    }

    private static String classPath() {
        String home = System.getProperty("launcher.home");
        return home == null ? System.getProperty("java.class.path") : Path.of(home, "target", "app") + "/*";
    }

    /** The next line that the process prints, or what went wrong as an exception. */
    public String line() throws IOException {
        String line = output.readLine();
        if (line == null) {
            throw failed();
        }
        return line;
    }

    /** The process's memory now. */
    public Optional<Memory> memory() {
        return Memory.of(process.pid());
    }

    /** Lets the process go on that waits for a line. */
    public void goOn() throws IOException {
        process.outputWriter().write('\n');
        process.outputWriter().flush();
    }

    /** Waits for a process that prints little, and watches it meanwhile. */
    public Usage await() throws IOException, InterruptedException {
        long start = System.nanoTime();
        double most = 0;
        while (!process.waitFor(SAMPLE.toMillis(), TimeUnit.MILLISECONDS)) {
            most = Math.max(most, memory().map(Memory::anonymous).orElse(0.0));
        }
        if (process.exitValue() != 0) {
            throw failed();
        }
        return new Usage((System.nanoTime() - start) / 1e9, most);
    }

    private IOException failed() throws IOException {
        return new IOException(
                "a process of this bench failed: " + Files.readString(errors).strip());
    }

    @Override
    public void close() throws IOException {
        process.destroy();
        Files.deleteIfExists(errors);
    }
}
