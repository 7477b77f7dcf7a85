package dev.corral.gateway.image;

import static org.assertj.core.api.Assertions.assertThat;

import dev.corral.gateway.testing.LeakCheck;
import dev.corral.gateway.testing.ScriptedUpstream;
import dev.corral.guardmodels.conversation.Image;
import dev.corral.policies.policy.ImageUse;
import dev.corral.policies.policy.ImageUse.Pass;
import io.netty.handler.ssl.SslContextBuilder;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.security.PrivateKey;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import reactor.core.publisher.Mono;
import reactor.netty.http.Http11SslContextSpec;
import reactor.netty.http.server.HttpServer;
import reactor.netty.tcp.SslProvider;
import reactor.netty.tcp.SslProvider.GenericSslContextSpec;

/** Fetching over TLS, from a server with a certificate of an authority that this test makes. */
@ExtendWith(LeakCheck.class)
class TlsFetchTests {

    private static final String PASSWORD = "not secret";
    private static final ImageUse ANY = new ImageUse(true, List.of(), Pass.INLINE);
    private static final FetchLimits LIMITS = new FetchLimits(1_000, Duration.ofSeconds(20), 3);

    private static ScriptedUpstream server;
    private static Consumer<SslProvider.SslContextSpec> trust;

    /** The JDK's keytool makes an authority, and a certificate by it for two hosts. */
    @BeforeAll
    static void start(@TempDir Path folder) throws Exception {
        Path file = folder.resolve("keys.p12");
        keytool(file, "authority", "-dname", "CN=An authority", "-ext", "bc:critical=ca:true");
        keytool(
                file,
                "server",
                "-dname",
                "CN=images.example",
                "-signer",
                "authority",
                "-ext",
                "san=dns:images.example,dns:other.example");
        KeyStore keys = KeyStore.getInstance("PKCS12");
        try (InputStream in = Files.newInputStream(file)) {
            keys.load(in, PASSWORD.toCharArray());
        }
        PrivateKey key = (PrivateKey) keys.getKey("server", PASSWORD.toCharArray());
        X509Certificate certificate = (X509Certificate) keys.getCertificate("server");
        X509Certificate authority = (X509Certificate) keys.getCertificate("authority");
        GenericSslContextSpec<SslContextBuilder> serving = Http11SslContextSpec.forServer(key, PASSWORD, certificate);
        GenericSslContextSpec<SslContextBuilder> trusting =
                Http11SslContextSpec.forClient().configure(builder -> builder.trustManager(authority));
        server = new ScriptedUpstream(HttpServer.create().secure(spec -> spec.sslContext(serving)));
        trust = spec -> spec.sslContext(trusting);
    }

    private static void keytool(Path file, String alias, String... more) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "keytool").toString(),
                "-genkeypair",
                "-alias",
                alias,
                "-keyalg",
                "EC",
                "-groupname",
                "secp256r1",
                "-keystore",
                file.toString(),
                "-storetype",
                "PKCS12",
                "-storepass",
                PASSWORD));
        command.addAll(List.of(more));
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String said = new String(process.getInputStream().readAllBytes());
        assertThat(process.waitFor()).as(said).isZero();
    }

    @AfterAll
    static void stop() {
        server.close();
    }

    @BeforeEach
    void answer() {
        server.reset();
        server.answers(200, "image/png", ImageFetcherTests.PNG);
    }

    private static Image fetch(String url, Optional<Consumer<SslProvider.SslContextSpec>> trusted, String... rebound) {
        ScriptedNames names = new ScriptedNames()
                .answer("images.example", "127.0.0.1")
                .answer("other.example", "127.0.0.1")
                .answer("strange.example", "127.0.0.1");
        for (String address : rebound) {
            names.answer("images.example", address);
        }
        InetAddress here = InetAddress.ofLiteral("127.0.0.1");
        return new ImageFetcher(LIMITS, new ImageFetcher.Rules("https", server.port(), here::equals, trusted), names)
                .fetch(url.replace("PORT", String.valueOf(server.port())), ANY)
                .block(Duration.ofSeconds(60));
    }

    private static void assertUnavailable(Image image, String why) {
        assertThat(image)
                .isInstanceOfSatisfying(
                        Image.Unavailable.class,
                        unavailable -> assertThat(unavailable.why()).contains(why));
    }

    private static void redirects(String location) {
        server.answer((request, response) -> request.uri().equals("/there")
                ? response.header("Content-Type", "image/png").sendByteArray(Mono.just(ImageFetcherTests.PNG))
                : response.status(302)
                        .header("Location", location.replace("PORT", String.valueOf(server.port())))
                        .send());
    }

    @Test
    void fetchWhenCertificateIsTrustedIsTheFile() {
        assertThat(fetch("https://images.example:PORT/", Optional.of(trust)))
                .isEqualTo(Image.File.of(ImageFetcherTests.PNG));
    }

    @Test
    void fetchWhenAuthorityIsNotTrustedAsInProductionIsRefused() {
        assertUnavailable(fetch("https://images.example:PORT/", Optional.empty()), "could not be fetched");
        assertThat(server.received).isEmpty();
    }

    @ParameterizedTest
    @CsvSource({"https://strange.example:PORT/", "https://127.0.0.1:PORT/"})
    void fetchWhenCertificateIsForAnotherHostIsRefused(String url) {
        assertUnavailable(fetch(url, Optional.of(trust)), "could not be fetched");
        assertThat(server.received).isEmpty();
    }

    @ParameterizedTest
    @CsvSource({"https://other.example:PORT/there", "/there", "there"})
    void fetchWhenItRedirectsToTlsFollows(String location) {
        redirects(location);

        assertThat(fetch("https://images.example:PORT/", Optional.of(trust)))
                .isEqualTo(Image.File.of(ImageFetcherTests.PNG));
        assertThat(server.received).hasSize(2);
    }

    @ParameterizedTest
    @CsvSource({
        "http://images.example:PORT/there, 'only https: and data: addresses are fetched, not http:'",
        "https://strange.example:PORT/there, could not be fetched",
        "https://127.0.0.2:PORT/there, its host is not on the public internet",
        "https://[::1]:PORT/there, its host is not on the public internet"
    })
    void fetchWhenItRedirectsElsewhereIsRefused(String location, String why) {
        redirects(location);

        assertUnavailable(fetch("https://images.example:PORT/", Optional.of(trust)), why);
        assertThat(server.received).hasSize(1);
    }

    @Test
    void fetchWhenNameIsReboundBetweenTwoConnectionsIsRefused() {
        redirects("/there");

        assertUnavailable(
                fetch("https://images.example:PORT/", Optional.of(trust), "10.0.0.1"),
                "its host is not on the public internet");
        assertThat(server.received).hasSize(1);
    }
}
