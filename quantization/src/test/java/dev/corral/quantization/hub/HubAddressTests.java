package dev.corral.quantization.hub;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.net.URI;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class HubAddressTests {

    @ParameterizedTest
    @ValueSource(strings = {"huggingface.co", "ftp://hub.example", "https://", "https://hub.example?x=1", "a b", ""})
    void parseWhenNoAddressOfAHostIsRefused(String text) {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> HubAddress.parse(text))
                .withMessage("the hub must be an address such as https://huggingface.co: '" + text + "'");
    }

    @Test
    void parseWhenItHoldsAPasswordIsRefusedWithoutShowingIt() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> HubAddress.parse("https://me:secret@hub.example"))
                .withMessage("the hub's address must not hold a name or a password: set HF_TOKEN instead");
    }

    @Test
    void listingWhenHubIsAMirrorBelowAPathKeepsIt() {
        HubAddress address = HubAddress.parse("https://mirror.example/hf/");

        assertThat(address.listing(new RepositoryName("a", "b"), "v1.0"))
                .isEqualTo(URI.create("https://mirror.example/hf/api/models/a/b/revision/v1.0?blobs=true"));
    }

    @ParameterizedTest
    @CsvSource({
        "https://hub.example/x, true",
        "https://HUB.example:443/x, true",
        "http://hub.example/x, false",
        "https://hub.example:444/x, false",
        "https://cdn.hub.example/x, false",
        "https://hub.example.evil/x, false"
    })
    void isOriginOfWhenAnythingDiffersIsFalse(String other, boolean same) {
        assertThat(HubAddress.parse("https://hub.example").isOriginOf(URI.create(other)))
                .isEqualTo(same);
    }

    @ParameterizedTest
    @CsvSource({
        "https://hub.example, true",
        "http://hub.example, false",
        "http://localhost:8080, true",
        "http://127.0.0.1, true",
        "http://[::1]:8080, true",
        "http://localhost.example, false"
    })
    void isPrivateWhenOthersCouldReadIsFalse(String address, boolean isPrivate) {
        assertThat(HubAddress.parse(address).isPrivate()).isEqualTo(isPrivate);
    }

    @ParameterizedTest
    @ValueSource(strings = {"guard", "a/b/c", "../x", "a/..", "a/.b", "https://huggingface.co/a/b", "a/b ", "-a/b"})
    void repositoryWhenNotOwnerAndNameIsRefused(String text) {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> RepositoryName.parse(text))
                .withMessage("a repository is named OWNER/NAME, such as meta-llama/Llama-Guard-3-1B: '" + text + "'");
    }
}
