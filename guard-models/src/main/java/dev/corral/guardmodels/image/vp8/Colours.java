package dev.corral.guardmodels.image.vp8;

import java.util.stream.IntStream;

/** Luma and chroma to red, green and blue, as libwebp does by default: chroma is interpolated, in whole numbers. */
final class Colours {

    private Colours() {}

    /** Pixels as {@code 0xffRRGGBB}, row by row. */
    static int[] argb(int width, int height, Plane luma, Plane u, Plane v) {
        int[] argb = new int[width * height];
        IntStream.range(0, height).parallel().forEach(y -> row(argb, y, width, height, luma, u, v));
        return argb;
    }

    private static void row(int[] argb, int y, int width, int height, Plane luma, Plane u, Plane v) {
        int last = (height - 1) / 2;
        int near = y / 2;
        int far = Math.clamp((y & 1) == 0 ? near - 1L : near + 1L, 0, last);
        for (int x = 0; x < width; x++) {
            argb[y * width + x] =
                    argb(luma.get(luma.at(x, y)), chroma(u, x, width, near, far), chroma(v, x, width, near, far));
        }
    }

    /** Nine parts of the nearest of four samples, three of the next two, one of the farthest. */
    private static int chroma(Plane plane, int x, int width, int near, int far) {
        int column = x / 2;
        int beside = (x & 1) == 0 ? column - 1 : column + 1;
        int here = plane.get(plane.at(column, near));
        int across = plane.get(plane.at(column, far));
        if (beside < 0 || beside > (width - 1) / 2) {
            return (3 * here + across + 2) >> 2;
        }
        return (9 * here + 3 * (plane.get(plane.at(beside, near)) + across) + plane.get(plane.at(beside, far)) + 8)
                >> 4;
    }

    private static int argb(int y, int u, int v) {
        int light = part(y, 19_077);
        int red = light + part(v, 26_149) - 14_234;
        int green = light - part(u, 6_419) - part(v, 13_320) + 8_708;
        int blue = light + part(u, 33_050) - 17_685;
        return 0xff000000 | (level(red) << 16) | (level(green) << 8) | level(blue);
    }

    private static int part(int sample, int factor) {
        return (sample * factor) >> 8;
    }

    private static int level(int sum) {
        return Plane.clip(sum >> 6);
    }
}
