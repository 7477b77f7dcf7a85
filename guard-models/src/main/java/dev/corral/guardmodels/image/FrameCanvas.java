package dev.corral.guardmodels.image;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** Puts the frames of an animation over each other, and keeps what is to be seen after each. */
final class FrameCanvas {

    /** What becomes of a frame when the next one comes. */
    enum Disposal {
        KEPT,
        CLEARED,
        /** What was there before it comes back. */
        UNDONE
    }

    /**
     * Where a frame goes, and how.
     *
     * @param blended over what is there, rather than in its place
     */
    record Placement(int x, int y, Disposal disposal, boolean blended) {}

    private final int width;
    private final int height;
    private final int[] argb;
    private final List<RgbImage> shown = new ArrayList<>();
    private Runnable dispose = () -> {};

    /** Transparent at first. */
    FrameCanvas(int width, int height) {
        this.width = width;
        this.height = height;
        this.argb = new int[width * height];
    }

    /** The next frame; parts that are off the canvas are not shown. */
    void show(Pixels frame, Placement placement) {
        dispose.run();
        int[] before = placement.disposal == Disposal.UNDONE ? argb.clone() : argb;
        int columns = Math.min(frame.width(), width - placement.x);
        int rows = Math.min(frame.height(), height - placement.y);
        for (int y = 0; y < rows; y++) {
            int from = y * frame.width();
            int to = (placement.y + y) * width + placement.x;
            for (int x = 0; x < columns; x++) {
                int pixel = frame.argb()[from + x];
                argb[to + x] = placement.blended ? over(pixel, argb[to + x]) : pixel;
            }
        }
        shown.add(new Pixels(width, height, argb).overWhite());
        dispose = switch (placement.disposal) {
            case KEPT -> () -> {};
            case CLEARED -> () -> clear(placement, columns, rows);
            case UNDONE -> () -> System.arraycopy(before, 0, argb, 0, argb.length);
        };
    }

    private void clear(Placement placement, int columns, int rows) {
        for (int y = placement.y; y < placement.y + rows; y++) {
            Arrays.fill(argb, y * width + placement.x, y * width + placement.x + Math.max(0, columns), 0);
        }
    }

    /** A pixel over another one; colours are not multiplied by their alpha. */
    private static int over(int above, int below) {
        int alpha = above >>> 24;
        int behind = (below >>> 24) * (255 - alpha);
        if (alpha == 255 || behind == 0) {
            return alpha == 0 ? below : above;
        }
        int sum = alpha * 255 + behind;
        int mixed = ((sum + 127) / 255) << 24;
        for (int shift = 0; shift < 24; shift += 8) {
            int level = (((above >> shift) & 0xff) * alpha * 255 + ((below >> shift) & 0xff) * behind + sum / 2) / sum;
            mixed |= level << shift;
        }
        return mixed;
    }

    /** What was to be seen, one after the other. */
    List<RgbImage> shown() {
        return List.copyOf(shown);
    }
}
