package dev.corral.guardmodels.remote;

import static com.github.tomakehurst.wiremock.client.WireMock.okJson;
import static com.github.tomakehurst.wiremock.client.WireMock.post;
import static com.github.tomakehurst.wiremock.client.WireMock.urlEqualTo;
import static com.github.tomakehurst.wiremock.core.WireMockConfiguration.options;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import com.github.tomakehurst.wiremock.WireMockServer;
import com.github.tomakehurst.wiremock.client.WireMock;
import com.github.tomakehurst.wiremock.stubbing.Scenario;
import dev.corral.guardmodels.Fixtures;
import dev.corral.guardmodels.conversation.Conversation;
import dev.corral.guardmodels.conversation.Image;
import dev.corral.guardmodels.conversation.Part;
import dev.corral.guardmodels.conversation.Role;
import dev.corral.guardmodels.conversation.Turn;
import dev.corral.guardmodels.guard.Guard;
import dev.corral.guardmodels.prompt.GuardFamily;
import dev.corral.guardmodels.store.NamedHazards;
import dev.corral.guardmodels.store.OwnHazards;
import dev.corral.policies.assessment.Assessment;
import dev.corral.policies.assessment.Assessment.Scored;
import dev.corral.policies.assessment.Coverage.Extent;
import dev.corral.policies.assessment.Probability;
import dev.corral.policies.taxonomy.StandardHazard;
import java.net.URI;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** A server that is sent images. */
class RemoteImagesTests {

    private final WireMockServer server =
            new WireMockServer(options().dynamicPort().bindAddress("127.0.0.1"));

    @BeforeEach
    void start() {
        server.start();
        answers("safe");
    }

    @AfterEach
    void stop() {
        server.stop();
    }

    private void answers(String text) {
        server.stubFor(post(urlEqualTo("/v1/chat/completions")).willReturn(okJson("""
                {"choices":[{"message":{"role":"assistant","content":"\\n\\n%s"}}]}""".formatted(text))));
    }

    private RemoteSettings settings(Api api) {
        return new RemoteSettings(
                URI.create(server.baseUrl() + "/v1"),
                "meta-llama/Llama-Guard-3-11B-Vision",
                api,
                GuardFamily.LLAMA_GUARD_3,
                OwnHazards.of(GuardFamily.LLAMA_GUARD_3),
                NamedHazards.FIRST,
                Optional.empty(),
                Duration.ofSeconds(5),
                Duration.ofSeconds(20),
                1,
                8192,
                0,
                new Probability(0.5));
    }

    private Scored scored(Turn... turns) {
        try (Guard guard = RemoteGuard.seeing(settings(Api.CHAT))) {
            Assessment assessment = guard.assess(new Conversation(List.of(turns)));
            assertThat(assessment).isInstanceOf(Scored.class);
            return (Scored) assessment;
        }
    }

    private static Part image(String file, String where) {
        return new Part.ImagePart(Image.File.of(Fixtures.bytes("/fixtures/images/" + file)), where);
    }

    private List<JsonNode> requests() {
        return server.getAllServeEvents().stream()
                .map(event -> new JsonMapper().readTree(event.getRequest().getBody()))
                .toList()
                .reversed();
    }

    @Test
    void assessWhenTurnsHaveImagesSendsEachAsPngBesideTheConversation() {
        Scored scored = scored(
                new Turn(Role.USER, List.of(new Part.TextPart("What is this?", "t"), image("odd_113x57.webp", "a"))),
                Turn.of(Role.ASSISTANT, "A cat."),
                new Turn(Role.USER, List.of(image("square_56x56.png", "b"))));
        assertThat(requests()).hasSize(2).allSatisfy(request -> {
            JsonNode messages = request.path("messages");
            assertThat(messages).hasSize(3);
            JsonNode first = messages.get(0).path("content");
            assertThat(first.get(0).path("image_url").path("url").asString()).startsWith("data:image/png;base64,iVBOR");
            assertThat(first.get(1).path("text").asString()).isEqualTo("What is this?");
            assertThat(messages.get(1).path("role").asString()).isEqualTo("assistant");
        });
        assertThat(scored.unsafe()).isEqualTo(Probability.ZERO);
        assertThat(scored.coverage().images()).isEqualTo(new Extent(2, 2));
    }

    @Test
    void assessWhenOneFrameIsFoundUnsafeSaysSo() {
        server.stubFor(post(urlEqualTo("/v1/chat/completions"))
                .inScenario("frames")
                .whenScenarioStateIs(Scenario.STARTED)
                .willSetStateTo("second")
                .willReturn(okJson("""
                        {"choices":[{"message":{"role":"assistant","content":"safe"}}]}""")));
        server.stubFor(post(urlEqualTo("/v1/chat/completions"))
                .inScenario("frames")
                .whenScenarioStateIs("second")
                .willReturn(okJson("""
                        {"choices":[{"message":{"role":"assistant","content":"unsafe\\nS9"}}]}""")));
        Scored scored = scored(new Turn(Role.USER, List.of(image("animated_70x90.gif", "a"))));
        assertThat(scored.unsafe().value()).isEqualTo(1);
        assertThat(scored.hazards().get(StandardHazard.S9).value()).isEqualTo(1);
        assertThat(requests()).hasSizeGreaterThan(1);
    }

    @Test
    void assessWhenImageWasNotFetchedSendsNothingAndNamesIt() {
        Scored scored = scored(new Turn(Role.USER, List.of(new Part.ImagePart("http://169.254.169.254/a", "here"))));
        server.verify(0, WireMock.anyRequestedFor(WireMock.anyUrl()));
        assertThat(scored.coverage().images()).isEqualTo(new Extent(0, 1));
        assertThat(scored.coverage().unscanned()).singleElement().satisfies(part -> {
            assertThat(part.where()).isEqualTo("here");
            assertThat(part.why()).isEqualTo("nobody has fetched it");
        });
    }

    @Test
    void assessWhenThereIsNoImageAsksAboutTheTextAlone() {
        answers("unsafe\\nS1");
        assertThat(scored(Turn.of(Role.USER, "How?"))
                        .hazards()
                        .get(StandardHazard.S1)
                        .value())
                .isEqualTo(1);
        assertThat(requests().getFirst().path("messages").get(0).path("content").isString())
                .isTrue();
    }

    @Test
    void seeingWhenServerTakesRawPromptsIsRefused() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> RemoteGuard.seeing(settings(Api.COMPLETIONS)))
                .withMessageContaining("by chat");
    }
}
