package dev.corral.benchmarks.traffic;

import dev.corral.benchmarks.figures.Report;
import dev.corral.benchmarks.figures.Times;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.Comparator;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code corral bench reload}: policies change under load; no request fails, and none sees a mixture. */
@Command(
        name = "reload",
        mixinStandardHelpOptions = true,
        description = {
            "Sends requests at a steady rate while the folder of policies is changed as Kubernetes changes a ConfigMap, by",
            "turning a link. Even versions block what is asked, odd ones flag it: each answer must fit the revision that it",
            "names."
        })
public final class ReloadBench implements Callable<Integer> {

    private static final double STEADY = 0.95;
    private static final Duration GIVE_UP = Duration.ofSeconds(30);

    /** A harmless question about a card number, which a pattern finds: the same for every guard. */
    private static final String QUESTION =
            BenchGateway.chat("Is 4111 1111 1111 1111 a valid number? What is the capital of France?", false);

    @Option(names = "--rate", paramLabel = "N", description = "requests a second (default: ${DEFAULT-VALUE})")
    int rate = 500;

    @Option(names = "--seconds", paramLabel = "N", description = "how long (default: ${DEFAULT-VALUE})")
    int seconds = 30;

    @Option(names = "--every", paramLabel = "MS", description = "time between changes (default: ${DEFAULT-VALUE})")
    int every = 3_000;

    @Spec
    @Nullable
    CommandSpec spec;

    private final AtomicInteger failed = new AtomicInteger();
    private final AtomicInteger mixed = new AtomicInteger();
    private final AtomicInteger version = new AtomicInteger();
    private final Set<String> revisions = ConcurrentHashMap.newKeySet();

    @Override
    public Integer call() throws IOException, InterruptedException {
        Report report = Report.of(spec);
        Path folder = Files.createTempDirectory("corral-reload");
        try {
            turn(folder);
            Path file = Files.createSymbolicLink(folder.resolve("desk.yaml"), Path.of("..data", "desk.yaml"));
            try (BenchGateway gateway = new BenchGateway(file);
                    HttpClient client = HttpClient.newBuilder()
                            .version(HttpClient.Version.HTTP_1_1)
                            .build()) {
                load(report, gateway, client, folder);
            }
        } finally {
            delete(folder);
        }
        return report.exitCode();
    }

    private void load(Report report, BenchGateway gateway, HttpClient client, Path folder)
            throws InterruptedException, IOException {
        HttpRequest request = HttpRequest.newBuilder(gateway.chatUri())
                .header("Content-Type", "application/json")
                .timeout(GIVE_UP)
                .POST(BodyPublishers.ofString(QUESTION))
                .build();
        for (int i = 0; i < rate; i++) {
            client.send(request, BodyHandlers.ofString());
        }
        int requests = rate * seconds;
        report.say("%d requests at %d a second; policies change every %d ms".formatted(requests, rate, every));
        Times times = new Times(requests);
        CountDownLatch open = new CountDownLatch(requests);
        AtomicInteger sent = new AtomicInteger();
        long start = System.nanoTime();
        try (ScheduledExecutorService clock = Executors.newScheduledThreadPool(2)) {
            var changes = clock.scheduleAtFixedRate(() -> turn(folder), every, every, TimeUnit.MILLISECONDS);
            var ticks = clock.scheduleAtFixedRate(
                    () -> {
                        if (sent.incrementAndGet() <= requests) {
                            send(client, request, times, open);
                        }
                    },
                    0,
                    1_000_000_000L / rate,
                    TimeUnit.NANOSECONDS);
            boolean all = open.await(seconds * 3L + GIVE_UP.toSeconds(), TimeUnit.SECONDS);
            ticks.cancel(false);
            changes.cancel(false);
            if (!all) {
                throw new IOException("after three times as long, " + open.getCount() + " requests have no answer");
            }
        }
        double took = (System.nanoTime() - start) / 1e9;
        report.times("request", times);
        report.say("%-44s        %9d".formatted("changes", version.get() - 1));
        report.say("%-44s        %9d".formatted("revisions seen", revisions.size()));
        report.figure("time for the requests", took, "s", seconds / STEADY);
        report.figure("requests that failed", failed.get(), "", 0);
        report.figure("answers that do not fit their revision", mixed.get(), "", 0);
        report.figure("changes that no answer saw", Math.max(0, 2 - revisions.size()), "", 0);
    }

    private void send(HttpClient client, HttpRequest request, Times times, CountDownLatch open) {
        long start = System.nanoTime();
        var _ = client.sendAsync(request, BodyHandlers.ofString()).whenComplete((response, failure) -> {
            synchronized (times) {
                times.addSince(start);
            }
            if (failure != null || response.statusCode() != 200) {
                failed.incrementAndGet();
            } else {
                check(response);
            }
            open.countDown();
        });
    }

    private void check(HttpResponse<String> response) {
        String revision = response.headers().firstValue("x-corral-policy").orElse("");
        String decision = response.headers().firstValue("x-corral-decision").orElse("");
        revisions.add(revision);
        boolean even = revision.matches("desk@[0-9]*[02468]\\+.*");
        boolean odd = revision.matches("desk@[0-9]*[13579]\\+.*");
        boolean blocked = decision.equals("block") && response.body().contains("content_filter");
        boolean flagged = decision.equals("flag") && response.body().contains("Paris");
        if (!((even && blocked) || (odd && flagged))) {
            mixed.incrementAndGet();
        }
    }

    /** Puts the next version into a new folder, and turns the link to it. */
    private void turn(Path folder) {
        try {
            int next = version.incrementAndGet();
            Path data = Files.createDirectory(folder.resolve("..version" + next));
            Files.writeString(data.resolve("desk.yaml"), """
                    policy: desk
                    version: %d
                    hazards: { cards: { name: Cards, numbers: card } }
                    rules:
                      - { id: cards, when: { hazard: cards }, then: %s }
                      - { id: rest, when: { hazard: any }, then: block }
                    """.formatted(next, next % 2 == 0 ? "block" : "flag"));
            Path link = Files.createSymbolicLink(folder.resolve("..next"), data.getFileName());
            Files.move(
                    link,
                    folder.resolve("..data"),
                    StandardCopyOption.ATOMIC_MOVE,
                    StandardCopyOption.REPLACE_EXISTING);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static void delete(Path folder) throws IOException {
        List<Path> all;
        try (Stream<Path> files = Files.walk(folder)) {
            all = files.sorted(Comparator.reverseOrder()).toList();
        }
        for (Path each : all) {
            Files.delete(each);
        }
    }
}
