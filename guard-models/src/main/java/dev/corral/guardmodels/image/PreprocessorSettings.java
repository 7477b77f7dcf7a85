package dev.corral.guardmodels.image;

import java.util.List;

/**
 * How a model of Meta's mllama architecture wants its images: what its {@code preprocessor_config.json} says.
 *
 * @param tileSize height and width of a tile, in pixels
 * @param maxTiles of one image; the model has an aspect ratio id for each way to lay out up to so many
 * @param mean of red, green and blue, on the scale from 0 to 1
 * @param std of red, green and blue, on the same scale
 */
public record PreprocessorSettings(int tileSize, int maxTiles, List<Float> mean, List<Float> std) {

    /** Those of Llama Guard 3 11B Vision. */
    @SuppressWarnings("FloatingPointLiteralPrecision") // the digits of the model's file
    public static final PreprocessorSettings LLAMA_GUARD_3_11B_VISION = new PreprocessorSettings(
            560, 4, List.of(0.48145466f, 0.4578275f, 0.40821073f), List.of(0.26862954f, 0.26130258f, 0.27577711f));

    private static final int LARGEST_TILE = 4096;
    private static final int MOST_TILES = 64;

    public PreprocessorSettings {
        mean = List.copyOf(mean);
        std = List.copyOf(std);
        if (tileSize < 1 || tileSize > LARGEST_TILE) {
            throw new IllegalArgumentException(
                    "the size of a tile must be between 1 and " + LARGEST_TILE + ": " + tileSize);
        }
        if (maxTiles < 1 || maxTiles > MOST_TILES) {
            throw new IllegalArgumentException(
                    "the tiles of an image must be between 1 and " + MOST_TILES + ": " + maxTiles);
        }
        if (mean.size() != RgbImage.CHANNELS || std.size() != RgbImage.CHANNELS) {
            throw new IllegalArgumentException(
                    "mean and standard deviation must have three numbers each, for red, green and blue: " + mean
                            + " and " + std);
        }
        if (mean.stream().anyMatch(value -> !Float.isFinite(value))
                || std.stream().anyMatch(value -> !(Float.isFinite(value) && value > 0))) {
            throw new IllegalArgumentException(
                    "means must be finite, and standard deviations above 0: " + mean + " and " + std);
        }
    }
}
