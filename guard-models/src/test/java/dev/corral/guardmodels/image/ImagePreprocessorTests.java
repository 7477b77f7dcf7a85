package dev.corral.guardmodels.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import dev.corral.guardmodels.Fixtures;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import tools.jackson.databind.JsonNode;

class ImagePreprocessorTests {

    private static final PreprocessorSettings REAL = PreprocessorSettings.LLAMA_GUARD_3_11B_VISION;
    private static final PreprocessorSettings TINY =
            new PreprocessorSettings(56, REAL.maxTiles(), REAL.mean(), REAL.std());

    /** A case by its name, for messages. */
    private record Golden(PreprocessorSettings settings, JsonNode json) {

        @Override
        public String toString() {
            return json.get("id").asString() + " at " + settings.tileSize();
        }
    }

    static Stream<Golden> goldens() {
        return Stream.concat(
                GoldenImages.cases("/fixtures/preprocess-560/cases.json").stream()
                        .map(json -> new Golden(REAL, json)),
                GoldenImages.cases("/fixtures/tiny-mllama-guard/images.json").stream()
                        .map(json -> new Golden(TINY, json)));
    }

    @ParameterizedTest
    @MethodSource("goldens")
    void preprocessWhenTheReferenceSawTheImageIsEqualToTheLastBit(Golden golden) {
        JsonNode expected = golden.json();
        RgbImage image = GoldenImages.rgb(expected);
        assertThat(GoldenImages.sha256(image.rgb())).isEqualTo(rgbHash(expected));

        PreprocessedImage actual = new ImagePreprocessor(golden.settings()).preprocess(image);

        Tiling tiling = actual.tiling();
        int size = golden.settings().tileSize();
        assertThat(new int[] {tiling.rows() * size, tiling.columns() * size})
                .isEqualTo(Fixtures.ints(expected.get("canvas")));
        assertThat(new int[] {tiling.rows(), tiling.columns()}).isEqualTo(Fixtures.ints(expected.get("tiles")));
        assertThat(new int[] {tiling.height(), tiling.width()}).isEqualTo(Fixtures.ints(expected.get("resized")));
        assertThat(tiling.aspectRatioId())
                .isEqualTo(expected.get("aspect_ratio_id").intValue());
        assertThat(tiling.aspectRatioMask())
                .containsExactly(Stream.of(expected.get("aspect_ratio_mask"))
                        .flatMap(mask -> mask.valueStream())
                        .mapToLong(JsonNode::longValue)
                        .toArray());
        assertThat(GoldenImages.sha256(BilinearResize.resize(image, tiling.height(), tiling.width())
                        .rgb()))
                .isEqualTo(expected.get("resized_rgb_sha256").asString());
        if (expected.has("tiles_f32_sha256")) {
            assertThat(tileHashes(actual, size))
                    .containsExactlyElementsOf(expected.get("tiles_f32_sha256")
                            .valueStream()
                            .map(JsonNode::asString)
                            .toList());
        }
    }

    private static String rgbHash(JsonNode golden) {
        return golden.has("rgb_sha256")
                ? golden.get("rgb_sha256").asString()
                : GoldenImages.cases("/fixtures/images/images.json").stream()
                        .filter(image -> image.get("id").equals(golden.get("id")))
                        .findFirst()
                        .orElseThrow()
                        .get("rgb_sha256")
                        .asString();
    }

    private static List<String> tileHashes(PreprocessedImage image, int size) {
        int length = RgbImage.CHANNELS * size * size;
        List<String> hashes = new ArrayList<>();
        for (int from = 0; from < image.pixels().length; from += length) {
            hashes.add(GoldenImages.sha256(image.pixels(), from, from + length));
        }
        return hashes;
    }

    @Test
    void tilingWhenSizesAreOddIsTheReferences() {
        JsonNode golden = Fixtures.json("/fixtures/preprocess-560/geometry.json");
        assertThat(golden.get("tile_560").size() + golden.get("tile_56").size()).isGreaterThan(500);
        for (PreprocessorSettings settings : List.of(REAL, TINY)) {
            for (JsonNode row : golden.get("tile_" + settings.tileSize())) {
                int[] expected = Fixtures.ints(row);
                Tiling tiling = Tiling.of(expected[0], expected[1], settings);
                assertThat(new int[] {
                            expected[0],
                            expected[1],
                            tiling.rows() * settings.tileSize(),
                            tiling.columns() * settings.tileSize(),
                            tiling.height(),
                            tiling.width()
                        })
                        .isEqualTo(expected);
            }
        }
    }

    @Test
    void sha256WhenOnePixelDiffersDiffers() {
        ImagePreprocessor preprocessor = new ImagePreprocessor(TINY);
        RgbImage image = GoldenImages.drawn(56, 56);
        byte[] changed = image.rgb().clone();
        changed[1234]++;

        String sha256 = preprocessor.preprocess(image).sha256();

        assertThat(preprocessor.preprocess(GoldenImages.drawn(56, 56)).sha256()).isEqualTo(sha256);
        assertThat(preprocessor.preprocess(new RgbImage(56, 56, changed)).sha256())
                .isNotEqualTo(sha256);
    }

    @Test
    void settingsWhenTheyMakeNoSenseAreRefused() {
        List<Float> three = List.of(1f, 1f, 1f);
        assertThatIllegalArgumentException()
                .isThrownBy(() -> new PreprocessorSettings(0, 4, three, three))
                .withMessage("the size of a tile must be between 1 and 4096: 0");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> new PreprocessorSettings(56, 65, three, three))
                .withMessage("the tiles of an image must be between 1 and 64: 65");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> new PreprocessorSettings(56, 4, List.of(1f), three))
                .withMessageStartingWith("mean and standard deviation must have three numbers each");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> new PreprocessorSettings(56, 4, three, List.of(1f, 0f, 1f)))
                .withMessageStartingWith("means must be finite, and standard deviations above 0");
    }

    @Test
    void imageWhenItsBytesAreNotItsPixelsIsRefused() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> new RgbImage(2, 2, new byte[11]))
                .withMessage("an image of 2 by 2 pixels does not have 11 bytes");
    }
}
