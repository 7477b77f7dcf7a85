package dev.corral.guardmodels.guard;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.corral.guardmodels.Fixtures;
import dev.corral.guardmodels.conversation.Part.ImagePart;
import dev.corral.guardmodels.image.ImageLimits;
import dev.corral.guardmodels.image.RgbImage;
import java.util.Base64;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class InlineImagesTests {

    private final InlineImages images = new InlineImages(ImageLimits.DEFAULT);

    static String inline(String type, String file) {
        return "data:image/" + type + ";base64,"
                + Base64.getEncoder().encodeToString(Fixtures.bytes("/fixtures/images/" + file));
    }

    @Test
    void framesWhenImageIsInTheRequestAreItsPictures() throws InterruptedException {
        assertThat(images.frames(new ImagePart(inline("png", "square_56x56.png"), "w")))
                .singleElement()
                .extracting(RgbImage::width, RgbImage::height)
                .containsExactly(56, 56);
        assertThat(images.frames(new ImagePart(inline("gif", "animated_70x90.gif"), "w")))
                .hasSizeGreaterThan(1);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "https://example.com/a.png | it is not in the request itself",
                "file:///etc/passwd | it is not in the request itself",
                "data:image/png,abc | its data: URI is not in base64",
                "data:image/png;base64,@@ | its base64 is broken",
                "data:image/svg+xml;base64,PHN2Zy8+ | it is none of PNG, JPEG, WebP, GIF and BMP"
            })
    void framesWhenThereIsNothingToDecodeAreRefused(String url, String why) {
        assertThatExceptionOfType(UnreadableImageException.class)
                .isThrownBy(() -> images.frames(new ImagePart(url, "w")))
                .withMessageStartingWith(why);
    }
}
