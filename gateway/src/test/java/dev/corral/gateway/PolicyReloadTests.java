package dev.corral.gateway;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.corral.gateway.moderation.PolicyWatch;
import dev.corral.gateway.testing.Completions;
import dev.corral.gateway.testing.LeakCheck;
import dev.corral.gateway.testing.ScriptedGuard;
import dev.corral.gateway.testing.ScriptedUpstream;
import dev.corral.gateway.testing.TestGateway;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** Policies that change while traffic flows, laid out as Kubernetes lays out a ConfigMap. */
@ExtendWith(LeakCheck.class)
class PolicyReloadTests {

    private final ScriptedGuard guard = new ScriptedGuard();
    private final ScriptedUpstream upstream = new ScriptedUpstream();

    @TempDir
    private Path folder;

    private int generation;
    private TestGateway gateway;

    @BeforeEach
    void start() throws IOException {
        turn("policy: desk\nversion: 1\nrules:\n  - { id: a, when: { hazard: S10 }, then: flag }\n");
        Files.createSymbolicLink(folder.resolve("desk.yaml"), Path.of("..data", "desk.yaml"));
        gateway = TestGateway.start(
                guard,
                Map.of(
                        "corral.upstream.url",
                        upstream.url(),
                        "corral.policy.file",
                        folder.resolve("desk.yaml").toString(),
                        "corral.guard.lanes",
                        "2"));
        upstream.says("ok");
    }

    @AfterEach
    void stop() {
        gateway.close();
        upstream.close();
    }

    @Test
    void lookWhenALinkWasTurnedPutsTheNewPolicyIntoForce() throws IOException {
        assertThat(policy(chat("one <S10>"))).startsWith("desk@1+");

        turn("policy: desk\nversion: 2\n");
        watch().look();

        HttpResponse<String> answer = chat("two <S10>");
        assertThat(policy(answer)).startsWith("desk@2+");
        assertThat(answer.body()).contains("content_filter");
        assertThat(gateway.get("/actuator/prometheus")
                        .body()
                        .lines()
                        .filter(line -> line.startsWith("corral_policy_info")))
                .singleElement()
                .satisfies(line -> assertThat(line).contains("revision=\"" + policy(answer) + "\""));
    }

    @Test
    void lookWhenTheNewPolicyIsBrokenKeepsTheOldOneAndSaysSo() throws IOException {
        turn("policy: desk\nversion: 2\ntresholds: {}\n");
        watch().look();

        assertThat(policy(chat("three"))).startsWith("desk@1+");
        assertThat(watch().problem())
                .hasValueSatisfying(problem -> assertThat(problem).contains("POL007", "Did you mean 'thresholds'?"));
        assertThat(gateway.get("/actuator/health").statusCode()).isEqualTo(200);
        assertThat(gateway.get("/actuator/prometheus").body().lines())
                .anyMatch(line -> line.startsWith("corral_policy_stale") && line.endsWith(" 1.0"));

        turn("policy: desk\nversion: 3\n");
        watch().look();
        assertThat(watch().problem()).isEmpty();
        assertThat(policy(chat("four"))).startsWith("desk@3+");
    }

    @Test
    void lookWhenATestOfTheNewPolicyFailsKeepsTheOldOne() throws IOException {
        turn("policy: desk\nversion: 2\ntests:\n  - { prompt: a, given: { S1: 0.1 }, expect: block }\n");
        watch().look();

        assertThat(policy(chat("five"))).startsWith("desk@1+");
        assertThat(watch().problem())
                .hasValueSatisfying(problem -> assertThat(problem)
                        .contains("a test of policy 'desk' fails", "expected block, but it is allow"));
    }

    @Test
    void lookWhenTheFileIsGoneOrRenamedKeepsTheOldOne() throws IOException {
        turn("policy: other\nversion: 2\n");
        watch().look();
        assertThat(watch().problem())
                .hasValueSatisfying(problem -> assertThat(problem).contains("called 'other' now"));

        Files.delete(folder.resolve("desk.yaml"));
        watch().look();
        assertThat(watch().problem())
                .hasValueSatisfying(problem -> assertThat(problem).contains("there is no such file"));
        assertThat(policy(chat("six"))).startsWith("desk@1+");
    }

    /** As when somebody copies files over others while the gateway reads them. */
    @Test
    void lookWhenFilesAreDeletedWhileTheyAreReadKeepsAWholePolicyInForce() throws IOException {
        AtomicBoolean over = new AtomicBoolean();
        CompletableFuture<Void> comingAndGoing = CompletableFuture.runAsync(() -> {
            for (int version = 2; !over.get(); version++) {
                replace("policy: desk\nversion: " + version + "\n");
            }
        });
        try {
            for (int i = 0; i < 300; i++) {
                watch().look();
                assertThat(policy(chat("seven <S10>"))).matches("desk@[0-9]+\\+[0-9a-f]{8}");
                assertThat(watch().problem().orElse("there is no such file")).contains("there is no such file");
            }
        } finally {
            over.set(true);
            comingAndGoing.join();
        }

        replace("policy: desk\nversion: 1000000\n");
        watch().look();
        assertThat(watch().problem()).isEmpty();
        assertThat(policy(chat("eight"))).startsWith("desk@1000000+");
    }

    private void replace(String policy) {
        Path file = folder.resolve("desk.yaml");
        Path next = folder.resolve("next");
        try {
            Files.delete(file);
            Files.writeString(next, policy);
            Files.move(next, file, StandardCopyOption.ATOMIC_MOVE);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Test
    void lookWhenAnExchangeIsUnderWayLetsItKeepItsPolicy() throws IOException {
        CompletableFuture<HttpResponse<String>> held = CompletableFuture.supplyAsync(() -> chat("<hold> and <S10>"));
        await().until(() -> guard.holding.get() == 1);

        turn("policy: desk\nversion: 2\n");
        watch().look();
        assertThat(policy(chat("seven"))).startsWith("desk@2+");
        guard.release();

        assertThat(policy(held.join())).startsWith("desk@1+");
        assertThat(held.join().headers().firstValue("x-corral-decision")).contains("flag");
    }

    @Test
    void lookWhenTrafficFlowsFailsNoRequestAndShowsNoMixture() throws IOException {
        AtomicBoolean over = new AtomicBoolean();
        List<String> wrong = new CopyOnWriteArrayList<>();
        CompletableFuture<Void> traffic = CompletableFuture.runAsync(() -> {
            for (int i = 0; !over.get(); i++) {
                HttpResponse<String> answer = chat("flow " + i + " <S10>");
                boolean isOdd = policy(answer).matches("desk@\\d*[13579]\\+.*");
                boolean flagged = answer.headers()
                        .firstValue("x-corral-decision")
                        .orElse("")
                        .equals("flag");
                if (answer.statusCode() != 200 || isOdd != flagged) {
                    wrong.add(answer.statusCode() + " " + policy(answer) + " " + answer.body());
                }
            }
        });
        for (int version = 2; version < 12; version++) {
            turn("policy: desk\nversion: " + version + "\n"
                    + (version % 2 == 0 ? "" : "rules:\n  - { id: a, when: { hazard: S10 }, then: flag }\n"));
            watch().look();
            String expected = "desk@" + version + "+";
            await().until(() -> policy(chat("seen")).startsWith(expected));
        }
        over.set(true);
        traffic.join();

        assertThat(wrong).isEmpty();
    }

    private PolicyWatch watch() {
        return gateway.bean(PolicyWatch.class);
    }

    private HttpResponse<String> chat(String prompt) {
        return gateway.chat(Completions.request(prompt));
    }

    private static String policy(HttpResponse<String> answer) {
        return answer.headers().firstValue("x-corral-policy").orElse("");
    }

    /** Puts a file into a new folder, and turns the link to it. */
    private void turn(String policy) throws IOException {
        Path data = Files.createDirectory(folder.resolve("..generation" + generation++));
        Files.writeString(data.resolve("desk.yaml"), policy);
        Path link = folder.resolve("..next");
        Files.createSymbolicLink(link, data.getFileName());
        Files.move(link, folder.resolve("..data"), StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    }
}
