package dev.corral.guardmodels.image;

import dev.corral.guardmodels.image.FrameCanvas.Disposal;
import dev.corral.guardmodels.image.FrameCanvas.Placement;
import java.util.ArrayList;
import java.util.List;

/** GIF: blocks are counted and measured here, pixels are unpacked by the JDK. */
final class GifDecoder {

    private static final int EXTENSION = 0x21;
    private static final int IMAGE = 0x2c;
    private static final int TRAILER = 0x3b;
    private static final int GRAPHIC_CONTROL = 0xf9;
    private static final int HEADER = 13;

    private record Frame(int width, int height, Placement placement) {}

    private final Bytes bytes;
    private final ImageLimits limits;
    private final List<Frame> frames = new ArrayList<>();
    private int width;
    private int height;

    private GifDecoder(byte[] file, ImageLimits limits) {
        this.bytes = new Bytes(file);
        this.limits = limits;
    }

    /** Every frame, as it is to be seen. */
    static List<RgbImage> decode(byte[] file, ImageLimits limits) throws UndecodableException {
        GifDecoder decoder = new GifDecoder(file, limits);
        decoder.walk();
        return decoder.unpack();
    }

    private void walk() throws UndecodableException {
        width = bytes.u16LittleEndian(6);
        height = bytes.u16LittleEndian(8);
        int at = HEADER + colourTable(bytes.u8(10));
        Disposal disposal = Disposal.KEPT;
        // files without a trailer are common; one that is cut within a block is found out by the block
        while (at < bytes.size() && bytes.u8(at) != TRAILER) {
            switch (bytes.u8(at)) {
                case EXTENSION -> {
                    if (bytes.u8(at + 1) == GRAPHIC_CONTROL) {
                        disposal = disposal((bytes.u8(at + 3) >> 2) & 7);
                    }
                    at = afterSubBlocks(at + 2);
                }
                case IMAGE -> {
                    frame(at, disposal);
                    disposal = Disposal.KEPT;
                    at = afterSubBlocks(at + 11 + colourTable(bytes.u8(at + 9)));
                }
                default -> throw UndecodableException.corrupt("there is no block of a GIF at byte " + at);
            }
        }
        if (frames.isEmpty()) {
            throw at < bytes.size()
                    ? UndecodableException.corrupt("there is no picture in it")
                    : UndecodableException.truncated();
        }
        // an image may reach beyond the screen that the header names, and some viewers then show all of it
        for (Frame frame : frames) {
            width = Math.max(width, frame.placement.x() + frame.width);
            height = Math.max(height, frame.placement.y() + frame.height);
        }
        limits.check(width, height, frames.size());
    }

    private void frame(int at, Disposal disposal) throws UndecodableException {
        Placement placement =
                new Placement(bytes.u16LittleEndian(at + 1), bytes.u16LittleEndian(at + 3), disposal, true);
        frames.add(new Frame(bytes.u16LittleEndian(at + 5), bytes.u16LittleEndian(at + 7), placement));
        limits.check(frames.getLast().width, frames.getLast().height, frames.size());
    }

    private static Disposal disposal(int code) {
        return switch (code) {
            case 2 -> Disposal.CLEARED;
            case 3 -> Disposal.UNDONE;
            default -> Disposal.KEPT;
        };
    }

    private static int colourTable(int flags) {
        return (flags & 0x80) == 0 ? 0 : 3 << ((flags & 7) + 1);
    }

    private int afterSubBlocks(int first) throws UndecodableException {
        int at = first;
        while (bytes.u8(at) != 0) {
            at += 1 + bytes.u8(at);
        }
        return at + 1;
    }

    private List<RgbImage> unpack() throws UndecodableException {
        FrameCanvas canvas = new FrameCanvas(width, height);
        try (Library gif = Library.jdk("gif", bytes.file())) {
            for (int i = 0; i < frames.size(); i++) {
                canvas.show(Pixels.of(gif.image(i)), frames.get(i).placement);
            }
        }
        return canvas.shown();
    }
}
