package dev.corral.guardmodels.image;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;

/**
 * Where an image goes on a canvas of tiles: at the top left, at this size, the rest is padding. As {@code
 * MllamaImageProcessor} of Hugging Face's transformers lays it out.
 *
 * @param rows tiles from top to bottom
 * @param columns tiles from left to right
 * @param height of the image on the canvas, in pixels
 * @param width of the image on the canvas, in pixels
 * @param aspectRatioId of the layout in the model's embeddings; 1 is the first, 0 would be no image
 * @param maxTiles as many as the model's input has places for
 */
public record Tiling(int rows, int columns, int height, int width, int aspectRatioId, int maxTiles) {

    private record Layout(int rows, int columns, int id) {

        /** How many times larger than an image the canvas is, in the direction that has less room. */
        double scale(int height, int width, int tileSize) {
            return Math.min((double) (rows * tileSize) / height, (double) (columns * tileSize) / width);
        }

        int tiles() {
            return rows * columns;
        }

        Tiling holding(int height, int width, PreprocessorSettings settings) {
            return new Tiling(rows, columns, height, width, id, settings.maxTiles());
        }
    }

    /**
     * The layout for an image: the one that enlarges it least, or where none is large enough the one that shrinks it
     * least; of those the one with the fewest tiles.
     */
    static Tiling of(int height, int width, PreprocessorSettings settings) {
        int tile = settings.tileSize();
        List<Layout> layouts = layouts(settings.maxTiles());
        double scale = layouts.stream()
                .map(layout -> layout.scale(height, width, tile))
                .filter(s -> s >= 1)
                .min(Comparator.naturalOrder())
                .orElseGet(() -> layouts.stream()
                        .map(layout -> layout.scale(height, width, tile))
                        .max(Comparator.naturalOrder())
                        .orElseThrow());
        Layout best = layouts.stream()
                .filter(layout -> layout.scale(height, width, tile) == scale)
                .min(Comparator.comparingInt(Layout::tiles))
                .orElseThrow();

        // an image that is smaller than a tile grows to it at most; one that is larger is not enlarged
        int tallest = Math.clamp(height, tile, best.rows * tile);
        int widest = Math.clamp(width, tile, best.columns * tile);
        double down = (double) tallest / height;
        double across = (double) widest / width;
        return across < down
                ? best.holding(shrunk(height, across, tallest), widest, settings)
                : best.holding(tallest, shrunk(width, down, widest), settings);
    }

    private static int shrunk(int length, double scale, int most) {
        return Math.min(Math.max(1, (int) Math.floor(length * scale)), most);
    }

    /** All ways to lay out so many tiles at most; their order gives the ids. */
    private static List<Layout> layouts(int maxTiles) {
        List<Layout> layouts = new ArrayList<>();
        for (int rows = 1; rows <= maxTiles; rows++) {
            for (int columns = 1; rows * columns <= maxTiles; columns++) {
                layouts.add(new Layout(rows, columns, layouts.size() + 1));
            }
        }
        return layouts;
    }

    /** Tiles of the canvas. */
    public int tiles() {
        return rows * columns;
    }

    /** For each of the model's places for tiles, 1 where there is one and 0 where there is none. */
    public long[] aspectRatioMask() {
        return IntStream.range(0, maxTiles).mapToLong(i -> i < tiles() ? 1 : 0).toArray();
    }
}
