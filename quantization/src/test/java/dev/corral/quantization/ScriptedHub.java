package dev.corral.quantization;

import static com.github.tomakehurst.wiremock.client.WireMock.aResponse;
import static com.github.tomakehurst.wiremock.client.WireMock.get;
import static com.github.tomakehurst.wiremock.client.WireMock.temporaryRedirect;
import static com.github.tomakehurst.wiremock.client.WireMock.urlEqualTo;
import static com.github.tomakehurst.wiremock.core.WireMockConfiguration.options;
import static java.nio.charset.StandardCharsets.US_ASCII;

import com.github.tomakehurst.wiremock.WireMockServer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;
import java.util.stream.Stream;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/** A hub with the files of a folder in one repository: weights in Git LFS, with another host, the rest in Git. */
final class ScriptedHub implements AutoCloseable {

    static final String COMMIT = "acf7aafa60f0410f8f42b1fa35e077d705892029";

    private final WireMockServer server = new WireMockServer(options().dynamicPort());
    private final WireMockServer storage = new WireMockServer(options().dynamicPort());
    private final String repository;
    private final ArrayNode siblings = JsonMapper.shared().createArrayNode();

    ScriptedHub(String repository) {
        this.repository = repository;
        server.start();
        storage.start();
    }

    /** Adds all files of a folder. */
    ScriptedHub with(Path folder) throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            List<Path> plain = files.filter(Files::isRegularFile).sorted().toList();
            for (Path file : plain) {
                with(file.getFileName().toString(), Files.readAllBytes(file));
            }
        }
        return this;
    }

    /** Adds a file; it is in a folder of the repository where its name has a slash. */
    ScriptedHub with(String name, byte[] content) {
        ObjectNode sibling = siblings.addObject()
                .put("rfilename", name)
                .put("size", content.length)
                .put("blobId", digest("SHA-1", ("blob " + content.length + "\0").getBytes(US_ASCII), content));
        String path = "/" + repository + "/resolve/" + COMMIT + "/" + name;
        if (name.endsWith(".safetensors")) {
            sibling.putObject("lfs")
                    .put("sha256", digest("SHA-256", new byte[0], content))
                    .put("size", content.length)
                    .put("pointerSize", 135);
            server.stubFor(get(urlEqualTo(path)).willReturn(temporaryRedirect(storage.baseUrl() + path)));
            storage.stubFor(get(urlEqualTo(path)).willReturn(aResponse().withBody(content)));
        } else {
            server.stubFor(get(urlEqualTo(path)).willReturn(aResponse().withBody(content)));
        }
        listing();
        return this;
    }

    /** Lists a file with a size, and does not have it. */
    ScriptedHub withHuge(String name, long size) {
        siblings.addObject()
                .put("rfilename", name)
                .put("size", size)
                .putObject("lfs")
                .put("sha256", "ab".repeat(32))
                .put("size", size);
        listing();
        return this;
    }

    private void listing() {
        ObjectNode answer = JsonMapper.shared().createObjectNode().put("sha", COMMIT);
        answer.set("siblings", siblings);
        server.stubFor(get(urlEqualTo("/api/models/" + repository + "/revision/main?blobs=true"))
                .willReturn(aResponse().withBody(answer.toString())));
    }

    String address() {
        return server.baseUrl();
    }

    /** Paths of all requests to the hub and its storage, in their order. */
    List<String> requests() {
        return Stream.of(server, storage)
                .flatMap(one -> one.getAllServeEvents().reversed().stream())
                .map(event -> event.getRequest().getUrl())
                .toList();
    }

    private static String digest(String algorithm, byte[] head, byte[] content) {
        try {
            MessageDigest digest = MessageDigest.getInstance(algorithm);
            digest.update(head);
            return HexFormat.of().formatHex(digest.digest(content));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }

    @Override
    public void close() {
        server.stop();
        storage.stop();
    }
}
