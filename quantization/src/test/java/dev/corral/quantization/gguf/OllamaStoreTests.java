package dev.corral.quantization.gguf;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.corral.guardmodels.store.GuardStore;
import dev.corral.quantization.checkpoint.CheckpointException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class OllamaStoreTests {

    private static final Path MODEL = Path.of("src/test/resources/fixtures/tiny-gguf/tiny-llama-guard-q8_0.gguf");

    @TempDir
    Path models;

    private Path manifest;
    private Path blob;
    private String digest;

    @BeforeEach
    void store() throws IOException {
        digest = GuardStore.digest(MODEL);
        blob = Files.createDirectories(models.resolve("blobs")).resolve("sha256-" + digest);
        Files.copy(MODEL, blob);
        manifest = Files.createDirectories(models.resolve("manifests/registry.ollama.ai/library/llama-guard3"))
                .resolve("1b");
        write("sha256:" + digest, Files.size(MODEL));
    }

    private void write(String name, long size) throws IOException {
        Files.writeString(manifest, """
                {"schemaVersion":2,"mediaType":"application/vnd.docker.distribution.manifest.v2+json",
                 "config":{"mediaType":"application/vnd.docker.container.image.v1+json","digest":"sha256:0","size":1},
                 "layers":[
                   {"mediaType":"application/vnd.ollama.image.template","digest":"sha256:1","size":1},
                   {"mediaType":"application/vnd.ollama.image.model","digest":"%s","size":%d}]}
                """.formatted(name, size));
    }

    @ParameterizedTest
    @CsvSource({"llama-guard3:1b", "library/llama-guard3:1b", "registry.ollama.ai/library/llama-guard3:1b"})
    void findWhenModelIsThereGivesItsFile(String name) throws IOException {
        assertThat(new OllamaStore(models).find(name)).isEqualTo(new OllamaStore.Entry(manifest, blob));
    }

    @Test
    void findWhenTagIsMissingNamesThoseThatAreThere() {
        assertThatExceptionOfType(CheckpointException.class)
                .isThrownBy(() -> new OllamaStore(models).find("llama-guard3"))
                .withMessageContaining(
                        "has no model 'llama-guard3', but llama-guard3:1b: run 'ollama pull llama-guard3'");
    }

    @ParameterizedTest
    @CsvSource({"../../etc/passwd", "a/../b", "llama-guard3:../1b", "''", "a b", "a:b:c"})
    void findWhenNameIsNoneRefuses(String name) {
        assertThatExceptionOfType(CheckpointException.class)
                .isThrownBy(() -> new OllamaStore(models).find(name))
                .withMessageContaining("an Ollama model is named [NAMESPACE/]NAME[:TAG]");
    }

    @Test
    void findWhenBlobHasAnotherChecksumSaysBoth() throws IOException {
        byte[] bytes = Files.readAllBytes(blob);
        bytes[bytes.length - 1] ^= 1;
        Files.write(blob, bytes);

        assertThatExceptionOfType(CheckpointException.class)
                .isThrownBy(() -> new OllamaStore(models).find("llama-guard3:1b"))
                .withMessageContaining("%s has the SHA-256 %s, not that of its name", blob, GuardStore.digest(blob));
    }

    @Test
    void findWhenBlobIsCutOffSaysSo() throws IOException {
        write("sha256:" + digest, Files.size(MODEL) + 1);

        assertThatExceptionOfType(CheckpointException.class)
                .isThrownBy(() -> new OllamaStore(models).find("llama-guard3:1b"))
                .withMessageContaining(
                        "%s has %d bytes, but %s says %d", blob, Files.size(blob), manifest, Files.size(MODEL) + 1);
    }

    @Test
    void findWhenBlobIsMissingNamesIt() throws IOException {
        Files.delete(blob);

        assertThatExceptionOfType(CheckpointException.class)
                .isThrownBy(() -> new OllamaStore(models).find("llama-guard3:1b"))
                .withMessageContaining("names the blob %s, which is not there", blob);
    }

    @ParameterizedTest
    @CsvSource({"sha256:../../../etc/passwd", "md5:00", "''"})
    void findWhenDigestIsNoneRefuses(String name) throws IOException {
        write(name, 1);

        assertThatExceptionOfType(CheckpointException.class)
                .isThrownBy(() -> new OllamaStore(models).find("llama-guard3:1b"))
                .withMessageContaining("names its model by '%s', which is no SHA-256", name);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            {              | is not JSON
            {}             | names 0 GGUF files as its model
            {"layers": 7}  | names 0 GGUF files as its model
            """)
    void findWhenManifestIsNoneSaysSo(String json, String message) throws IOException {
        Files.writeString(manifest, json);

        assertThatExceptionOfType(CheckpointException.class)
                .isThrownBy(() -> new OllamaStore(models).find("llama-guard3:1b"))
                .withMessageContaining(message);
    }
}
