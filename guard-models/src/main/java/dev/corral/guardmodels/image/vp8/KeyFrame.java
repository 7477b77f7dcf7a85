package dev.corral.guardmodels.image.vp8;

import java.io.EOFException;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** A picture of VP8 that needs no other one. */
public final class KeyFrame {

    /*
     * Why a decoder of our own: a guard must see what the backend shows its model, and that is read with libwebp. What
     * there is in Java interpolates chroma in another way, and reads some of the segments' and filters' settings in another
     * way, too: files can be made that look different there. Here every step is the one of the format's specification and,
     * where that leaves a choice, libwebp's: chroma is interpolated, and a file that ends too early is none.
     *
     * Three passes over the whole picture: blocks are predicted from what is not smoothed yet, then edges are smoothed, then
     * pixels are made. Nothing in a file moves a place beyond its array: sizes are those of the header, which the caller
     * has checked; places are counted, not read. What is not equal: coefficients beyond 16 bits, which no encoder writes, and
     * which libwebp itself reads in several ways, by the processor that it runs on.
     */

    private static final int MACROBLOCK = 16;
    private static final int SUB_BLOCK = 4;
    private static final int FRAME_TAG = 3;
    private static final int PICTURE_HEADER = 7;
    private static final int START = 0x2a019d;

    private final int width;
    private final int height;
    private final int columns;
    private final int rows;
    private final BoolDecoder modes;
    private final FrameHeader header;
    private final List<BoolDecoder> parts;
    private final Coefficients coefficients;
    private final Plane luma;
    private final Plane u;
    private final Plane v;
    /** Modes of the sub-blocks above, for each column of these, and on the left. */
    private final int[] above;

    private final int[] left = new int[SUB_BLOCK];
    private final int[] subModes = new int[SUB_BLOCK * SUB_BLOCK];
    private final FrameHeader.Smoothing[] smoothings;
    private final boolean[] inner;

    private KeyFrame(byte[] file, int from, int end) throws IOException {
        if (end - from < FRAME_TAG + PICTURE_HEADER) {
            throw new EOFException();
        }
        int tag = u24(file, from);
        if ((tag & 1) != 0 || ((tag >> 1) & 7) > 3 || (tag & 0x10) == 0 || u24(file, from + FRAME_TAG) != START) {
            throw new IOException("it is no picture of VP8");
        }
        width = u16(file, from + 6) & 0x3fff;
        height = u16(file, from + 8) & 0x3fff;
        if (width == 0 || height == 0) {
            throw new IOException("its size is " + width + " by " + height + " pixels");
        }
        columns = (width + MACROBLOCK - 1) / MACROBLOCK;
        rows = (height + MACROBLOCK - 1) / MACROBLOCK;
        int first = from + FRAME_TAG + PICTURE_HEADER;
        int second = first + (tag >> 5);
        if (second > end) {
            throw new EOFException();
        }
        modes = new BoolDecoder(file, first, second);
        header = FrameHeader.read(modes);
        parts = parts(file, second, end);
        coefficients = new Coefficients(header, columns);
        luma = new Plane(columns * MACROBLOCK, rows * MACROBLOCK);
        u = new Plane(columns * MACROBLOCK / 2, rows * MACROBLOCK / 2);
        v = new Plane(columns * MACROBLOCK / 2, rows * MACROBLOCK / 2);
        above = new int[columns * SUB_BLOCK];
        smoothings = new FrameHeader.Smoothing[columns * rows];
        inner = new boolean[columns * rows];
    }

    /**
     * Decodes one.
     *
     * @param file not written to
     * @param from its first byte
     * @param end after its last byte
     * @return its pixels row by row, {@code 0xffRRGGBB} each
     * @throws EOFException when it ends too early
     * @throws InterruptedIOException when the thread is interrupted
     * @throws IOException when it is something else
     */
    public static int[] argb(byte[] file, int from, int end) throws IOException {
        KeyFrame frame = new KeyFrame(file, from, end);
        frame.reconstruct();
        frame.smooth();
        return Colours.argb(frame.width, frame.height, frame.luma, frame.u, frame.v);
    }

    private List<BoolDecoder> parts(byte[] file, int from, int end) throws EOFException {
        int count = header.parts();
        int at = from + 3 * (count - 1);
        List<BoolDecoder> decoders = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            if (at >= end) {
                throw new EOFException();
            }
            int next = i == count - 1 ? end : Math.min(end, at + u24(file, from + 3 * i));
            decoders.add(new BoolDecoder(file, at, next));
            at = next;
        }
        return decoders;
    }

    private static int u16(byte[] file, int at) {
        return (file[at] & 0xff) | (file[at + 1] & 0xff) << 8;
    }

    private static int u24(byte[] file, int at) {
        return u16(file, at) | (file[at + 2] & 0xff) << 16;
    }

    private void reconstruct() throws IOException {
        for (int row = 0; row < rows; row++) {
            ensureTime();
            Arrays.fill(left, Prediction.DC);
            coefficients.beginRow();
            BoolDecoder part = parts.get(row % parts.size());
            for (int column = 0; column < columns; column++) {
                macroblock(part, column, row);
            }
        }
    }

    private static void ensureTime() throws InterruptedIOException {
        if (Thread.currentThread().isInterrupted()) {
            throw new InterruptedIOException();
        }
    }

    private void macroblock(BoolDecoder part, int column, int row) throws IOException {
        int segment = header.readSegment();
        boolean skip = header.readSkip();
        boolean subBlocks = !modes.next(145);
        int lumaMode = subBlocks ? readSubBlockModes(column) : readLumaMode(column);
        int chromaMode = readChromaMode();
        if (skip) {
            coefficients.skip(column, subBlocks);
        } else {
            coefficients.read(part, column, segment, subBlocks);
        }
        int x = column * MACROBLOCK;
        int y = row * MACROBLOCK;
        if (subBlocks) {
            predictSubBlocks(column, row);
        } else {
            Prediction.whole(luma, x, y, MACROBLOCK, lumaMode);
            for (int i = 0; i < subModes.length; i++) {
                coefficients.addTo(luma, luma.at(x + i % SUB_BLOCK * SUB_BLOCK, y + i / SUB_BLOCK * SUB_BLOCK), i);
            }
        }
        chroma(u, x / 2, y / 2, chromaMode, 16);
        chroma(v, x / 2, y / 2, chromaMode, 20);
        int number = row * columns + column;
        smoothings[number] = header.smoothing(segment, subBlocks);
        inner[number] = subBlocks || coefficients.any();
    }

    private int readLumaMode(int column) throws EOFException {
        int mode = modes.next(156)
                ? modes.next(128) ? Prediction.TRUE_MOTION : Prediction.HORIZONTAL
                : modes.next(163) ? Prediction.VERTICAL : Prediction.DC;
        Arrays.fill(above, column * SUB_BLOCK, (column + 1) * SUB_BLOCK, mode);
        Arrays.fill(left, mode);
        return mode;
    }

    private int readChromaMode() throws EOFException {
        if (!modes.next(142)) {
            return Prediction.DC;
        }
        if (!modes.next(114)) {
            return Prediction.VERTICAL;
        }
        return modes.next(183) ? Prediction.TRUE_MOTION : Prediction.HORIZONTAL;
    }

    private int readSubBlockModes(int column) throws EOFException {
        for (int y = 0; y < SUB_BLOCK; y++) {
            for (int x = 0; x < SUB_BLOCK; x++) {
                int top = column * SUB_BLOCK + x;
                int mode = readSubBlockMode(
                        (above[top] * Tables.SUB_BLOCK_MODES + left[y]) * (Tables.SUB_BLOCK_MODES - 1));
                above[top] = left[y] = mode;
                subModes[y * SUB_BLOCK + x] = mode;
            }
        }
        return Prediction.DC;
    }

    private int readSubBlockMode(int p) throws EOFException {
        if (!is(p)) {
            return Prediction.DC;
        }
        if (!is(p + 1)) {
            return Prediction.TRUE_MOTION;
        }
        if (!is(p + 2)) {
            return Prediction.VERTICAL;
        }
        if (!is(p + 3)) {
            return !is(p + 4) ? Prediction.HORIZONTAL : is(p + 5) ? Prediction.VERTICAL_RIGHT : Prediction.RIGHT_DOWN;
        }
        if (!is(p + 6)) {
            return Prediction.LEFT_DOWN;
        }
        if (!is(p + 7)) {
            return Prediction.VERTICAL_LEFT;
        }
        return is(p + 8) ? Prediction.HORIZONTAL_UP : Prediction.HORIZONTAL_DOWN;
    }

    private boolean is(int mode) throws EOFException {
        return modes.next(Tables.MODES[mode]);
    }

    private void predictSubBlocks(int column, int row) {
        int x = column * MACROBLOCK;
        int y = row * MACROBLOCK;
        int[] border = new int[Prediction.BORDER];
        for (int i = 0; i < subModes.length; i++) {
            int subX = i % SUB_BLOCK * SUB_BLOCK;
            int at = luma.at(x + subX, y + i / SUB_BLOCK * SUB_BLOCK);
            for (int n = 0; n < SUB_BLOCK; n++) {
                border[n] = luma.get(at + (SUB_BLOCK - 1 - n) * luma.stride - 1);
            }
            for (int n = 0; n <= SUB_BLOCK; n++) {
                border[SUB_BLOCK + n] = luma.get(at - luma.stride - 1 + n);
            }
            for (int n = 0; n < SUB_BLOCK; n++) {
                border[2 * SUB_BLOCK + 1 + n] = subX + SUB_BLOCK < MACROBLOCK
                        ? luma.get(at - luma.stride + SUB_BLOCK + n)
                        : aboveRight(column, row, n);
            }
            Prediction.sub(luma, at, subModes[i], border);
            coefficients.addTo(luma, at, i);
        }
    }

    /**
     * What is above and to the right of a macroblock, for all sub-blocks at its right side; beyond the picture it is the last
     * sample above.
     */
    private int aboveRight(int column, int row, int n) {
        int x = (column + 1) * MACROBLOCK;
        if (row == 0) {
            return luma.get(luma.at(0, -1));
        }
        return luma.get(luma.at(column == columns - 1 ? x - 1 : x + n, row * MACROBLOCK - 1));
    }

    private void chroma(Plane plane, int x, int y, int mode, int block) {
        Prediction.whole(plane, x, y, MACROBLOCK / 2, mode);
        for (int i = 0; i < 4; i++) {
            coefficients.addTo(plane, plane.at(x + i % 2 * SUB_BLOCK, y + i / 2 * SUB_BLOCK), block + i);
        }
    }

    private void smooth() throws InterruptedIOException {
        switch (header.smoothing()) {
            case NONE -> {}
            case SIMPLE -> smooth((x, y, by, edges) -> LoopFilter.simple(luma, x, y, MACROBLOCK, by, edges));
            case NORMAL ->
                smooth((x, y, by, edges) -> {
                    LoopFilter.normal(luma, x, y, MACROBLOCK, by, edges);
                    LoopFilter.normal(u, x / 2, y / 2, MACROBLOCK / 2, by, edges);
                    LoopFilter.normal(v, x / 2, y / 2, MACROBLOCK / 2, by, edges);
                });
        }
    }

    private interface Smoother {
        void smooth(int x, int y, FrameHeader.Smoothing by, boolean edges);
    }

    private void smooth(Smoother smoother) throws InterruptedIOException {
        for (int i = 0; i < smoothings.length; i++) {
            if (i % columns == 0) {
                ensureTime();
            }
            if (smoothings[i].limit() > 0) {
                smoother.smooth(i % columns * MACROBLOCK, i / columns * MACROBLOCK, smoothings[i], inner[i]);
            }
        }
    }
}
