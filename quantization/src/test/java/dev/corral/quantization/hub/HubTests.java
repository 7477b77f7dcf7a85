package dev.corral.quantization.hub;

import static com.github.tomakehurst.wiremock.client.WireMock.aResponse;
import static com.github.tomakehurst.wiremock.client.WireMock.absent;
import static com.github.tomakehurst.wiremock.client.WireMock.anyUrl;
import static com.github.tomakehurst.wiremock.client.WireMock.equalTo;
import static com.github.tomakehurst.wiremock.client.WireMock.get;
import static com.github.tomakehurst.wiremock.client.WireMock.getRequestedFor;
import static com.github.tomakehurst.wiremock.client.WireMock.temporaryRedirect;
import static com.github.tomakehurst.wiremock.client.WireMock.urlEqualTo;
import static com.github.tomakehurst.wiremock.client.WireMock.urlPathEqualTo;
import static com.github.tomakehurst.wiremock.core.WireMockConfiguration.options;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import com.github.tomakehurst.wiremock.WireMockServer;
import com.github.tomakehurst.wiremock.client.ResponseDefinitionBuilder;
import com.github.tomakehurst.wiremock.http.Fault;
import com.github.tomakehurst.wiremock.stubbing.Scenario;
import dev.corral.quantization.hub.BreakingServer.End;
import dev.corral.quantization.hub.BreakingServer.Step;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.function.LongConsumer;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

class HubTests {

    private static final RepositoryName GUARD = RepositoryName.parse("meta-llama/Llama-Guard-3-1B");
    private static final String COMMIT = "acf7aafa60f0410f8f42b1fa35e077d705892029";
    private static final String LISTING = "/api/models/meta-llama/Llama-Guard-3-1B/revision/main?blobs=true";
    private static final String FILE = "/meta-llama/Llama-Guard-3-1B/resolve/" + COMMIT + "/model.safetensors";
    private static final String SECRET = "hf_secretSecretSecret";
    private static final Patience PATIENCE =
            new Patience(Duration.ofSeconds(5), Duration.ofMillis(600), 3, Duration.ofMillis(1));

    private static final byte[] CONTENT = content(1);
    private static final RemoteFile WEIGHTS =
            new RemoteFile("model.safetensors", CONTENT.length, new ContentHash.Sha256(sha256(CONTENT)));
    private static final Repository REPOSITORY = new Repository(GUARD, COMMIT, true, List.of(WEIGHTS));

    @TempDir
    private Path folder;

    private final WireMockServer server = new WireMockServer(options().dynamicPort());
    private final WireMockServer storage = new WireMockServer(options().dynamicPort());
    private final List<Long> progress = new ArrayList<>();
    private LongConsumer watcher = _ -> {};

    @BeforeEach
    void start() {
        server.start();
        storage.start();
    }

    @AfterEach
    void stop() {
        server.stop();
        storage.stop();
    }

    @Test
    void repositoryWhenListedGivesTheCommitAndTheTopFolder() {
        server.stubFor(get(urlEqualTo(LISTING)).willReturn(aResponse().withBody("""
                {"sha": "%s", "gated": "manual", "siblings": [
                  {"rfilename": ".gitattributes", "size": 5, "blobId": "%s"},
                  {"rfilename": "config.json", "size": 877, "blobId": "%s"},
                  {"rfilename": "model.safetensors", "size": 9, "blobId": "%s", "lfs": {"sha256": "%s", "size": 2996973312, "pointerSize": 135}},
                  {"rfilename": "original/consolidated.00.pth", "size": 9, "blobId": "%s"}]}
                """.formatted(
                        COMMIT, COMMIT, COMMIT, COMMIT, "ab".repeat(32), COMMIT))));

        Repository repository = hub().repository(GUARD, "main");

        assertThat(repository)
                .isEqualTo(new Repository(
                        GUARD,
                        COMMIT,
                        true,
                        List.of(
                                new RemoteFile("config.json", 877, new ContentHash.GitBlob(COMMIT)),
                                new RemoteFile(
                                        "model.safetensors",
                                        2_996_973_312L,
                                        new ContentHash.Sha256("ab".repeat(32))))));
        server.verify(getRequestedFor(urlEqualTo(LISTING))
                .withHeader("Authorization", equalTo("Bearer " + SECRET))
                .withHeader("User-Agent", equalTo("corral test")));
    }

    @Test
    void repositoryWhenRevisionHasASlashIsAskedForEncoded() {
        server.stubFor(get(urlEqualTo("/api/models/meta-llama/Llama-Guard-3-1B/revision/refs%2Fpr%2F1?blobs=true"))
                .willReturn(aResponse().withBody("{\"sha\": \"" + COMMIT + "\", \"siblings\": []}")));

        assertThat(hub().repository(GUARD, "refs/pr/1").gated()).isFalse();
    }

    @Test
    void repositoryWhenGatedAndNobodyAsksSaysWhereToAcceptAndHowToSetAToken() {
        answerListing(error(401, "GatedRepo", "Access to model meta-llama/Llama-Guard-3-1B is restricted."));

        assertRefused(
                () -> hub(Optional.empty()).repository(GUARD, "main"),
                "meta-llama/Llama-Guard-3-1B is gated",
                "no token was given",
                "Accept the licence, signed in: " + server.baseUrl() + "/meta-llama/Llama-Guard-3-1B",
                server.baseUrl() + "/settings/tokens",
                "HF_TOKEN=... corral model pull meta-llama/Llama-Guard-3-1B",
                "hf auth login");
    }

    @Test
    void repositoryWhenGatedForThisAccountSaysWhereToAccept() {
        answerListing(error(403, "GatedRepo", "Access is restricted"));

        assertRefused(
                () -> hub().repository(GUARD, "main"),
                "the account of the token from HF_TOKEN may not read it yet",
                "Accept its licence, signed in with that account: " + server.baseUrl()
                        + "/meta-llama/Llama-Guard-3-1B");
    }

    @Test
    void repositoryWhenTokenIsUnknownSaysWhereItIsFrom() {
        answerListing(error(401, "", "Invalid credentials in Authorization header"));

        assertRefused(
                () -> hub().repository(GUARD, "main"),
                "does not know the token from HF_TOKEN: it is mistyped, expired or deleted");
    }

    @ParameterizedTest
    @ValueSource(ints = {401, 404})
    void repositoryWhenThereIsNoneSaysSo(int status) {
        answerListing(error(status, "RepoNotFound", "Repository not found"));

        assertRefused(
                () -> hub().repository(GUARD, "main"),
                "there is no repository meta-llama/Llama-Guard-3-1B at " + server.baseUrl());
    }

    @Test
    void repositoryWhenRevisionIsUnknownSaysSo() {
        answerListing(error(404, "RevisionNotFound", "Invalid rev id: main"));

        assertRefused(
                () -> hub().repository(GUARD, "main"), "has no revision 'main': give a branch, a tag or a commit");
    }

    @Test
    void repositoryWhenHubIsOverloadedIsAskedForAgain() {
        server.stubFor(get(anyUrl())
                .inScenario("overload")
                .whenScenarioStateIs(Scenario.STARTED)
                .willReturn(aResponse().withStatus(503))
                .willSetStateTo("broken"));
        server.stubFor(get(anyUrl())
                .inScenario("overload")
                .whenScenarioStateIs("broken")
                .willReturn(aResponse().withFault(Fault.CONNECTION_RESET_BY_PEER))
                .willSetStateTo("well"));
        server.stubFor(get(anyUrl())
                .inScenario("overload")
                .whenScenarioStateIs("well")
                .willReturn(aResponse().withBody("{\"sha\": \"" + COMMIT + "\", \"siblings\": []}")));

        assertThat(hub().repository(GUARD, "main").commit()).isEqualTo(COMMIT);
    }

    @Test
    void repositoryWhenHubStaysOverloadedIsGivenUp() {
        answerListing(aResponse().withStatus(503));

        assertRefused(
                () -> hub().repository(GUARD, "main"),
                "localhost answered 503, 3 times in a row",
                "then run the same command again; it goes on where it stopped");
        server.verify(3, getRequestedFor(anyUrl()));
    }

    @ParameterizedTest
    @ValueSource(strings = {"<html>", "{}", "{\"sha\": \"main\", \"siblings\": []}", "[]"})
    void repositoryWhenAnswerIsNoListingSaysWhatToCorrect(String body) {
        answerListing(aResponse().withBody(body));

        assertRefused(
                () -> hub().repository(GUARD, "main"),
                "answers like no Hugging Face hub",
                "correct --hub or HF_ENDPOINT");
    }

    @Test
    void repositoryWhenListedWithoutChecksumsIsRefused() {
        answerListing(aResponse()
                .withBody("{\"sha\": \"" + COMMIT + "\", \"siblings\": [{\"rfilename\": \"config.json\"}]}"));

        assertRefused(() -> hub().repository(GUARD, "main"), "lists config.json without a size or a checksum");
    }

    @Test
    void downloadWhenRedirectedToAnotherHostLeavesTheTokenAtHome() {
        server.stubFor(get(FILE)
                .willReturn(temporaryRedirect(storage.baseUrl() + "/blob?signature=x")
                        .withHeader("X-Linked-Size", "" + CONTENT.length)
                        .withHeader("X-Linked-Etag", "\"" + sha256(CONTENT) + "\"")));
        storage.stubFor(get("/blob?signature=x").willReturn(aResponse().withBody(CONTENT)));

        download();

        assertDownloaded();
        server.verify(getRequestedFor(urlEqualTo(FILE)).withHeader("Authorization", equalTo("Bearer " + SECRET)));
        storage.verify(getRequestedFor(urlPathEqualTo("/blob")).withHeader("Authorization", absent()));
        assertThat(progress).isSorted().last().isEqualTo((long) CONTENT.length);
    }

    @Test
    void downloadWhenRedirectedWithinTheHubKeepsTheToken() {
        server.stubFor(get(FILE).willReturn(temporaryRedirect("/renamed")));
        server.stubFor(get("/renamed").willReturn(aResponse().withBody(CONTENT)));

        download();

        assertDownloaded();
        server.verify(getRequestedFor(urlEqualTo("/renamed")).withHeader("Authorization", equalTo("Bearer " + SECRET)));
    }

    @Test
    void downloadWhenHubIsNeitherEncryptedNorHereLeavesTheTokenAtHome() {
        server.stubFor(get(FILE).willReturn(aResponse().withBody(CONTENT)));
        HubAddress address = HubAddress.parse("http://127.0.0.2:" + server.port());

        try (Hub hub = new Hub(address, token(), "corral test", PATIENCE)) {
            hub.download(REPOSITORY, WEIGHTS, folder, (_, _) -> {});
        }

        assertDownloaded();
        server.verify(getRequestedFor(urlEqualTo(FILE)).withHeader("Authorization", absent()));
    }

    @Test
    void downloadWhenRedirectedInACircleIsRefused() {
        server.stubFor(get(anyUrl()).willReturn(temporaryRedirect("/again")));

        assertRefused(this::download, "redirects more than 5 times");
    }

    @ParameterizedTest
    @EnumSource(End.class)
    void downloadWhenConnectionEndsInTheMiddleGoesOnFromThere(End end) throws IOException {
        try (BreakingServer breaking = new BreakingServer(CONTENT, new Step(40_000, end), new Step(30_000, end))) {
            server.stubFor(get(FILE).willReturn(temporaryRedirect("http://localhost:" + breaking.port() + "/blob")));
            watcher = breaking::received;

            download();

            assertDownloaded();
            assertThat(breaking.requests()).hasSize(3);
            assertThat(breaking.requests().get(0)).doesNotContainKeys("range", "if-range");
            assertThat(breaking.requests().get(1)).containsEntry("if-range", "\"v1\"");
            assertThat(start(breaking.requests().get(1))).isEqualTo(40_000);
            assertThat(start(breaking.requests().get(2))).isEqualTo(70_000);
        }
    }

    @Test
    void downloadWhenBrokenOffGoesOnInTheNextCall() throws IOException {
        Step nothing = new Step(0, End.CLOSED);
        try (BreakingServer breaking =
                new BreakingServer(CONTENT, new Step(40_000, End.CLOSED), nothing, nothing, nothing)) {
            server.stubFor(get(FILE).willReturn(temporaryRedirect("http://localhost:" + breaking.port() + "/blob")));
            watcher = breaking::received;

            assertRefused(this::download, "model.safetensors cannot be had", "3 times in a row");
            assertThat(folder.resolve("model.safetensors")).doesNotExist();
            int asked = breaking.requests().size();

            download();

            assertDownloaded();
            assertThat(start(breaking.requests().get(asked))).isEqualTo(40_000);
        }
    }

    @Test
    void downloadWhenServerIgnoresRangesBeginsAnew() throws IOException {
        part(40_000, "\"v1\"");
        server.stubFor(get(FILE).willReturn(aResponse().withBody(CONTENT).withHeader("ETag", "\"v1\"")));

        download();

        assertDownloaded();
        server.verify(1, getRequestedFor(urlEqualTo(FILE)).withHeader("Range", equalTo("bytes=40000-")));
    }

    @Test
    void downloadWhenRangeIsNotSatisfiableBeginsAnew() throws IOException {
        part(40_000, "\"v1\"");
        server.stubFor(get(FILE)
                .withHeader("Range", equalTo("bytes=40000-"))
                .willReturn(aResponse().withStatus(416)));
        server.stubFor(
                get(FILE).withHeader("Range", absent()).willReturn(aResponse().withBody(CONTENT)));

        download();

        assertDownloaded();
    }

    @Test
    void downloadWhenServerSendsAnotherRangeBeginsAnew() throws IOException {
        part(40_000, "\"v1\"");
        server.stubFor(get(FILE)
                .withHeader("Range", equalTo("bytes=40000-"))
                .willReturn(aResponse()
                        .withStatus(206)
                        .withHeader("Content-Range", "bytes 0-99999/100000")
                        .withBody(CONTENT)));
        server.stubFor(
                get(FILE).withHeader("Range", absent()).willReturn(aResponse().withBody(CONTENT)));

        download();

        assertDownloaded();
    }

    @Test
    void downloadWhenPartIsOfOtherBytesBeginsAnew() throws IOException {
        Files.write(new PartialFile(folder, WEIGHTS).path(), Arrays.copyOf(content(2), 40_000));
        server.stubFor(get(FILE)
                .withHeader("Range", equalTo("bytes=40000-"))
                .willReturn(aResponse()
                        .withStatus(206)
                        .withHeader("Content-Range", "bytes 40000-99999/100000")
                        .withBody(Arrays.copyOfRange(CONTENT, 40_000, CONTENT.length))));
        server.stubFor(
                get(FILE).withHeader("Range", absent()).willReturn(aResponse().withBody(CONTENT)));

        download();

        assertDownloaded();
    }

    @Test
    void downloadWhenContentIsNotTheListedOneIsRefusedAndDeleted() throws IOException {
        server.stubFor(get(FILE).willReturn(aResponse().withBody(content(2))));

        assertRefused(
                this::download,
                "model.safetensors is not the file that " + server.baseUrl() + " lists: its SHA-256 is "
                        + sha256(content(2)) + ", expected " + sha256(CONTENT));
        assertThat(folder).isEmptyDirectory();
    }

    @Test
    void downloadWhenContentChangedMeanwhileIsRefused() throws IOException {
        part(40_000, "\"v1\"");
        server.stubFor(get(FILE)
                .withHeader("If-Range", equalTo("\"v1\""))
                .willReturn(aResponse().withBody(content(2)).withHeader("ETag", "\"v2\"")));
        server.stubFor(get(FILE)
                .withHeader("Range", absent())
                .willReturn(aResponse().withBody(content(2)).withHeader("ETag", "\"v2\"")));

        assertRefused(this::download, "model.safetensors is not the file that", "run the same command again");
        assertThat(folder).isEmptyDirectory();
    }

    @Test
    void downloadWhenHubLinksAnotherHashStopsBeforeAnythingComes() {
        server.stubFor(get(FILE)
                .willReturn(temporaryRedirect(storage.baseUrl() + "/blob")
                        .withHeader("X-Linked-Etag", "\"" + "cd".repeat(32) + "\"")));

        assertRefused(this::download, "model.safetensors changed while it was downloaded: its SHA-256");
        storage.verify(0, getRequestedFor(anyUrl()));
    }

    @Test
    void downloadWhenSizeIsAnotherStopsBeforeAnythingComes() {
        server.stubFor(get(FILE)
                .willReturn(aResponse().withHeader("Content-Length", "5").withBody("short")));

        assertRefused(
                this::download,
                "model.safetensors changed while it was downloaded: its size",
                "5 bytes",
                "100000 bytes");
    }

    @Test
    void downloadWhenBodyIsLongerThanListedIsGivenUp() {
        server.stubFor(get(FILE)
                .willReturn(aResponse().withChunkedDribbleDelay(2, 1).withBody(Arrays.copyOf(CONTENT, 120_000))));

        assertRefused(this::download, "more than the 100000 bytes came that the file has", "3 times in a row");
        assertThat(folder.resolve("model.safetensors")).doesNotExist();
    }

    @Test
    void downloadWhenStorageRefusesAsksTheHubForANewLink() {
        server.stubFor(get(FILE).willReturn(temporaryRedirect(storage.baseUrl() + "/blob")));
        storage.stubFor(get("/blob")
                .inScenario("expiry")
                .whenScenarioStateIs(Scenario.STARTED)
                .willReturn(aResponse().withStatus(403))
                .willSetStateTo("new"));
        storage.stubFor(get("/blob")
                .inScenario("expiry")
                .whenScenarioStateIs("new")
                .willReturn(aResponse().withBody(CONTENT)));

        download();

        assertDownloaded();
        server.verify(2, getRequestedFor(urlEqualTo(FILE)));
    }

    @Test
    void downloadWhenGatedSaysWhereToAccept() {
        server.stubFor(get(FILE).willReturn(error(403, "GatedRepo", "restricted")));

        assertRefused(this::download, "is gated", server.baseUrl() + "/meta-llama/Llama-Guard-3-1B");
    }

    @Test
    void downloadWhenListedFileIsNotThereSaysSo() {
        server.stubFor(get(FILE).willReturn(error(404, "EntryNotFound", "Entry not found")));

        assertRefused(this::download, "lists model.safetensors in meta-llama/Llama-Guard-3-1B, but does not have it");
    }

    @Test
    void downloadWhenFileIsThereAsksNobody() throws IOException {
        Files.write(folder.resolve("model.safetensors"), CONTENT);

        download();

        assertThat(server.getAllServeEvents()).isEmpty();
        assertThat(progress).containsExactly((long) CONTENT.length);
    }

    @Test
    void downloadWhenAnotherContentIsThereReplacesItAndItsPart() throws IOException {
        Files.write(folder.resolve("model.safetensors"), content(2));
        RemoteFile old = new RemoteFile("model.safetensors", 5, new ContentHash.Sha256("ef".repeat(32)));
        Files.writeString(new PartialFile(folder, old).path(), "old");
        server.stubFor(get(FILE).willReturn(aResponse().withBody(CONTENT)));

        download();

        assertDownloaded();
    }

    @Test
    void downloadWhenFileIsInGitItselfIsComparedWithItsBlobId() {
        RemoteFile config =
                new RemoteFile("config.json", 6, new ContentHash.GitBlob("ce013625030ba8dba906f756967f9e9ca394464a"));
        String path = "/meta-llama/Llama-Guard-3-1B/resolve/" + COMMIT + "/config.json";
        server.stubFor(get(path).willReturn(aResponse().withBody("hello\n")));
        hub().download(REPOSITORY, config, folder, (_, _) -> {});
        assertThat(folder.resolve("config.json")).hasContent("hello\n");

        server.stubFor(get(path).willReturn(aResponse().withBody("jello\n")));
        assertThat(folder.resolve("config.json").toFile().delete()).isTrue();
        assertRefused(() -> hub().download(REPOSITORY, config, folder, (_, _) -> {}), "its Git blob id is ");
    }

    @Test
    void downloadWhenFolderCannotBeWrittenSaysWhatToDo() throws IOException {
        Files.createDirectory(new PartialFile(folder, WEIGHTS).path());
        Files.createFile(new PartialFile(folder, WEIGHTS).path().resolve("in the way"));
        server.stubFor(get(FILE).willReturn(aResponse().withBody(CONTENT)));

        assertRefused(this::download, "model.safetensors cannot be written in " + folder, "--models");
    }

    private Hub hub() {
        return hub(token());
    }

    private Hub hub(Optional<HubToken> token) {
        return new Hub(HubAddress.parse(server.baseUrl() + "/"), token, "corral test", PATIENCE);
    }

    private static Optional<HubToken> token() {
        return HubToken.find(Map.of("HF_TOKEN", SECRET), Path.of("nowhere"));
    }

    private void download() {
        try (Hub hub = hub()) {
            hub.download(REPOSITORY, WEIGHTS, folder, (_, bytes) -> {
                progress.add(bytes);
                watcher.accept(bytes);
            });
        }
    }

    private void part(int bytes, String tag) throws IOException {
        PartialFile part = new PartialFile(folder, WEIGHTS);
        part.open(0, Optional.of(tag)).close();
        Files.write(part.path(), Arrays.copyOf(CONTENT, bytes));
    }

    private void assertDownloaded() {
        assertThat(folder.resolve("model.safetensors")).hasBinaryContent(CONTENT);
        assertThat(folder).as("nothing else is left").isDirectoryNotContaining("glob:**/.*");
    }

    private void assertRefused(ThrowingCallable call, String... parts) {
        assertThatExceptionOfType(HubException.class)
                .isThrownBy(call)
                .withMessageContainingAll(parts)
                .satisfies(e -> assertThat(stack(e)).doesNotContain(SECRET));
    }

    private static String stack(Throwable failure) {
        StringWriter text = new StringWriter();
        failure.printStackTrace(new PrintWriter(text));
        return text.toString();
    }

    private void answerListing(ResponseDefinitionBuilder answer) {
        server.stubFor(get(urlEqualTo(LISTING)).willReturn(answer));
    }

    private static ResponseDefinitionBuilder error(int status, String code, String message) {
        ResponseDefinitionBuilder answer = aResponse()
                .withStatus(status)
                .withHeader("X-Error-Message", message)
                .withBody("{\"error\": \"x\"}".getBytes(UTF_8));
        return code.isEmpty() ? answer : answer.withHeader("X-Error-Code", code);
    }

    private static int start(Map<String, String> headers) {
        return Integer.parseInt(headers.get("range").replace("bytes=", "").replace("-", ""));
    }

    private static byte[] content(long seed) {
        byte[] bytes = new byte[100_000];
        new Random(seed).nextBytes(bytes);
        return bytes;
    }

    private static String sha256(byte[] bytes) {
        try {
            return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }
}
