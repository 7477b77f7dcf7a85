package dev.corral.gateway;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.corral.gateway.moderation.PolicyWatch;
import dev.corral.gateway.moderation.Shadows;
import dev.corral.gateway.testing.Completions;
import dev.corral.gateway.testing.LeakCheck;
import dev.corral.gateway.testing.ScriptedGuard;
import dev.corral.gateway.testing.ScriptedUpstream;
import dev.corral.gateway.testing.TestGateway;
import dev.corral.guardmodels.conversation.Conversation;
import dev.corral.guardmodels.guard.Guard;
import dev.corral.guardmodels.guard.GuardProfile;
import dev.corral.policies.assessment.Assessment;
import dev.corral.policies.assessment.Assessment.Scored;
import dev.corral.policies.assessment.Coverage;
import dev.corral.policies.assessment.Probability;
import dev.corral.policies.policy.PolicyException;
import dev.corral.policies.taxonomy.CustomHazard;
import dev.corral.policies.taxonomy.Hazard;
import dev.corral.policies.taxonomy.StandardHazard;
import dev.corral.policies.taxonomy.Taxonomy;
import java.io.IOException;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** Policies that have the guard look for other hazards than its own. */
@ExtendWith(LeakCheck.class)
class AskedHazardsTests {

    private static final String SECRETS = """
            policy: %s
            version: 1
            hazards:
              secrets: { name: Trade secrets, description: What is not announced. }
            exclude: [S13]
            shadow: [mild, plain]
            rules:
              - { id: secrets, when: { hazard: secrets }, then: block }
            """;

    private final ScriptedUpstream upstream = new ScriptedUpstream();
    private final List<List<Hazard>> judged = new CopyOnWriteArrayList<>();

    @TempDir
    private Path folder;

    @BeforeEach
    void write() throws IOException {
        upstream.says("Fine.");
        policy("desk", SECRETS.formatted("desk"));
        policy("mild", SECRETS.formatted("mild").replace("block", "flag"));
        policy("plain", "policy: plain\nversion: 1\n");
    }

    @AfterEach
    void stop() {
        upstream.close();
    }

    /** Finds a customer's hazard wherever a text has its code, and nothing else. */
    private final class ListGuard implements Guard {

        private final List<Hazard> hazards;

        ListGuard(List<Hazard> hazards) {
            this.hazards = hazards;
        }

        @Override
        public GuardProfile profile() {
            return new GuardProfile(
                    "list",
                    hazards.toString(),
                    "scripted",
                    new Taxonomy("list", hazards),
                    "fp32",
                    8192,
                    new Probability(0.5),
                    "Apache-2.0",
                    "does what it is told");
        }

        @Override
        public int places() {
            return 13;
        }

        @Override
        public Guard asking(List<Hazard> asked) {
            if (asked.contains(new CustomHazard("long", "Long", Optional.of("Too long.")))) {
                throw new IllegalArgumentException("no room");
            }
            return new ListGuard(asked);
        }

        @Override
        public Assessment assess(Conversation conversation) {
            judged.add(hazards);
            Map<Hazard, Probability> found = new LinkedHashMap<>();
            for (Hazard hazard : hazards) {
                boolean is = hazard instanceof CustomHazard
                        && conversation.turns().getLast().toString().contains(hazard.code());
                found.put(hazard, is ? new Probability(0.9) : Probability.ZERO);
            }
            double unsafe = found.values().stream()
                    .mapToDouble(Probability::value)
                    .max()
                    .orElse(0);
            return new Scored(new Probability(unsafe), found, Coverage.ofText(1));
        }

        @Override
        public void close() {}
    }

    private TestGateway start(Guard guard) {
        return TestGateway.start(
                guard,
                Map.of(
                        "corral.upstream.url",
                        upstream.url(),
                        "corral.policy.file",
                        folder.resolve("desk.yaml").toString(),
                        "corral.policy.directory",
                        folder.toString()));
    }

    private Guard guard() {
        return new ListGuard(Taxonomy.LLAMA_GUARD_3.hazards());
    }

    private void policy(String name, String text) throws IOException {
        Files.writeString(folder.resolve(name + ".yaml"), text);
    }

    @Test
    void chatWhenThePolicyHasAHazardOfItsOwnAsksTheGuardForItAndDecides() {
        try (TestGateway gateway = start(guard())) {
            HttpResponse<String> answer = gateway.chat(Completions.request("our secrets"));

            assertThat(answer.headers().firstValue("x-corral-decision")).contains("block");
            assertThat(judged)
                    .singleElement()
                    .satisfies(list -> assertThat(list)
                            .hasSize(13)
                            .doesNotContain(StandardHazard.S13)
                            .last()
                            .extracting(Hazard::code)
                            .isEqualTo("secrets"));
            assertThat(gateway.chat(Completions.request("nothing of the kind"))
                            .headers()
                            .firstValue("x-corral-decision"))
                    .contains("allow");
        }
    }

    @Test
    void shadowWhenItLooksForWhatTheGuardWasNotAskedForIsNotJudged() {
        try (TestGateway gateway = start(guard())) {
            gateway.chat(Completions.request("our secrets"));

            assertThat(gateway.bean(Shadows.class).differences())
                    .singleElement()
                    .satisfies(difference -> assertThat(difference.shadow()).startsWith("mild@1"));
            assertThat(gateway.get("/actuator/prometheus").body().lines())
                    .anyMatch(line -> line.startsWith("corral_shadow_total")
                            && line.contains("shadow=\"plain\"")
                            && line.contains("shadow_decision=\"unknown\""));
        }
    }

    @Test
    void lookWhenAListLeavesNoRoomKeepsTheOldPolicy() throws IOException {
        try (TestGateway gateway = start(guard())) {
            policy(
                    "desk",
                    "policy: desk\nversion: 2\nhazards:\n  long: { name: Long, description: Too long. }\nexclude: [S1]\n");
            gateway.bean(PolicyWatch.class).look();

            assertThat(gateway.bean(PolicyWatch.class).problem())
                    .hasValueSatisfying(problem -> assertThat(problem).endsWith("desk.yaml: no room"));
        }
    }

    @Test
    void startWhenTheGuardHasNoListIsRefused() {
        assertThatThrownBy(() -> start(new ScriptedGuard()).close())
                .hasRootCauseInstanceOf(PolicyException.class)
                .rootCause()
                .hasMessageContaining("POL016")
                .hasMessageContaining("the guard cannot be asked for a hazard of a policy's own: 'secrets'");
    }
}
