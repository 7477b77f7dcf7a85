package dev.corral.gateway.image;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.corral.gateway.testing.LeakCheck;
import dev.corral.gateway.testing.ScriptedUpstream;
import dev.corral.guardmodels.conversation.Image;
import dev.corral.policies.policy.ImageUse;
import dev.corral.policies.policy.ImageUse.Pass;
import java.net.InetAddress;
import java.net.URI;
import java.time.Duration;
import java.util.Base64;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

@ExtendWith(LeakCheck.class)
class ImageFetcherTests {

    /** A PNG of one pixel. */
    static final byte[] PNG = Base64.getDecoder()
            .decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==");

    private static final FetchLimits LIMITS = new FetchLimits(1_000, Duration.ofSeconds(10), 3);
    private static final ImageUse ANY = new ImageUse(true, List.of(), Pass.INLINE);

    private final ScriptedUpstream server = new ScriptedUpstream();
    private final int port = URI.create(server.url()).getPort();
    private final ScriptedNames names =
            new ScriptedNames().answer("images.example", "127.0.0.1").answer("other.example", "127.0.0.1");

    @AfterEach
    void close() {
        server.close();
    }

    /** As in production, except for the server of this test, which has no certificate. */
    private ImageFetcher fetcher(FetchLimits limits) {
        InetAddress here = InetAddress.ofLiteral("127.0.0.1");
        return new ImageFetcher(
                limits,
                new ImageFetcher.Rules(
                        "http",
                        port,
                        address -> address.equals(here) || AddressBlock.isPublic(address),
                        Optional.empty()),
                names);
    }

    private Image fetch(String url) {
        return fetch(url, ANY, LIMITS);
    }

    private Image fetch(String url, ImageUse use, FetchLimits limits) {
        return fetcher(limits).fetch(url.replace(":PORT", ":" + port), use).block(Duration.ofSeconds(30));
    }

    private static void assertUnavailable(Image image, String why) {
        assertThat(image)
                .isInstanceOfSatisfying(
                        Image.Unavailable.class,
                        unavailable -> assertThat(unavailable.why()).contains(why));
    }

    private void redirects(String location) {
        server.answer((_, response) -> response.status(302)
                .header("Location", location.replace(":PORT", ":" + port))
                .send());
    }

    @Test
    void fetchWhenItIsAnImageIsTheFile() {
        server.answers(200, "image/png", PNG);

        assertThat(fetch("http://images.example:PORT/cat.png?size=1")).isEqualTo(Image.File.of(PNG));
        assertThat(server.last().uri()).isEqualTo("/cat.png?size=1");
        assertThat(server.last().headers().get("Host")).isEqualTo("images.example:" + port);
        assertThat(server.last().headers().names())
                .map(String::toLowerCase)
                .containsExactlyInAnyOrder("user-agent", "host", "accept", "accept-encoding");
    }

    @Test
    void fetchWhenNameIsAskedForResolvesItOncePerConnection() {
        names.answer("rebound.example", "127.0.0.1").answer("rebound.example", "10.0.0.1");
        server.answers(200, "image/png", PNG);

        assertThat(fetch("http://rebound.example:PORT/")).isEqualTo(Image.File.of(PNG));
        assertThat(names.asked).containsExactly("rebound.example");
        assertUnavailable(fetch("http://rebound.example:PORT/"), "its host is not on the public internet");
        assertThat(server.received).hasSize(1);
    }

    @Test
    void fetchWhenNameIsReboundBetweenRedirectsIsRefused() {
        names.answer("rebound.example", "127.0.0.1").answer("rebound.example", "169.254.169.254");
        redirects("http://rebound.example:PORT/again");

        assertUnavailable(fetch("http://rebound.example:PORT/"), "its host is not on the public internet");
        assertThat(server.received).hasSize(1);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "http://127.0.0.2:PORT/",
                "http://[::1]:PORT/",
                "http://[::ffff:7f00:2]:PORT/",
                "http://inside.example:PORT/",
                "http://localhost:PORT/"
            })
    void fetchWhenItRedirectsInsideIsRefused(String location) {
        names.answer("inside.example", "192.168.0.1").answer("localhost", "::1");
        redirects(location);

        assertUnavailable(fetch("http://images.example:PORT/"), "its host is not on the public internet");
        assertThat(server.received).hasSize(1);
    }

    @Test
    void fetchWhenOneAddressOfAHostIsPrivateIsRefused() {
        names.answer("mixed.example", "93.184.216.34", "10.0.0.1").answer("mapped.example", "::ffff:10.0.0.1");

        assertUnavailable(fetch("http://mixed.example:PORT/"), "its host is not on the public internet");
        assertUnavailable(fetch("http://mapped.example:PORT/"), "its host is not on the public internet");
    }

    @ParameterizedTest
    @CsvSource({
        "https://169.254.169.254/latest/meta-data/, its host is not on the public internet",
        "https://127.0.0.1/, its host is not on the public internet",
        "https://[::1]/, its host is not on the public internet",
        "https://[::ffff:127.0.0.1]/, its host is not on the public internet",
        "https://[64:ff9b::7f00:1]/, its host is not on the public internet",
        "https://[2002:7f00:1::]/, its host is not on the public internet",
        "https://[fe80::1]/, its host is not on the public internet",
        "https://localhost/, its host is not on the public internet",
        "https://LOCALHOST./, its host is not on the public internet",
        "https://2130706433/, its host is not on the public internet",
        "https://unknown.example/, could not be fetched",
        "https://0x7f.1/, must have a host",
        "https://user@images.example/, and no user",
        "https://images.example:8443/, 'has port 8443, and only 443 is used'",
        "https:///cat.png, must have a host",
        "https:cat.png, must have a host",
        "http://169.254.169.254/, 'only https: and data: addresses are fetched, not http:'",
        "http://[::ffff:127.0.0.1]/, 'only https: and data: addresses are fetched, not http:'",
        "HTTP://images.example/, 'only https: and data: addresses are fetched, not http:'",
        "file:///etc/passwd, 'only https: and data: addresses are fetched, not file:'",
        "ftp://images.example/cat.png, 'only https: and data: addresses are fetched, not ftp:'",
        "gopher://images.example/, 'only https: and data: addresses are fetched, not gopher:'",
        "//images.example/, not one without a scheme",
        "cat.png, not one without a scheme",
        "'', not one without a scheme",
        "'https://images.example/a b', is no URL",
        "'https://images.example\\@127.0.0.1/', is no URL"
    })
    void fetchWhenAddressIsNotOfThePublicWebIsRefused(String url, String why) {
        names.answer("localhost", "127.0.0.1").answer("LOCALHOST.", "127.0.0.1").answer("2130706433", "127.0.0.1");

        assertUnavailable(
                new ImageFetcher(LIMITS, ImageFetcher.Rules.PUBLIC, names)
                        .fetch(url, ANY)
                        .block(Duration.ofSeconds(30)),
                why);
    }

    @Test
    void fetchWhenPolicyNamesHostsFollowsItAlsoAfterRedirects() {
        ImageUse named = new ImageUse(true, List.of("*.example"), Pass.INLINE);
        server.answers(200, "image/png", PNG);

        assertThat(fetch("http://IMAGES.example:PORT/", named, LIMITS)).isInstanceOf(Image.Unavailable.class);
        assertThat(fetch("http://images.example:PORT/", named, LIMITS)).isEqualTo(Image.File.of(PNG));
        assertUnavailable(
                fetch("http://127.0.0.1:PORT/", named, LIMITS),
                "the policy does not allow images of this host to be fetched");

        redirects("http://127.0.0.1:PORT/");
        assertUnavailable(
                fetch("http://images.example:PORT/", named, LIMITS),
                "the policy does not allow images of this host to be fetched");
    }

    @Test
    void fetchWhenRedirectsAreFewFollowsThem() {
        server.answer((request, response) -> request.uri().equals("/3")
                ? response.header("Content-Type", "image/png").sendByteArray(Mono.just(PNG))
                : response.status(307)
                        .header("Location", request.uri().equals("/1") ? "2" : "http://other.example:" + port + "/3")
                        .send());

        assertThat(fetch("http://images.example:PORT/1")).isEqualTo(Image.File.of(PNG));
        assertThat(server.received).hasSize(3);
    }

    @Test
    void fetchWhenRedirectsDoNotEndGivesUp() {
        redirects("/again");

        assertUnavailable(fetch("http://images.example:PORT/"), "redirects more than 3 times");
        assertThat(server.received).hasSize(4);
    }

    @Test
    void fetchWhenServerDripsGivesUpInTime() {
        server.answer((_, response) -> response.header("Content-Type", "image/png")
                .sendByteArray(Flux.interval(Duration.ofMillis(20))
                        .onBackpressureDrop()
                        .map(_ -> new byte[] {1})));

        assertUnavailable(
                fetch("http://images.example:PORT/", ANY, new FetchLimits(1_000_000, Duration.ofMillis(400), 3)),
                "did not answer in full within 400 ms");
    }

    @Test
    void fetchWhenServerSaysNothingGivesUpInTime() {
        server.answer((_, _) -> Mono.never());

        assertUnavailable(
                fetch("http://images.example:PORT/", ANY, new FetchLimits(1_000, Duration.ofMillis(300), 3)), "");
    }

    @Test
    void fetchWhenFileIsTooLongIsRefusedWhetherItsLengthIsAnnouncedOrNot() {
        server.answers(200, "image/png", new byte[1_001]);
        assertUnavailable(fetch("http://images.example:PORT/"), "has more than 1000 bytes");

        server.answer((_, response) -> response.header("Content-Type", "image/png")
                .sendByteArray(Flux.range(0, 100).map(_ -> new byte[100])));
        assertUnavailable(fetch("http://images.example:PORT/"), "has more than 1000 bytes");
    }

    @ParameterizedTest
    @CsvSource({
        "200, text/html, <html>, does not call itself an image",
        "200, application/octet-stream, x, does not call itself an image",
        "200, image/svg+xml, <svg xmlns='http://www.w3.org/2000/svg'/>, is no image that can be judged",
        "200, image/png, <html>, is no image that can be judged",
        "404, image/png, x, could not be fetched",
        "206, image/png, x, could not be fetched",
        "500, text/plain, secret of the inside, could not be fetched"
    })
    void fetchWhenItIsNoImageIsRefused(int status, String type, String body, String why) {
        server.answers(status, type, body.getBytes(UTF_8));

        assertUnavailable(fetch("http://images.example:PORT/"), why);
    }

    @Test
    void fetchWhenFileIsCompressedIsRefused() {
        server.answer((_, response) -> response.header("Content-Type", "image/png")
                .header("Content-Encoding", "gzip")
                .sendByteArray(Mono.just(PNG)));

        assertUnavailable(fetch("http://images.example:PORT/"), "is compressed");
    }

    @Test
    void fetchWhenServerBreaksOffIsRefused() {
        server.answer((_, response) -> response.header("Content-Type", "image/png")
                .header("Content-Length", "900")
                .sendByteArray(Flux.concat(Mono.just(PNG), Mono.error(new IllegalStateException("broken off")))));

        assertUnavailable(fetch("http://images.example:PORT/"), "could not be fetched");
    }
}
