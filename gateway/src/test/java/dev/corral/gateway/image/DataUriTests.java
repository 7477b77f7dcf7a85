package dev.corral.gateway.image;

import static org.assertj.core.api.Assertions.assertThat;

import dev.corral.guardmodels.conversation.Image;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class DataUriTests {

    @ParameterizedTest
    @ValueSource(
            strings = {
                "data:image/png;base64,AAEC/w==",
                "DATA:IMAGE/PNG;BASE64,AAEC/w==",
                "data:image/svg+xml;charset=utf-8;base64,AAEC/w=="
            })
    void readWhenBase64IsStrictIsTheFile(String url) {
        assertThat(DataUri.is(url)).isTrue();
        assertThat(DataUri.read(url)).isEqualTo(Image.File.of(new byte[] {0, 1, 2, -1}));
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '"', textBlock = """
            "data:image/png;base64,AAEC/w"       | its length is no multiple of four
            "data:image/png;base64,AAEC/w="      | its length is no multiple of four
            "data:image/png;base64,AAEC /w=="    | its length is no multiple of four
            "data:image/png;base64,AAEC    /w==" | no white space
            "data:image/png;base64, AAEC/w== AA" | no white space
            "data:image/png;base64,AAEC_w=="     | use only A to Z
            "data:image/png;base64,AA==AAEC"     | use only A to Z
            "data:image/png;base64,===="         | use only A to Z
            "data:image/png;base64,AA%2Fw=="     | use only A to Z
            "data:image/png;base64,"             | is empty
            "data:image/png;base64"              | has no comma
            "data:image/png,AAEC"                | is not in base64
            "data:;base64,AAEC"                  | does not say that it is an image
            "data:text/html;base64,AAEC"         | does not say that it is an image
            "data:,"                             | does not say that it is an image
            """)
    void readWhenItIsNotStrictSaysWhy(String url, String why) {
        assertThat(DataUri.read(url))
                .isInstanceOfSatisfying(
                        Image.Unavailable.class,
                        unavailable -> assertThat(unavailable.why())
                                .startsWith("its data: address ")
                                .contains(why));
    }

    @Test
    void readWhenThereAreLineBreaksIsRefused() {
        assertThat(DataUri.read("data:image/png;base64,AAEC\r\n\r\n/w==")).isInstanceOf(Image.Unavailable.class);
    }

    @Test
    void ofWhenReadIsTheSameFile() {
        byte[] file = {0, 1, 2, 3, 4, 5, 6};

        assertThat(DataUri.read(DataUri.of("image/png", file))).isEqualTo(Image.File.of(file));
    }
}
