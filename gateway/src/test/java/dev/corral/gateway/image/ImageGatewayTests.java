package dev.corral.gateway.image;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.corral.gateway.testing.LeakCheck;
import dev.corral.gateway.testing.ScriptedGuard;
import dev.corral.gateway.testing.ScriptedUpstream;
import dev.corral.gateway.testing.TestGateway;
import dev.corral.guardmodels.conversation.Image;
import dev.corral.guardmodels.conversation.Part.ImagePart;
import java.io.IOException;
import java.net.InetAddress;
import java.net.URI;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** Images on their way through a whole gateway. */
@ExtendWith(LeakCheck.class)
class ImageGatewayTests {

    private static final String CAT = "https://images.example/cat.png";
    private static final String INLINE = DataUri.of("image/png", ImageFetcherTests.PNG);

    private static final ScriptedGuard guard = new ScriptedGuard();
    private static final ScriptedUpstream upstream = new ScriptedUpstream();
    private static final ScriptedUpstream images = new ScriptedUpstream();
    private static TestGateway gateway;

    @BeforeAll
    static void start(@TempDir Path policies) throws IOException {
        Map<String, String> settings = new LinkedHashMap<>();
        settings.put("corral.upstream.url", upstream.url());
        settings.put("corral.upstream.dialect", "openai");
        settings.put(
                "corral.policy.file",
                policy(policies, "fetching", "unscanned: flag\nimages: { fetch: https }\n")
                        .toString());
        settings.put("corral.policy.directory", policies.toString());
        settings.put("corral.guard.cache-size", "0B"); // so that the guard sees each image again
        route(settings, 0, policy(policies, "keeping", "images: { fetch: none }\n"));
        route(settings, 1, policy(policies, "passing", "unscanned: flag\nimages: { fetch: https, pass: url }\n"));
        route(settings, 2, policy(policies, "redacting", """
                unscanned: flag
                images: { fetch: https }
                hazards: { cards: { name: Card, numbers: card } }
                rules: [{ id: cards, when: { hazard: cards }, then: redact }]
                """));
        gateway = TestGateway.start(
                guard, settings, context -> context.registerBean("imageFetcher", ImageFetcher.class, () -> fetcher()));
    }

    private static Path policy(Path folder, String name, String rest) throws IOException {
        return Files.writeString(folder.resolve(name + ".yaml"), "policy: " + name + "\nversion: 1\n" + rest);
    }

    /** Requests below the policy's name are under it. */
    private static void route(Map<String, String> settings, int number, Path policy) {
        String name = policy.getFileName().toString().replace(".yaml", "");
        String route = "spring.cloud.gateway.server.webflux.routes[" + number + "].";
        settings.put(route + "id", name);
        settings.put(route + "uri", upstream.url().replace("/v1", ""));
        settings.put(route + "predicates[0]", "Path=/" + name + "/**");
        settings.put(route + "filters[0]", "Moderate=" + name);
        settings.put(route + "filters[1]", "StripPrefix=1");
    }

    private static HttpResponse<String> chat(String policy, String body) {
        return gateway.send(gateway.request("/" + policy + "/v1/chat/completions")
                .header("Content-Type", "application/json")
                .POST(BodyPublishers.ofString(body)));
    }

    /** Goes to the server of this test, whatever the host. */
    private static ImageFetcher fetcher() {
        InetAddress here = InetAddress.ofLiteral("127.0.0.1");
        int port = URI.create(images.url()).getPort();
        return new ImageFetcher(
                new FetchLimits(10_000, Duration.ofSeconds(10), 3),
                new ImageFetcher.Rules("http", port, here::equals, Optional.empty()),
                new ScriptedNames().answer("images.example", "127.0.0.1"));
    }

    @AfterAll
    static void stop() {
        gateway.close();
        upstream.close();
        images.close();
    }

    @BeforeEach
    void reset() {
        guard.asked.clear();
        upstream.reset();
        upstream.says("A cat.");
        images.reset();
        images.answers(200, "image/png", ImageFetcherTests.PNG);
    }

    private static String url() {
        return "http://images.example:" + URI.create(images.url()).getPort() + "/cat.png";
    }

    private static String image(String url) {
        return "{\"type\":\"image_url\",\"image_url\":{\"url\":\"" + url + "\",\"detail\":\"low\"}}";
    }

    private static String user(String... parts) {
        return "{\"role\":\"user\",\"content\":[" + String.join(",", parts) + "]}";
    }

    private static String request(String... messages) {
        return "{\"model\":\"m\",\"seed\": 1,\"messages\":[" + String.join(",", messages) + "]}";
    }

    /** What the guard was shown first of all images that it was shown. */
    private static List<Image> seen() {
        return guard.asked.stream()
                .flatMap(conversation -> conversation.turns().stream())
                .flatMap(turn -> turn.parts().stream())
                .filter(ImagePart.class::isInstance)
                .map(part -> ((ImagePart) part).image())
                .distinct()
                .toList();
    }

    private static String sent() {
        return new String(upstream.last().body(), UTF_8);
    }

    @Test
    void postWhenImageIsInsideShowsTheGuardItsFileAndPassesTheBodyOnUnchanged() {
        String body = request(user("{\"type\":\"text\",\"text\":\"What is this?\"}", image(INLINE)));

        HttpResponse<String> answer = gateway.chat(body);

        assertThat(answer.statusCode()).isEqualTo(200);
        assertThat(seen()).containsExactly(Image.File.of(ImageFetcherTests.PNG));
        assertThat(sent()).isEqualTo(body);
        assertThat(images.received).isEmpty();
    }

    @Test
    void postWhenImageIsFetchedPassesOnTheFileThatWasJudged() {
        HttpResponse<String> answer = gateway.chat(request(user(image(url()))));

        assertThat(answer.statusCode()).isEqualTo(200);
        assertThat(seen()).containsExactly(Image.File.of(ImageFetcherTests.PNG));
        assertThat(sent()).isEqualTo(request(user(image(INLINE))).replace("\"seed\": 1", "\"seed\":1"));
        assertThat(images.received).hasSize(1);
    }

    @Test
    void postWhenImageIsFetchedForAnUpstreamOfAnotherApiPassesOnTheFileInItsWords() {
        HttpResponse<String> answer = gateway.post(
                "/v1/messages",
                "{\"model\":\"m\",\"max_tokens\":9,\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"image\","
                        + "\"source\":{\"type\":\"url\",\"url\":\"" + url() + "\"}}]}]}");

        assertThat(answer.statusCode()).as(answer.body()).isEqualTo(200);
        assertThat(answer.body()).contains("\"type\":\"message\"", "A cat.");
        assertThat(seen()).containsExactly(Image.File.of(ImageFetcherTests.PNG));
        assertThat(upstream.last().uri()).isEqualTo("/v1/chat/completions");
        assertThat(sent()).contains("{\"type\":\"image_url\",\"image_url\":{\"url\":\"" + INLINE + "\"}}");
    }

    @Test
    void postWhenImageIsAMereTextIsFetchedAllTheSame() {
        gateway.chat(request(user("{\"type\":\"image_url\",\"image_url\":\"" + url() + "\"}")));

        assertThat(seen()).containsExactly(Image.File.of(ImageFetcherTests.PNG));
        assertThat(sent()).contains("\"image_url\":\"" + INLINE + "\"");
    }

    @Test
    void postWhenImageIsInAnOldTurnOrAToolResultIsFetchedAsWell() {
        gateway.chat(request(
                user(image(url())),
                "{\"role\":\"assistant\",\"content\":\"A cat.\"}",
                "{\"role\":\"tool\",\"tool_call_id\":\"1\",\"content\":[" + image(url()) + "]}",
                "{\"role\":\"user\",\"content\":\"Are you sure?\"}"));

        assertThat(guard.asked)
                .anySatisfy(conversation -> assertThat(
                                conversation.turns().getFirst().parts())
                        .first()
                        .isEqualTo(new ImagePart(
                                Image.File.of(ImageFetcherTests.PNG), "messages[0].content[0].image_url")));
        assertThat(sent()).doesNotContain("http://images.example").contains(INLINE);
        assertThat(images.received).hasSize(2);
    }

    @Test
    void postWhenThereAreTwentyImagesTakesSixteen() {
        String twenty = IntStream.range(0, 20).mapToObj(_ -> image(url())).collect(Collectors.joining(","));

        gateway.chat(request(user(twenty)));

        assertThat(images.received).hasSize(16);
        assertThat(seen())
                .containsExactly(
                        Image.File.of(ImageFetcherTests.PNG),
                        new Image.Unavailable("the request has more than 16 images; send fewer, or raise"
                                + " corral.images.max-per-request"));
    }

    @Test
    void postWhenImageCannotBeHadSaysWhyAndIsNotReplaced() {
        gateway.chat(request(user(image("https://169.254.169.254/"), image("data:image/png;base64,AAA"))));

        assertThat(seen()).hasSize(2).allSatisfy(image -> assertThat(image).isInstanceOf(Image.Unavailable.class));
        assertThat(sent()).contains("https://169.254.169.254/");
    }

    @Test
    void postWhenThePolicyFetchesNothingBlocksAndSaysHowToSendIt() {
        HttpResponse<String> answer = chat("keeping", request(user(image(CAT))));

        assertThat(answer.body()).contains("content_filter");
        assertThat(seen())
                .containsExactly(new Image.Unavailable("the policy does not have images fetched; send it inside of the"
                        + " request as data:image/png;base64,..., or allow it with 'images: { fetch: https }'"));
        assertThat(upstream.received).isEmpty();
        assertThat(images.received).isEmpty();
    }

    @Test
    void postWhenThePolicyPassesAddressesJudgesTheFileAndPassesTheAddress() {
        chat("passing", request(user(image(url()))));

        assertThat(seen()).containsExactly(Image.File.of(ImageFetcherTests.PNG));
        assertThat(sent()).contains(url()).doesNotContain("data:image");
    }

    @Test
    void postWhenAPartIsRedactedKeepsTheFile() {
        chat("redacting", request(user("{\"type\":\"text\",\"text\":\"Pay with 4111 1111 1111 1111\"}", image(url()))));

        assertThat(sent()).contains(INLINE).doesNotContain("4111");
        assertThat(seen()).containsExactly(Image.File.of(ImageFetcherTests.PNG));
    }
}
