package dev.corral.guardmodels.image;

import dev.corral.guardmodels.image.FrameCanvas.Disposal;
import dev.corral.guardmodels.image.FrameCanvas.Placement;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.zip.CRC32;

/**
 * PNG, animated or not: chunks are walked and checked here; the JDK unpacks, of each frame, a file that has nothing but
 * the header, the palette and the pixels.
 */
final class PngDecoder {

    private static final String SIGNATURE = "\u0089PNG\r\n\u001a\n";
    private static final int LARGEST_CHUNK = Integer.MAX_VALUE;
    private static final int HEADER_LENGTH = 13;
    private static final int CONTROL_LENGTH = 26;
    private static final int TRUE_COLOUR = 2;

    private static final class Frame {

        private final int width;
        private final int height;
        private final Placement placement;
        private final ByteArrayOutputStream data = new ByteArrayOutputStream();

        Frame(int width, int height, Placement placement) {
            this.width = width;
            this.height = height;
            this.placement = placement;
        }
    }

    private final Bytes bytes;
    private final ImageLimits limits;
    private final List<Frame> frames = new ArrayList<>();
    private final ByteArrayOutputStream palette = new ByteArrayOutputStream();
    private int width;
    private int height;
    private byte[] format = {};
    private Orientation orientation = Orientation.UPRIGHT;

    private PngDecoder(byte[] file, ImageLimits limits) {
        this.bytes = new Bytes(file);
        this.limits = limits;
    }

    /** Every frame, as it is to be seen; one where it is no animation. */
    static List<RgbImage> decode(byte[] file, ImageLimits limits) throws UndecodableException {
        PngDecoder decoder = new PngDecoder(file, limits);
        decoder.walk();
        FrameCanvas canvas = new FrameCanvas(decoder.width, decoder.height);
        for (Frame frame : decoder.frames) {
            canvas.show(decoder.unpack(frame), frame.placement);
        }
        return canvas.shown().stream().map(decoder.orientation::upright).toList();
    }

    private void walk() throws UndecodableException {
        int at = SIGNATURE.length();
        while (!bytes.startsWith(at + 4, "IEND")) {
            long length = bytes.u32(at);
            if (length > LARGEST_CHUNK) {
                throw UndecodableException.corrupt("a chunk has a length of " + length);
            }
            bytes.require(at, length + 12);
            chunk(at, (int) length);
            at += (int) length + 12;
        }
        check(at, 0);
        if (frames.isEmpty() || frames.stream().anyMatch(frame -> frame.data.size() == 0)) {
            throw UndecodableException.corrupt("there is no picture in it, or a frame without one");
        }
    }

    private void chunk(int at, int length) throws UndecodableException {
        String type = new String(bytes.file(), at + 4, 4, StandardCharsets.ISO_8859_1);
        int data = at + 8;
        if ((format.length == 0) != type.equals("IHDR")) {
            throw UndecodableException.corrupt("it does not have one header at its beginning");
        }
        switch (type) {
            case "IHDR" -> header(at, data, length);
            case "PLTE", "tRNS" -> {
                check(at, length);
                // the reference takes RGB for opaque, whatever colour the file calls transparent
                if (!(type.equals("tRNS") && format[1] == TRUE_COLOUR)) {
                    write(palette, type, bytes.file(), data, length);
                }
            }
            case "IDAT" -> {
                check(at, length);
                if (frames.isEmpty()) {
                    frames.add(new Frame(width, height, new Placement(0, 0, Disposal.CLEARED, false)));
                }
                frames.getFirst().data.write(bytes.file(), data, length);
            }
            case "fcTL" -> control(at, data, length);
            case "fdAT" -> {
                check(at, length);
                if (frames.isEmpty() || length < 4) {
                    throw UndecodableException.corrupt("a frame's pixels come before the frame");
                }
                frames.getLast().data.write(bytes.file(), data + 4, length - 4);
            }
            case "eXIf" -> orientation = Orientation.ofExif(bytes, data, length);
            default -> {
                // makes no pixels
            }
        }
    }

    private void header(int at, int data, int length) throws UndecodableException {
        if (length != HEADER_LENGTH) {
            throw UndecodableException.corrupt("its header has " + length + " bytes");
        }
        check(at, length);
        limits.check(bytes.u32(data), bytes.u32(data + 4), 1);
        width = (int) bytes.u32(data);
        height = (int) bytes.u32(data + 4);
        format = Arrays.copyOfRange(bytes.file(), data + 8, data + HEADER_LENGTH);
    }

    /** What one frame of an animation is. The picture of those who show no animations may be the first, or none. */
    private void control(int at, int data, int length) throws UndecodableException {
        if (length != CONTROL_LENGTH) {
            throw UndecodableException.corrupt("a frame's header has " + length + " bytes");
        }
        check(at, length);
        long frameWidth = bytes.u32(data + 4);
        long frameHeight = bytes.u32(data + 8);
        long x = bytes.u32(data + 12);
        long y = bytes.u32(data + 16);
        if (x + frameWidth > width || y + frameHeight > height) {
            throw UndecodableException.corrupt("a frame lies beyond the picture");
        }
        limits.check(width, height, frames.size() + 1L);
        limits.check(frameWidth, frameHeight, 1);
        Disposal disposal = switch (bytes.u8(data + 24)) {
            case 1 -> Disposal.CLEARED;
            case 2 -> Disposal.UNDONE;
            default -> Disposal.KEPT;
        };
        frames.add(new Frame(
                (int) frameWidth,
                (int) frameHeight,
                new Placement((int) x, (int) y, disposal, bytes.u8(data + 25) == 1)));
    }

    private void check(int at, int length) throws UndecodableException {
        bytes.require(at, length + 12L);
        CRC32 sum = new CRC32();
        sum.update(bytes.file(), at + 4, length + 4);
        if (sum.getValue() != bytes.u32(at + 8 + length)) {
            throw UndecodableException.corrupt("a checksum is wrong");
        }
    }

    private Pixels unpack(Frame frame) throws UndecodableException {
        ByteArrayOutputStream png = new ByteArrayOutputStream(frame.data.size() + palette.size() + 64);
        png.writeBytes(SIGNATURE.getBytes(StandardCharsets.ISO_8859_1));
        byte[] header = ByteBuffer.allocate(HEADER_LENGTH)
                .putInt(frame.width)
                .putInt(frame.height)
                .put(format)
                .array();
        write(png, "IHDR", header, 0, header.length);
        png.writeBytes(palette.toByteArray());
        write(png, "IDAT", frame.data.toByteArray(), 0, frame.data.size());
        write(png, "IEND", header, 0, 0);
        try (Library jdk = Library.jdk("png", png.toByteArray())) {
            return Pixels.of(jdk.image(0));
        }
    }

    private static void write(ByteArrayOutputStream png, String type, byte[] data, int from, int length) {
        byte[] name = type.getBytes(StandardCharsets.ISO_8859_1);
        CRC32 sum = new CRC32();
        sum.update(name);
        sum.update(data, from, length);
        png.writeBytes(ByteBuffer.allocate(Integer.BYTES).putInt(length).array());
        png.writeBytes(name);
        png.write(data, from, length);
        png.writeBytes(
                ByteBuffer.allocate(Integer.BYTES).putInt((int) sum.getValue()).array());
    }
}
