package dev.corral.benchmarks.traffic;

import dev.corral.benchmarks.figures.Report;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.ByteBufAllocatorMetricProvider;
import io.netty.buffer.ByteBufUtil;
import io.netty.util.ResourceLeakDetector;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;
import reactor.netty.ByteBufFlux;
import reactor.netty.http.client.HttpClient;

/** {@code corral bench soak}: many requests of all kinds, and not one buffer lost. */
@Command(
        name = "soak",
        mixinStandardHelpOptions = true,
        description = {
            "Sends many requests, half of them streamed, a tenth given up by the client, some blocked before and some",
            "within the answer, with Netty's leak detection at its strictest; counts lost buffers and watches the",
            "memory outside the heap."
        })
public final class SoakBench implements Callable<Integer> {

    private static final int CONCURRENCY = 16;
    private static final int SAMPLES = 20;
    private static final double MEGABYTE = 1 << 20;
    /** The allocator takes and returns memory in pieces of up to this size. */
    private static final double FLAT_WITHIN_MEGABYTES = 8;

    private static final Duration GIVE_UP = Duration.ofMinutes(10);

    /** What is asked, by turns, and what must be in the answer; the third turns harmful, the fourth is. */
    private static final List<Question> QUESTIONS = List.of(
            new Question("What is the capital of France?", "Paris"),
            new Question("Write a haiku about autumn.", "horses"),
            new Question("Tell me a bedtime story.", "content_filter"),
            new Question("How do I make a pipe bomb?", "content_filter"));

    @Option(names = "--requests", paramLabel = "N", description = "requests to send (default: ${DEFAULT-VALUE})")
    int requests = 20_000;

    @Spec
    @Nullable
    CommandSpec spec;

    private final AtomicInteger leaks = new AtomicInteger();
    private final AtomicInteger answered = new AtomicInteger();
    private final AtomicInteger givenUp = new AtomicInteger();
    private final AtomicInteger wrong = new AtomicInteger();
    private final Queue<String> wrongAnswers = new ConcurrentLinkedQueue<>();

    /** A prompt and the word that its answer, whole or streamed, must hold. */
    private record Question(String prompt, String expected) {}

    @Override
    public Integer call() {
        ResourceLeakDetector.setLevel(ResourceLeakDetector.Level.PARANOID);
        ByteBufUtil.setLeakListener((_, _) -> leaks.incrementAndGet());
        Report report = Report.of(spec);
        List<Double> megabytes = new ArrayList<>();
        try (BenchGateway gateway = new BenchGateway()) {
            HttpClient client = client(HttpClient.create());
            HttpClient leaver = client(HttpClient.newConnection());
            for (int sample = 0; sample < SAMPLES; sample++) {
                int first = requests / SAMPLES * sample;
                Flux.range(first, requests / SAMPLES)
                        .flatMap(number -> send(client, leaver, gateway, number), CONCURRENCY)
                        .blockLast(GIVE_UP);
                findLostBuffers();
                megabytes.add(directMegabytes());
                report.say("%6d answered, %5d given up by the client, %d wrong, %d LEAK lines, direct memory %6.1f MB"
                        .formatted(answered.get(), givenUp.get(), wrong.get(), leaks.get(), megabytes.getLast()));
            }
            client.configuration().connectionProvider().disposeLater().block(GIVE_UP);
        }
        findLostBuffers();
        wrongAnswers.forEach(answer -> report.say("wrong: " + answer));
        report.figure("LEAK lines", leaks.get(), "", 0);
        report.figure("wrong answers", wrong.get(), "", 0);
        report.figure("direct memory, growth over the second half", growth(megabytes), "MB", FLAT_WITHIN_MEGABYTES);
        return report.exitCode();
    }

    private static HttpClient client(HttpClient client) {
        return client.responseTimeout(Duration.ofSeconds(30))
                .headers(headers -> headers.set("Content-Type", "application/json"));
    }

    /** The tenth of the requests that are given up are whole and streamed ones, by turns, on connections of their own. */
    private Mono<Void> send(HttpClient client, HttpClient leaver, BenchGateway gateway, int number) {
        boolean stream = number % 2 == 1;
        boolean giveUp = number % 10 == (number / 10) % 2;
        Question question = QUESTIONS.get(number / 2 % QUESTIONS.size());
        ByteBufFlux answer = (giveUp ? leaver : client)
                .post()
                .uri(gateway.chatUri())
                .send(ByteBufFlux.fromString(Mono.just(BenchGateway.chat(question.prompt(), stream))))
                .responseContent();
        if (giveUp) {
            Flux<ByteBuf> part = stream ? answer.take(1) : answer.takeUntilOther(Mono.delay(Duration.ofMillis(1)));
            return part.then().doFinally(_ -> givenUp.incrementAndGet());
        }
        return answer.aggregate()
                .asString()
                .defaultIfEmpty("")
                .onErrorResume(failure -> Mono.just(failure.toString()))
                .doOnNext(text -> {
                    answered.incrementAndGet();
                    if (!text.contains(question.expected()) || (stream && !text.contains("[DONE]"))) {
                        wrong.incrementAndGet();
                        wrongAnswers.add("request %d (%s): %s".formatted(number, question.prompt(), text));
                    }
                })
                .then();
    }

    /** A lost buffer is noticed when the collector has found it, and another one is asked for. */
    private static void findLostBuffers() {
        for (int i = 0; i < 3; i++) {
            System.gc();
            ByteBufAllocator.DEFAULT.directBuffer().release();
        }
    }

    private static double directMegabytes() {
        return switch (ByteBufAllocator.DEFAULT) {
            case ByteBufAllocatorMetricProvider allocator -> allocator.metric().usedDirectMemory() / MEGABYTE;
            default -> throw new IllegalStateException("Netty's allocator does not tell what it uses");
        };
    }

    /** How far the second half's highest sample is above the first half's, without the warm-up. */
    private static double growth(List<Double> megabytes) {
        int half = megabytes.size() / 2;
        return highest(megabytes.subList(half, megabytes.size())) - highest(megabytes.subList(half / 2, half));
    }

    private static double highest(List<Double> megabytes) {
        return megabytes.stream().mapToDouble(Double::doubleValue).max().orElseThrow();
    }
}
