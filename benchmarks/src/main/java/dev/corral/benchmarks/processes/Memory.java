package dev.corral.benchmarks.processes;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * A process's memory as Linux tells it ({@code proc_pid_status(5)}), in MiB.
 *
 * @param resident all pages in memory ({@code VmRSS}); those of mapped files are shared with the page cache
 * @param anonymous heap and native memory, without the pages of files ({@code RssAnon})
 * @param mostResident the most that {@code resident} ever was ({@code VmHWM})
 */
public record Memory(double resident, double anonymous, double mostResident) {

    private static final double KIBIBYTES = 1024;

    /** Of a process that runs; empty where there is no Linux to ask, or no such process. */
    public static Optional<Memory> of(long pid) {
        Path status = Path.of("/proc/" + pid + "/status");
        if (!Files.isReadable(status)) {
            return Optional.empty();
        }
        try (Stream<String> lines = Files.lines(status)) {
            var values = lines.map(line -> line.split("\\s+"))
                    .filter(words -> words.length == 3 && words[2].equals("kB"))
                    .collect(Collectors.toMap(words -> words[0], words -> Long.parseLong(words[1]) / KIBIBYTES));
            Function<String, Optional<Double>> value = key -> Optional.ofNullable(values.get(key));
            return value.apply("VmRSS:")
                    .flatMap(resident -> value.apply("RssAnon:")
                            .flatMap(anonymous ->
                                    value.apply("VmHWM:").map(most -> new Memory(resident, anonymous, most))));
        } catch (IOException | java.io.UncheckedIOException e) {
            // it ended between two lines
            return Optional.empty();
        }
    }
}
