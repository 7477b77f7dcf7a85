package dev.corral.gateway.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;
import static org.assertj.core.api.Assertions.entry;

import dev.corral.gateway.testing.ScriptedGuard;
import dev.corral.gateway.testing.TestGateway;
import dev.corral.guardmodels.guard.Guard;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.test.system.CapturedOutput;
import org.springframework.boot.test.system.OutputCaptureExtension;
import org.springframework.context.support.GenericApplicationContext;
import picocli.CommandLine;

/** Starts that cannot work: each says what is wrong and what to do, and shows no stack trace. */
@ExtendWith(OutputCaptureExtension.class)
class StartTests {

    private static void assertFails(CapturedOutput output, String... settings) {
        SpringApplication application = new SpringApplication(GatewayServer.class);
        application.addInitializers(context ->
                ((GenericApplicationContext) context).registerBean("guard", Guard.class, ScriptedGuard::new));
        List<String> arguments = new ArrayList<>(List.of(settings));
        if (arguments.stream().noneMatch(argument -> argument.startsWith("--corral.port="))) {
            arguments.add("--corral.port=0");
        }
        assertThat(catchThrowable(
                        () -> application.run(arguments.toArray(String[]::new)).close()))
                .isNotNull();
        assertThat(output).contains("APPLICATION FAILED TO START").doesNotContain("\tat ");
    }

    @Test
    void startWhenThePolicyHasMistakesShowsThemAll(@TempDir Path folder, CapturedOutput output) throws IOException {
        Path policy = Files.writeString(folder.resolve("broken.yaml"), """
                policy: broken
                version: 0
                rulez: []
                rules:
                  - { id: a, when: { hazard: S99 }, then: block }
                  - { id: b, when: { hazard: any }, then: explode }
                unscanned: maybe
                """);
        assertFails(output, "--corral.policy.file=" + policy);
        assertThat(output)
                .contains("broken.yaml:2:", "broken.yaml:3:", "broken.yaml:5:", "broken.yaml:6:", "broken.yaml:7:")
                .contains("^")
                .contains("corral.policy.file");
    }

    @Test
    void startWhenThePolicyIsMissingSaysSo(@TempDir Path folder, CapturedOutput output) {
        assertFails(output, "--corral.policy.file=" + folder.resolve("none.yaml"));
        assertThat(output).contains("none.yaml", "no such file");
    }

    @Test
    void startWhenTwoPoliciesShareANameSaysWhich(@TempDir Path folder, CapturedOutput output) throws IOException {
        Files.writeString(folder.resolve("a.yaml"), "policy: default\nversion: 7\n");
        assertFails(output, "--corral.policy.directory=" + folder);
        assertThat(output).contains("default@7", "default@1");
    }

    @Test
    void startWhenARouteNamesAnUnknownPolicySaysWhichThereAre(CapturedOutput output) {
        String route = "--spring.cloud.gateway.server.webflux.routes[0].";
        assertFails(
                output,
                route + "id=team",
                route + "uri=http://localhost:1",
                route + "predicates[0]=Path=/team/**",
                route + "filters[0]=Moderate=defualt");
        assertThat(output).contains("Moderate=defualt", "did you mean 'default'?", "corral.policy.directory");
    }

    @Test
    void startWhenASettingIsUnknownSaysWhatWasMeant(CapturedOutput output) {
        assertFails(output, "--corral.upstream.ulr=http://localhost:1/v1");
        assertThat(output).contains("Did you mean 'corral.upstream.url'?");
    }

    @Test
    void startWhenASettingIsOutOfRangeSaysTheRule(CapturedOutput output) {
        assertFails(output, "--corral.upstream.url=localhost");
        assertThat(output).contains("corral.upstream.url must be an address such as http://localhost:11434/v1");
    }

    @Test
    void startWhenAPresetIsUnknownSaysWhichThereAre(CapturedOutput output) {
        assertFails(output, "--corral.upstream.preset=olama");
        assertThat(output)
                .contains("corral.upstream.preset must be one of anthropic, azure-ai", "ollama", "vllm", ": olama");
    }

    @Test
    void startWhenAnUpstreamIsIncompleteSaysWhatIsMissing(CapturedOutput output) {
        assertFails(output, "--corral.upstreams.a.weight=2");
        assertThat(output).contains("The upstream 'a' cannot be used: corral.upstreams.a must have a preset or a url");
        assertFails(output, "--corral.upstream.preset=vertex", "--corral.upstream.values.region=us-east5");
        assertThat(output).contains("corral.upstream.values must be region, project");
        assertFails(output, "--corral.upstreams.a.preset=groq", "--corral.upstreams.b.preset=ollama");
        assertThat(output).contains("corral.upstreams.a.api-key-file must be set: Groq answers nobody without a key");
    }

    @Test
    void startWhenAKeyCannotBeUsedNeverShowsIt(@TempDir Path folder, CapturedOutput output) throws IOException {
        Path file = Files.writeString(folder.resolve("key"), "sk-7\nsk-8");
        assertFails(output, "--corral.upstream.preset=groq", "--corral.upstream.api-key-file=" + file);
        assertThat(output).contains("corral.upstream.api-key-file", "one line of visible ASCII characters");
        assertFails(output, "--corral.upstream.preset=groq", "--corral.upstream.api-key=sk-7 sk-8");
        assertFails(
                output, "--corral.upstream.preset=groq", "--corral.upstream.api-key-file=" + folder.resolve("none"));
        assertThat(output)
                .contains("NoSuchFileException")
                .doesNotContain("sk-7")
                .doesNotContain("sk-8");
    }

    @Test
    void startWhenAKeyAndTheClientsAreWantedSaysWhichIsSeen(CapturedOutput output) {
        assertFails(
                output,
                "--corral.upstream.preset=groq",
                "--corral.upstream.api-key=sk-7",
                "--corral.upstream.client-credentials=pass");
        assertThat(output).contains("corral.upstream.client-credentials must be drop or left out");
    }

    @Test
    void startWhenTheUpstreamIsTheGatewayItselfSaysSo(CapturedOutput output) throws IOException {
        int free;
        try (ServerSocket socket = new ServerSocket(0)) {
            free = socket.getLocalPort();
        }
        assertFails(output, "--corral.port=" + free, "--corral.upstream.url=http://localhost:" + free + "/v1");
        assertThat(output).contains("corral.upstream.url must not be this gateway's own address");
    }

    @Test
    void startWhenARouteLeadsToNoUpstreamSaysWhichThereAre(CapturedOutput output) {
        String route = "--spring.cloud.gateway.server.webflux.routes[0].";
        assertFails(
                output,
                "--corral.upstreams.local.preset=ollama",
                route + "id=team",
                route + "uri=upstream://locl",
                route + "predicates[0]=Path=/team/**",
                route + "filters[0]=Moderate");
        assertThat(output).contains("The route 'team' leads to upstream://locl", "upstream://local");
    }

    @Test
    void startWhenUpstreamsAreNamedSaysWhereAndWithWhichKey(CapturedOutput output) {
        TestGateway.start(
                        new ScriptedGuard(),
                        Map.of(
                                "corral.upstreams.cloud.preset", "groq",
                                "corral.upstreams.cloud.models", "llama-3.3-*",
                                "GROQ_API_KEY", "sk-7",
                                "corral.upstreams.local.preset", "ollama"))
                .close();
        assertThat(output)
                .contains("upstream cloud: Groq at https://api.groq.com/openai/v1, models llama-3.3-*, weight 1, key"
                        + " from GROQ_API_KEY")
                .contains(
                        "upstream local: Ollama at http://localhost:11434/v1, models *, weight 1, without credentials")
                .doesNotContain("sk-7");
    }

    @Test
    void usageWhenAskedForListsThePresets() {
        assertThat(new CommandLine(new RunCommand()).getUsageMessage())
                .contains("--upstream=NAME|URL", "ollama", "vllm", "llama-stack", "dell-enterprise-hub", "openrouter");
    }

    @Test
    void settingsWhenTheUpstreamIsAPresetNamesIt() {
        RunCommand command = new RunCommand();
        new CommandLine(command).parseArgs("--upstream", "vllm");
        assertThat(command.settings()).containsOnly(entry("corral.upstream.preset", "vllm"));
    }

    @Test
    void startWhenARouteHasNoModerationWarns(CapturedOutput output) {
        SpringApplication application = new SpringApplication(GatewayServer.class);
        application.addInitializers(context ->
                ((GenericApplicationContext) context).registerBean("guard", Guard.class, ScriptedGuard::new));
        String route = "--spring.cloud.gateway.server.webflux.routes[0].";
        application
                .run(
                        "--corral.port=0",
                        route + "id=open",
                        route + "uri=http://localhost:1",
                        route + "predicates[0]=Path=/x")
                .close();
        assertThat(output)
                .contains("route 'open' has no Moderate filter")
                .contains("guard scripted (fp32, Apache-2.0): does what it is told")
                .contains("./corral quantize --from DIR --to DIR --precision int4");
    }

    @Test
    void runWhenTheGuardIsNoGuardExitsWithOne(@TempDir Path folder, CapturedOutput output) {
        int code = new CommandLine(new RunCommand())
                .execute("--port", "0", "--guard", folder.resolve("nothing").toString());
        assertThat(code).isEqualTo(1);
        assertThat(output).contains("nothing", "--guard DIR", "quantize").doesNotContain("\tat ");
    }

    @Test
    void startWhenThePortIsTakenSaysWhich(CapturedOutput output) throws IOException {
        try (ServerSocket taken = new ServerSocket(0, 1, InetAddress.getByName("127.0.0.1"))) {
            assertFails(output, "--corral.port=" + taken.getLocalPort());
            assertThat(output).contains("Port " + taken.getLocalPort() + " was already in use");
        }
    }

    @Test
    void settingsWhenOptionsAreGivenAreTheirProperties() {
        RunCommand command = new RunCommand();
        new CommandLine(command)
                .parseArgs(
                        "--port", "9", "--upstream", "http://x/v1", "--policy", "p", "--guard", "g", "--address", "::");
        assertThat(command.settings())
                .containsEntry("corral.port", "9")
                .containsEntry("corral.upstream.url", "http://x/v1")
                .containsEntry("corral.policy.file", "p")
                .containsEntry("corral.guard.directory", "g")
                .containsEntry("corral.address", "::");
    }
}
