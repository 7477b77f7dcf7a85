package dev.corral.benchmarks.traffic;

import dev.corral.benchmarks.figures.Report;
import dev.corral.benchmarks.figures.Times;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code corral bench gateway}: what the gateway adds to a request whose verdicts are cached. */
@Command(
        name = "gateway",
        mixinStandardHelpOptions = true,
        description = {
            "What the gateway adds to a request that passes, with its verdicts cached: the same request by turns",
            "straight to a scripted backend and through the gateway, one kept connection each."
        })
public final class GatewayBench implements Callable<Integer> {

    private static final double ADDED_LIMIT_MILLIS = 1.5;

    @Option(names = "--requests", paramLabel = "N", description = "requests to measure (default: ${DEFAULT-VALUE})")
    int requests = 4_000;

    @Spec
    @Nullable
    CommandSpec spec;

    @Override
    public Integer call() throws IOException, InterruptedException {
        Report report = Report.of(spec);
        try (BenchGateway gateway = new BenchGateway();
                HttpClient client = HttpClient.newBuilder()
                        .version(HttpClient.Version.HTTP_1_1)
                        .build()) {
            report.say("%d requests each, by turns, after as many to warm up".formatted(requests));
            Times direct = new Times(requests);
            Times through = new Times(requests);
            measure(client, gateway, new Times(requests), new Times(requests));
            measure(client, gateway, direct, through);
            report.times("straight to the backend", direct);
            report.times("through the gateway", through);
            report.figure(
                    "added by the gateway (difference of medians)",
                    through.medianMillis() - direct.medianMillis(),
                    "ms",
                    ADDED_LIMIT_MILLIS);
        }
        return report.exitCode();
    }

    private void measure(HttpClient client, BenchGateway gateway, Times direct, Times through)
            throws IOException, InterruptedException {
        for (int i = 0; i < requests; i++) {
            send(client, gateway.directUri(), direct);
            send(client, gateway.chatUri(), through);
        }
    }

    private static void send(HttpClient client, URI uri, Times times) throws IOException, InterruptedException {
        HttpRequest request = HttpRequest.newBuilder(uri)
                .header("Content-Type", "application/json")
                .POST(BodyPublishers.ofString(BenchGateway.ALLOWED))
                .build();
        long start = System.nanoTime();
        HttpResponse<String> response = client.send(request, BodyHandlers.ofString());
        times.addSince(start);
        if (response.statusCode() != 200 || !response.body().contains("Paris")) {
            throw new IOException(uri + " answered " + response.statusCode() + ": " + response.body());
        }
    }
}
