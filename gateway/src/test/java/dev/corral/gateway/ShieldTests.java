package dev.corral.gateway;

import static org.assertj.core.api.Assertions.assertThat;

import dev.corral.gateway.testing.ScriptedGuard;
import dev.corral.gateway.testing.TestGateway;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Shields of Llama Stack: each policy is one. */
class ShieldTests {

    @TempDir
    static Path folder;

    private static TestGateway gateway;

    @BeforeAll
    static void start() throws Exception {
        Path others = Files.createDirectory(folder.resolve("others"));
        Path careful = policy(folder, "careful", "block", "");
        policy(others, "relaxed", "flag", "");
        policy(others, "bank", "block", "applies-to: { tenant: bank }");
        gateway = TestGateway.start(
                new ScriptedGuard(),
                Map.of(
                        "corral.policy.file",
                        careful.toString(),
                        "corral.policy.directory",
                        others.toString(),
                        "corral.tenant.header",
                        "x-tenant"));
    }

    private static Path policy(Path into, String name, String action, String more) throws Exception {
        return Files.writeString(into.resolve(name + ".yaml"), """
                policy: %s
                version: 1
                %s
                rules:
                  - { id: all, when: { hazard: any }, then: %s }
                """.formatted(name, more, action));
    }

    @AfterAll
    static void stop() {
        gateway.close();
    }

    @ParameterizedTest
    @CsvSource({
        "careful, '', error, careful@1",
        "relaxed, '', warn, relaxed@1",
        "llama-guard, '', error, careful@1",
        "meta-llama/Llama-Guard-3-8B, '', error, careful@1",
        "relaxed, bank, error, bank@1"
    })
    void runShieldWhenItNamesAPolicyJudgesByItUnlessTheTenantHasOne(
            String shield, String tenant, String level, String policy) {
        HttpResponse<String> answer = run(shield, tenant, "<S9>");

        assertThat(answer.body()).contains("\"violation_level\":\"" + level + "\"");
        assertThat(answer.headers().firstValue("x-corral-policy").orElseThrow()).startsWith(policy);
        assertThat(run(shield, tenant, "hello").body()).isEqualTo("{\"violation\":null}");
    }

    @Test
    void runShieldWhenThereIsNoneOfThatNameSaysWhichThereAre() {
        HttpResponse<String> answer = run("carefull", "", "<S9>");

        assertThat(answer.statusCode()).isEqualTo(400);
        assertThat(answer.body())
                .contains("unknown_shield", "there is no shield 'carefull'", "bank, careful, relaxed")
                .doesNotContain("violation");
    }

    @Test
    void shieldsWhenTheyAreListedAreThePolicies() {
        assertThat(gateway.get("/v1/shields").body())
                .contains("\"identifier\":\"careful\"", "\"identifier\":\"relaxed\"")
                .contains("\"provider_resource_id\":\"scripted\"");
        assertThat(gateway.get("/v1/shields/relaxed").body()).contains("\"identifier\":\"relaxed\"");
        assertThat(gateway.get("/v1/shields/llama-guard").body()).contains("\"identifier\":\"llama-guard\"");
        assertThat(gateway.get("/v1/shields/other").statusCode()).isEqualTo(404);
        assertThat(gateway.post("/v1/shields", "{\"shield_id\":\"x\"}").statusCode())
                .isEqualTo(405);
    }

    private static HttpResponse<String> run(String shield, String tenant, String text) {
        return gateway.send(gateway.request("/v1/safety/run-shield")
                .header("Content-Type", "application/json")
                .headers(tenant.isEmpty() ? new String[] {"accept", "*/*"} : new String[] {"x-tenant", tenant})
                .POST(BodyPublishers.ofString("{\"shield_id\":\"" + shield
                        + "\",\"messages\":[{\"role\":\"user\",\"content\":\"" + text + "\"}]}")));
    }
}
