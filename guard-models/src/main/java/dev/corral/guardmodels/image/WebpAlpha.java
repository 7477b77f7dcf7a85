package dev.corral.guardmodels.image;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** The transparency of a lossy picture of WebP: the chunk {@code ALPH}, as it is or as the green of a lossless picture. */
final class WebpAlpha {

    private static final int SIGNATURE = 0x2f;
    private static final int LOSSLESS_HEADER = 5;

    private WebpAlpha() {}

    /** A level for each pixel, row by row: 0 where nothing of the picture is to be seen. */
    static byte[] decode(Bytes bytes, int from, int length, int width, int height) throws UndecodableException {
        int flags = bytes.u8(from);
        if (length < 1 || (flags & 0xe2) != 0) {
            throw UndecodableException.corrupt("its transparency is stored in a way that there is not");
        }
        byte[] levels = (flags & 1) == 0
                ? stored(bytes, from + 1, length - 1, width * height)
                : compressed(bytes, from + 1, length - 1, width, height);
        add(levels, width, (flags >> 2) & 3);
        return levels;
    }

    private static byte[] stored(Bytes bytes, int from, int length, int pixels) throws UndecodableException {
        if (length < pixels) {
            throw UndecodableException.truncated();
        }
        byte[] levels = new byte[pixels];
        System.arraycopy(bytes.file(), from, levels, 0, pixels);
        return levels;
    }

    /** A lossless picture without its header, which would have the size, and that no pixel is transparent. */
    private static byte[] compressed(Bytes bytes, int from, int length, int width, int height)
            throws UndecodableException {
        byte[] picture = ByteBuffer.allocate(LOSSLESS_HEADER + length)
                .order(ByteOrder.LITTLE_ENDIAN)
                .put((byte) SIGNATURE)
                .putInt((width - 1) | (height - 1) << 14)
                .put(bytes.file(), from, length)
                .array();
        int[] argb = WebpLossless.decode(picture).argb();
        byte[] levels = new byte[argb.length];
        for (int i = 0; i < levels.length; i++) {
            levels[i] = (byte) (argb[i] >> 8);
        }
        return levels;
    }

    /** Levels are stored as they are, or as differences to those on the left, above, or to what both suggest. */
    private static void add(byte[] levels, int width, int filter) {
        for (int i = 1; filter > 0 && i < levels.length; i++) {
            levels[i] += (byte) expected(levels, i, width, filter);
        }
    }

    private static int expected(byte[] levels, int i, int width, int filter) {
        if (i < width) {
            return levels[i - 1];
        }
        int above = levels[i - width] & 0xff;
        if (filter == 2 || i % width == 0) {
            return above;
        }
        int left = levels[i - 1] & 0xff;
        return filter == 1 ? left : Math.clamp(left + above - (levels[i - width - 1] & 0xff), 0, 255);
    }
}
