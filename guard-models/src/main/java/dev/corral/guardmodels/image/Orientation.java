package dev.corral.guardmodels.image;

import java.util.stream.IntStream;

/** How a camera was held, as EXIF tells it (tag 0x0112), and an image set upright by it. */
enum Orientation {
    UPRIGHT(false, false, false),
    MIRRORED(false, true, false),
    UPSIDE_DOWN(false, true, true),
    MIRRORED_UPSIDE_DOWN(false, false, true),
    TRANSPOSED(true, false, false),
    /** To be turned clockwise. */
    LYING_LEFT(true, true, false),
    TRANSVERSED(true, true, true),
    /** To be turned anticlockwise. */
    LYING_RIGHT(true, false, true);

    private static final int TAG = 0x0112;
    private static final int SHORT = 3;
    /** Rows of the result that are written together, so that reads follow the source's rows. */
    private static final int BAND = 16;

    /** Whether rows become columns; then, whether columns and rows of the result run backwards. */
    private final boolean swapped;

    private final boolean columnsBackwards;
    private final boolean rowsBackwards;

    Orientation(boolean swapped, boolean columnsBackwards, boolean rowsBackwards) {
        this.swapped = swapped;
        this.columnsBackwards = columnsBackwards;
        this.rowsBackwards = rowsBackwards;
    }

    /**
     * What EXIF data says; upright where it says nothing, or what cannot be read: then nobody turns the image.
     *
     * @param tiff where the data begins, with its byte order mark
     * @param length of the data
     */
    static Orientation ofExif(Bytes bytes, int tiff, int length) {
        try {
            return find(bytes, tiff, length);
        } catch (UndecodableException _) {
            return UPRIGHT;
        }
    }

    private static Orientation find(Bytes bytes, int tiff, int length) throws UndecodableException {
        boolean little = bytes.startsWith(tiff, "II*\0");
        if (!little && !bytes.startsWith(tiff, "MM\0*")) {
            return UPRIGHT;
        }
        long directory = little ? bytes.u32LittleEndian(tiff + 4) : bytes.u32(tiff + 4);
        if (directory > length) {
            return UPRIGHT;
        }
        int at = tiff + (int) directory;
        int entries = u16(bytes, at, little);
        for (int i = 0; i < entries; i++) {
            int entry = at + 2 + i * 12;
            if (u16(bytes, entry, little) == TAG && u16(bytes, entry + 2, little) == SHORT) {
                int value = u16(bytes, entry + 8, little);
                return value >= 1 && value <= values().length ? values()[value - 1] : UPRIGHT;
            }
        }
        return UPRIGHT;
    }

    private static int u16(Bytes bytes, int at, boolean little) throws UndecodableException {
        return little ? bytes.u16LittleEndian(at) : bytes.u16(at);
    }

    /** The image as it was seen. */
    RgbImage upright(RgbImage image) {
        if (this == UPRIGHT) {
            return image;
        }
        int width = swapped ? image.height() : image.width();
        int height = swapped ? image.width() : image.height();
        byte[] out = new byte[image.rgb().length];
        IntStream.rangeClosed(0, (height - 1) / BAND).parallel().forEach(band -> {
            int end = Math.min(height, (band + 1) * BAND);
            for (int x = 0; x < width; x++) {
                int column = columnsBackwards ? width - 1 - x : x;
                for (int y = band * BAND; y < end; y++) {
                    int row = rowsBackwards ? height - 1 - y : y;
                    int from = (swapped ? column * image.width() + row : row * image.width() + column) * 3;
                    int to = (y * width + x) * 3;
                    out[to] = image.rgb()[from];
                    out[to + 1] = image.rgb()[from + 1];
                    out[to + 2] = image.rgb()[from + 2];
                }
            }
        });
        return new RgbImage(width, height, out);
    }
}
