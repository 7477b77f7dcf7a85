package dev.corral.benchmarks.traffic;

import dev.corral.benchmarks.figures.Report;
import dev.corral.benchmarks.figures.Times;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code corral bench startup}: from the command to the first answer. */
@Command(
        name = "startup",
        mixinStandardHelpOptions = true,
        description = "The time from './corral demo' on a built checkout to the first answered request.")
public final class StartupBench implements Callable<Integer> {

    private static final double LIMIT_MILLIS = 8_000;
    private static final Duration GIVE_UP = Duration.ofMinutes(1);
    private static final Duration PAUSE = Duration.ofMillis(10);

    @Option(names = "--runs", paramLabel = "N", description = "starts to measure (default: ${DEFAULT-VALUE})")
    int runs = 5;

    @Spec
    @Nullable
    CommandSpec spec;

    @Override
    public Integer call() throws IOException, InterruptedException {
        Report report = Report.of(spec);
        String home = System.getProperty("launcher.home");
        if (home == null) {
            throw new IllegalStateException("this bench starts ./corral again, so start it by ./corral bench startup");
        }
        Times times = new Times(runs);
        for (int run = 1; run <= runs; run++) {
            double millis = start(Path.of(home));
            times.add(millis);
            report.say("run %d: %.0f ms".formatted(run, millis));
        }
        report.times("from ./corral demo to the first answer", times, LIMIT_MILLIS);
        return report.exitCode();
    }

    private static double start(Path home) throws IOException, InterruptedException {
        int port = freePort();
        Path output = Files.createTempFile("corral-demo", ".log");
        ProcessBuilder command = new ProcessBuilder(
                        home.resolve("corral").toString(), "demo", "--port", Integer.toString(port))
                .redirectErrorStream(true)
                .redirectOutput(output.toFile());
        command.environment().put("CORRAL_JAVA_HOME", System.getProperty("java.home"));
        long start = System.nanoTime();
        Process demo = command.start();
        try (HttpClient client = HttpClient.newHttpClient()) {
            awaitAnswer(client, port, demo, output, start);
            return (System.nanoTime() - start) / 1e6;
        } finally {
            demo.destroy();
            demo.waitFor(GIVE_UP.toSeconds(), TimeUnit.SECONDS);
            Files.delete(output);
        }
    }

    private static void awaitAnswer(HttpClient client, int port, Process demo, Path output, long start)
            throws IOException, InterruptedException {
        HttpRequest request = HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + "/v1/chat/completions"))
                .header("Content-Type", "application/json")
                .POST(BodyPublishers.ofString(BenchGateway.ALLOWED))
                .build();
        while (true) {
            try {
                if (client.send(request, BodyHandlers.ofString()).statusCode() == 200) {
                    return;
                }
            } catch (IOException _) {
                // not listening yet
            }
            // waits for the process to end, which it should not, in place of sleeping
            if (demo.waitFor(PAUSE.toMillis(), TimeUnit.MILLISECONDS)
                    || System.nanoTime() - start > GIVE_UP.toNanos()) {
                throw new IOException("./corral demo gave no answer:\n" + Files.readString(output));
            }
        }
    }

    private static int freePort() throws IOException {
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return socket.getLocalPort();
        }
    }
}
