package dev.corral.benchmarks.capacity;

import dev.corral.benchmarks.figures.Race;
import dev.corral.benchmarks.figures.Row;
import dev.corral.benchmarks.figures.Sample;
import dev.corral.benchmarks.figures.Table;
import dev.corral.benchmarks.figures.Unit;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * The same work in llama.cpp: its own {@code llama-bench}, which reads a prefix and then times the reading of more
 * tokens, with flash attention.
 *
 * @param program {@code llama-bench}
 * @param model of the same shape as the guard, in llama.cpp's format
 */
record LlamaCpp(Path program, Path model) {

    private static final String ID = "llama-cpp";
    private static final int NEW_TOKENS = 64;
    private static final Row.Bar BAR = new Row.Bar.OfRatio(0.5);

    private static String what() {
        return "%d new tokens, prefix cached".formatted(NEW_TOKENS);
    }

    /** The row that says what is missing. */
    static void leaveOut(Table table) {
        table.leaveOut(
                ID,
                what() + ", beside llama.cpp",
                "give --llama-bench PROGRAM and --gguf FILE, a Q4_0 model of the same shape");
    }

    /** The row. */
    void compare(Decoder decoder, int threads, Race race, Table table) throws IOException, InterruptedException {
        try {
            List<Sample> samples = race.run(
                    () -> {
                        // a process of llama.cpp ran in between: the first verdict warms up
                        decoder.judge(decoder.userPrefix(), decoder.tokens(NEW_TOKENS));
                        int[] fresh = decoder.tokens(NEW_TOKENS);
                        return Race.timed(() -> decoder.judge(decoder.userPrefix(), fresh))
                                .nanos();
                    },
                    () -> nanos(threads));
            table.add(Row.of(ID, what(), Unit.MILLISECONDS, samples.get(0))
                    .comparedWith("llama.cpp", samples.get(1))
                    .heldTo(BAR));
        } catch (UncheckedIOException e) {
            throw new IOException(e.getCause());
        }
    }

    private long nanos(int threads) throws InterruptedException {
        try {
            Path output = Files.createTempFile("llama-bench", ".json");
            Path errors = Files.createTempFile("llama-bench", ".log");
            try {
                Process process = new ProcessBuilder(
                                program.toString(),
                                "-m",
                                model.toString(),
                                "-t",
                                Integer.toString(threads),
                                "-p",
                                Integer.toString(NEW_TOKENS),
                                "-d",
                                Integer.toString(Decoder.PREFIX_TOKENS),
                                "-n",
                                "0",
                                "-r",
                                "3",
                                "-fa",
                                "1",
                                "-o",
                                "json")
                        .redirectOutput(output.toFile())
                        .redirectError(errors.toFile())
                        .start();
                Duration limit = Duration.ofMinutes(2);
                if (!process.waitFor(limit) || process.exitValue() != 0) {
                    process.destroy();
                    throw new IOException(
                            program + " failed: " + Files.readString(errors).strip());
                }
                return shortest(Files.readString(output));
            } finally {
                Files.delete(output);
                Files.delete(errors);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** The shortest of the runs that llama-bench reports. */
    static long shortest(String json) throws IOException {
        try {
            JsonNode samples = JsonMapper.shared().readTree(json).path(0).path("samples_ns");
            return samples.valueStream()
                    .mapToLong(JsonNode::asLong)
                    .min()
                    .orElseThrow(() -> new IOException("llama-bench printed no samples: " + json.strip()));
        } catch (JacksonException e) {
            throw new IOException("llama-bench printed no JSON: " + e.getOriginalMessage(), e);
        }
    }
}
