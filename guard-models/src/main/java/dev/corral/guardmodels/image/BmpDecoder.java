package dev.corral.guardmodels.image;

/** BMP: sizes are checked here, pixels are unpacked by the JDK. */
final class BmpDecoder {

    private static final int FILE_HEADER = 14;
    private static final int OS2_HEADER = 12;
    private static final int WINDOWS_HEADER = 40;
    private static final int VERSION_4_HEADER = 108;
    private static final int LARGEST_HEADER = 124;
    /** Uncompressed, two run-length codes, and uncompressed with bit masks; others wrap files of other formats. */
    private static final int LAST_COMPRESSION = 3;

    private static final int COLOUR_SPACE = FILE_HEADER + 56;
    private static final String SRGB = "BGRs";

    private BmpDecoder() {}

    static RgbImage decode(byte[] file, ImageLimits limits) throws UndecodableException {
        Bytes bytes = new Bytes(file);
        long header = bytes.u32LittleEndian(FILE_HEADER);
        if (header == OS2_HEADER) {
            check(bytes, limits, bytes.u16LittleEndian(18), bytes.u16LittleEndian(20), bytes.u16LittleEndian(24), true);
        } else if (header >= WINDOWS_HEADER && header <= LARGEST_HEADER) {
            long compression = bytes.u32LittleEndian(30);
            if (compression > LAST_COMPRESSION) {
                throw UndecodableException.unsupported("it is a BMP with compression " + compression);
            }
            check(
                    bytes,
                    limits,
                    bytes.s32LittleEndian(18),
                    Math.abs((long) bytes.s32LittleEndian(22)), // below 0 where the first row is the top
                    bytes.u16LittleEndian(28),
                    compression == 0 || compression == LAST_COMPRESSION);
        } else {
            throw UndecodableException.unsupported("it is a BMP with a header of " + header + " bytes");
        }
        try (Library bmp = Library.jdk("bmp", withoutProfile(bytes, header))) {
            return Pixels.of(bmp.image(0)).overWhite();
        }
    }

    private static void check(Bytes bytes, ImageLimits limits, long width, long height, int bits, boolean plain)
            throws UndecodableException {
        limits.check(width, height, 1);
        if (plain) {
            long row = (width * bits + 31) / 32 * 4;
            long pixels = bytes.u32LittleEndian(10);
            if (pixels > bytes.size() || row * height > bytes.size() - pixels) {
                throw UndecodableException.truncated();
            }
        }
    }

    /** A colour profile may even be the name of a file. */
    private static byte[] withoutProfile(Bytes bytes, long header) throws UndecodableException {
        if (header < VERSION_4_HEADER) {
            return bytes.file();
        }
        bytes.require(COLOUR_SPACE, SRGB.length());
        byte[] plain = bytes.file().clone();
        for (int i = 0; i < SRGB.length(); i++) {
            plain[COLOUR_SPACE + i] = (byte) SRGB.charAt(i);
        }
        return plain;
    }
}
