package dev.corral.guardmodels.image;

import dev.corral.guardmodels.image.FrameCanvas.Disposal;
import dev.corral.guardmodels.image.FrameCanvas.Placement;
import dev.corral.guardmodels.image.vp8.KeyFrame;
import java.io.EOFException;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** WebP, animated or not, lossy or not: the container is walked here, and each frame's pixels are unpacked by themselves. */
final class WebpDecoder {

    private static final int FIRST_CHUNK = 12;
    private static final int FRAME_HEADER = 16;
    private static final int EXTENDED_LENGTH = 10;

    /** One chunk: where its data begins. */
    private record Chunk(String type, int data, int length) {

        int end() {
            return data + length + (length & 1);
        }
    }

    /** The chunks that one picture is made of. */
    private static final class Picture {

        private final int width;
        private final int height;
        private final Placement placement;
        private final List<Chunk> chunks = new ArrayList<>();

        Picture(int width, int height, Placement placement) {
            this.width = width;
            this.height = height;
            this.placement = placement;
        }
    }

    private final Bytes bytes;
    private final ImageLimits limits;
    private final List<Picture> pictures = new ArrayList<>();
    private int width;
    private int height;
    private Orientation orientation = Orientation.UPRIGHT;

    private WebpDecoder(byte[] file, ImageLimits limits) {
        this.bytes = new Bytes(file);
        this.limits = limits;
    }

    /** Every frame, as it is to be seen; one where it is no animation. */
    static List<RgbImage> decode(byte[] file, ImageLimits limits) throws UndecodableException {
        WebpDecoder decoder = new WebpDecoder(file, limits);
        decoder.walk();
        FrameCanvas canvas = new FrameCanvas(decoder.width, decoder.height);
        for (Picture picture : decoder.pictures) {
            canvas.show(decoder.unpack(picture), picture.placement);
        }
        return canvas.shown().stream().map(decoder.orientation::upright).toList();
    }

    private void walk() throws UndecodableException {
        long length = bytes.u32LittleEndian(4);
        bytes.require(8, length);
        int end = 8 + (int) length;
        Chunk first = chunk(FIRST_CHUNK, end);
        if (first.type.equals("VP8X")) {
            if (first.length < EXTENDED_LENGTH) {
                throw UndecodableException.corrupt("its header has " + first.length + " bytes");
            }
            size(1 + bytes.u24LittleEndian(first.data + 4), 1 + bytes.u24LittleEndian(first.data + 7));
            extended(first.end(), end);
        } else {
            int[] size = size(first);
            size(size[0], size[1]);
            still().chunks.add(first);
        }
        if (pictures.isEmpty()) {
            throw UndecodableException.corrupt("there is no picture in it");
        }
    }

    private void size(int canvasWidth, int canvasHeight) throws UndecodableException {
        limits.check(canvasWidth, canvasHeight, 1);
        width = canvasWidth;
        height = canvasHeight;
    }

    private Picture still() {
        if (pictures.isEmpty()) {
            pictures.add(new Picture(width, height, new Placement(0, 0, Disposal.KEPT, false)));
        }
        return pictures.getLast();
    }

    private void extended(int from, int end) throws UndecodableException {
        for (int at = from; at < end; ) {
            Chunk chunk = chunk(at, end);
            switch (chunk.type) {
                case "ALPH", "VP8 ", "VP8L" -> still().chunks.add(chunk);
                case "ANMF" -> frame(chunk);
                case "EXIF" -> exif(chunk);
                default -> {
                    // makes no pixels
                }
            }
            at = chunk.end();
        }
    }

    private void frame(Chunk frame) throws UndecodableException {
        bytes.require(frame.data, FRAME_HEADER);
        int x = 2 * bytes.u24LittleEndian(frame.data);
        int y = 2 * bytes.u24LittleEndian(frame.data + 3);
        int frameWidth = 1 + bytes.u24LittleEndian(frame.data + 6);
        int frameHeight = 1 + bytes.u24LittleEndian(frame.data + 9);
        int flags = bytes.u8(frame.data + 15);
        if (x + frameWidth > width || y + frameHeight > height) {
            throw UndecodableException.corrupt("a frame lies beyond the picture");
        }
        limits.check(width, height, pictures.size() + 1L);
        Disposal disposal = (flags & 1) == 0 ? Disposal.KEPT : Disposal.CLEARED;
        Picture picture = new Picture(frameWidth, frameHeight, new Placement(x, y, disposal, (flags & 2) == 0));
        pictures.add(picture);
        int end = frame.data + frame.length;
        for (int at = frame.data + FRAME_HEADER; at < end; ) {
            Chunk chunk = chunk(at, end);
            picture.chunks.add(chunk);
            at = chunk.end();
        }
    }

    private void exif(Chunk chunk) {
        int prefix = bytes.startsWith(chunk.data, "Exif\0\0") ? 6 : 0;
        orientation = Orientation.ofExif(bytes, chunk.data + prefix, chunk.length - prefix);
    }

    private Chunk chunk(int at, int end) throws UndecodableException {
        long length = bytes.u32LittleEndian(at + 4);
        if (length > end - (at + 8L)) {
            throw UndecodableException.truncated();
        }
        return new Chunk(new String(bytes.file(), at, 4, StandardCharsets.ISO_8859_1), at + 8, (int) length);
    }

    /** Width and height, as the pixels' own header has them. */
    private int[] size(Chunk chunk) throws UndecodableException {
        return switch (chunk.type) {
            case "VP8 " ->
                new int[] {
                    bytes.u16LittleEndian(chunk.data + 6) & 0x3fff, bytes.u16LittleEndian(chunk.data + 8) & 0x3fff
                };
            case "VP8L" -> {
                long bits = bytes.u32LittleEndian(chunk.data + 1);
                yield new int[] {1 + (int) (bits & 0x3fff), 1 + (int) ((bits >> 14) & 0x3fff)};
            }
            default -> throw UndecodableException.corrupt("its first chunk has no picture");
        };
    }

    private Pixels unpack(Picture picture) throws UndecodableException {
        List<Chunk> images = chunks(picture, "VP8 ", "VP8L");
        List<Chunk> alphas = chunks(picture, "ALPH");
        if (images.size() != 1 || alphas.size() > 1) {
            throw UndecodableException.corrupt("a frame does not have exactly one picture");
        }
        Chunk image = images.getFirst();
        int[] size = size(image);
        if (size[0] != picture.width || size[1] != picture.height) {
            throw UndecodableException.corrupt("a picture does not have the size that the file says");
        }
        if (image.type.equals("VP8L")) {
            return WebpLossless.decode(Arrays.copyOfRange(bytes.file(), image.data, image.data + image.length));
        }
        int[] argb = lossy(image);
        if (!alphas.isEmpty()) {
            Chunk alpha = alphas.getFirst();
            byte[] levels = WebpAlpha.decode(bytes, alpha.data, alpha.length, picture.width, picture.height);
            for (int i = 0; i < argb.length; i++) {
                argb[i] = (levels[i] << 24) | (argb[i] & 0xffffff);
            }
        }
        return new Pixels(picture.width, picture.height, argb);
    }

    private int[] lossy(Chunk image) throws UndecodableException {
        try {
            return KeyFrame.argb(bytes.file(), image.data, image.data + image.length);
        } catch (EOFException _) {
            throw UndecodableException.truncated();
        } catch (InterruptedIOException _) {
            throw UndecodableException.interrupted();
        } catch (IOException e) {
            throw UndecodableException.corrupt(String.valueOf(e.getMessage()));
        }
    }

    private static List<Chunk> chunks(Picture picture, String... types) {
        return picture.chunks.stream()
                .filter(chunk -> List.of(types).contains(chunk.type))
                .toList();
    }
}
