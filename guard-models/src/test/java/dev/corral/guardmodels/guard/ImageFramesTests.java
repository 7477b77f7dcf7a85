package dev.corral.guardmodels.guard;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.corral.guardmodels.Fixtures;
import dev.corral.guardmodels.conversation.Image;
import dev.corral.guardmodels.conversation.Part.ImagePart;
import dev.corral.guardmodels.image.ImageLimits;
import dev.corral.guardmodels.image.RgbImage;
import org.junit.jupiter.api.Test;

class ImageFramesTests {

    private final ImageFrames frames = new ImageFrames(ImageLimits.DEFAULT);

    private static ImagePart file(byte[] bytes) {
        return new ImagePart(Image.File.of(bytes), "w");
    }

    @Test
    void ofWhenThereIsAFileAreItsPictures() throws InterruptedException {
        assertThat(frames.of(file(Fixtures.bytes("/fixtures/images/square_56x56.png"))))
                .singleElement()
                .extracting(RgbImage::width, RgbImage::height)
                .containsExactly(56, 56);
        assertThat(frames.of(file(Fixtures.bytes("/fixtures/images/animated_70x90.gif"))))
                .hasSizeGreaterThan(1);
    }

    @Test
    void ofWhenThereIsNothingToDecodeSaysWhy() {
        assertRefused(file("<svg/>".getBytes(UTF_8)), "it is none of PNG");
        assertRefused(new ImagePart(new Image.Unavailable("the host is private"), "w"), "the host is private");
        assertRefused(new ImagePart("https://example.com/a.png", "w"), "nobody has fetched it");
    }

    private void assertRefused(ImagePart part, String why) {
        assertThatExceptionOfType(UnreadableImageException.class)
                .isThrownBy(() -> frames.of(part))
                .withMessageStartingWith(why);
    }
}
