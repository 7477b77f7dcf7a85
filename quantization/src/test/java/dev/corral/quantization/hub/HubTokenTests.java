package dev.corral.quantization.hub;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class HubTokenTests {

    @TempDir
    private Path home;

    @Test
    void findWhenSetInTheEnvironmentIsThatOne() throws IOException {
        write(home.resolve(".cache/huggingface/token"), "hf_file");

        assertThat(found(Map.of("HF_TOKEN", " hf_environment\n", "HUGGING_FACE_HUB_TOKEN", "hf_old")))
                .isEqualTo("Bearer hf_environment from HF_TOKEN");
        assertThat(found(Map.of("HF_TOKEN", "", "HUGGING_FACE_HUB_TOKEN", "hf_old")))
                .isEqualTo("Bearer hf_old from HUGGING_FACE_HUB_TOKEN");
    }

    @Test
    void findWhenStoredByHuggingFacesToolsIsThatOne() throws IOException {
        Path usual = write(home.resolve(".cache/huggingface/token"), "hf_usual\n");
        Path cache = write(home.resolve("cache/huggingface/token"), "hf_cache");
        Path tools = write(home.resolve("tools/token"), "hf_home");
        Path named = write(home.resolve("named"), "hf_named");

        assertThat(found(Map.of())).isEqualTo("Bearer hf_usual from the file " + usual);
        Map<String, String> xdg = Map.of("XDG_CACHE_HOME", home + "/cache");
        assertThat(found(xdg)).isEqualTo("Bearer hf_cache from the file " + cache);
        Map<String, String> both = Map.of("XDG_CACHE_HOME", home + "/cache", "HF_HOME", home + "/tools");
        assertThat(found(both)).isEqualTo("Bearer hf_home from the file " + tools);
        Map<String, String> path = Map.of("HF_HOME", home + "/tools", "HF_TOKEN_PATH", named.toString());
        assertThat(found(path)).isEqualTo("Bearer hf_named from the file " + named);
    }

    @Test
    void findWhenThereIsNoneIsEmpty() throws IOException {
        assertThat(HubToken.find(Map.of(), home)).isEmpty();
        write(home.resolve(".cache/huggingface/token"), "\n");
        assertThat(HubToken.find(Map.of("HF_TOKEN", " "), home)).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(strings = {"hf_two words", "hf_line\r\nX-Injected: 1", "hf_ü"})
    void findWhenItCannotBeATokenIsRefusedWithoutShowingIt(String value) {
        assertThatExceptionOfType(HubException.class)
                .isThrownBy(() -> HubToken.find(Map.of("HF_TOKEN", value), home))
                .withMessage(
                        "the token from HF_TOKEN must be one word of ASCII letters, digits and signs: copy it again");
    }

    @Test
    void toStringWhenPrintedShowsOnlyWhereItIsFrom() {
        assertThat(HubToken.of("hf_secret", "HF_TOKEN").orElseThrow()).hasToString("token from HF_TOKEN");
    }

    private String found(Map<String, String> environment) {
        HubToken token = HubToken.find(environment, home).orElseThrow();
        return token.authorization() + " from " + token.origin();
    }

    private static Path write(Path file, String text) throws IOException {
        Files.createDirectories(file.getParent());
        return Files.writeString(file, text);
    }
}
