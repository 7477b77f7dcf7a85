package dev.corral.guardmodels.onnx;

/**
 * What must be known of an encoder of images and of a decoder that sees them.
 *
 * @param tileSize width and height of a tile in pixels
 * @param tiles most tiles of an image
 * @param tileTokens tokens that the decoder sees of a tile
 * @param layers of the decoder that look at the image
 * @param imageToken the token that stands for the image
 */
public record VisionShape(int tileSize, int tiles, int tileTokens, int layers, int imageToken) {

    int imageTokens() {
        return tiles * tileTokens;
    }

    int pixels() {
        return tiles * 3 * tileSize * tileSize;
    }
}
