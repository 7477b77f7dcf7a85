package dev.corral.guardmodels.image;

import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.stream.IntStream;

/**
 * Makes a model's input of an image, equal to {@code MllamaImageProcessor} of Hugging Face's transformers on Pillow, bit
 * for bit: the canvas is chosen, the image is resized to fit, padded with black at the bottom and on the right, normalised
 * and cut into tiles. Thread-safe.
 */
public final class ImagePreprocessor {

    private static final double RESCALE = 0.00392156862745098;
    private static final int LEVELS = 256;

    private final PreprocessorSettings settings;
    /** For each channel, what its 256 levels become. */
    private final float[][] levels;

    /** For models with these settings. */
    public ImagePreprocessor(PreprocessorSettings settings) {
        this.settings = settings;
        this.levels = new float[RgbImage.CHANNELS][LEVELS];
        for (int channel = 0; channel < RgbImage.CHANNELS; channel++) {
            for (int level = 0; level < LEVELS; level++) {
                levels[channel][level] =
                        ((float) (level * RESCALE) - settings.mean().get(channel))
                                / settings.std().get(channel);
            }
        }
    }

    /** What the model would see of an image. */
    public PreprocessedImage preprocess(RgbImage image) {
        Tiling tiling = tiling(image);
        RgbImage resized = BilinearResize.resize(image, tiling.height(), tiling.width());
        return new PreprocessedImage(tiles(resized, tiling), tiling, sha256(resized, tiling));
    }

    /** Where an image would go. */
    Tiling tiling(RgbImage image) {
        return Tiling.of(image.height(), image.width(), settings);
    }

    private float[] tiles(RgbImage resized, Tiling tiling) {
        int size = settings.tileSize();
        float[] pixels = new float[tiling.tiles() * RgbImage.CHANNELS * size * size];
        IntStream.range(0, tiling.tiles() * RgbImage.CHANNELS * size)
                .parallel()
                .forEach(line -> tileLine(resized, tiling, line, pixels));
        return pixels;
    }

    /** One line of one channel of one tile, counted through all tiles. */
    private void tileLine(RgbImage resized, Tiling tiling, int line, float[] pixels) {
        int size = settings.tileSize();
        int channel = line / size % RgbImage.CHANNELS;
        int tile = line / size / RgbImage.CHANNELS;
        int y = tile / tiling.columns() * size + line % size;
        int left = tile % tiling.columns() * size;
        int filled = y < resized.height() ? Math.clamp(resized.width() - left, 0, size) : 0;
        float[] values = levels[channel];
        int from = (y * resized.width() + left) * RgbImage.CHANNELS + channel;
        int to = line * size;
        for (int x = 0; x < filled; x++) {
            pixels[to + x] = values[resized.rgb()[from + x * RgbImage.CHANNELS] & 0xff];
        }
        Arrays.fill(pixels, to + filled, to + size, values[0]);
    }

    private static String sha256(RgbImage resized, Tiling tiling) {
        try {
            MessageDigest digest = MessageDigest.getInstance("SHA-256");
            digest.update(ByteBuffer.allocate(4 * Integer.BYTES)
                    .putInt(tiling.rows())
                    .putInt(tiling.columns())
                    .putInt(resized.height())
                    .putInt(resized.width())
                    .flip());
            return HexFormat.of().formatHex(digest.digest(resized.rgb()));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java has SHA-256", e);
        }
    }
}
