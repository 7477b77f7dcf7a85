package dev.corral.guardmodels.image;

/**
 * An image as a vision model takes it.
 *
 * @param pixels normalised, {@code [tiling.tiles(), 3, tileSize, tileSize]}, tiles row by row. The model's further places
 *     for tiles are to be filled with zeros. Not copied, and not to be written to
 * @param tiling what the tiles are of the image; has the aspect ratio id and the mask
 * @param sha256 of what the model sees, in hexadecimal digits: two images with the same one have the same pixels here
 */
@SuppressWarnings("ArrayRecordComponent") // 15 MB; whoever wants to compare has the hash
public record PreprocessedImage(float[] pixels, Tiling tiling, String sha256) {}
