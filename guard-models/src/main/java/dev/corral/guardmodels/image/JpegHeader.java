package dev.corral.guardmodels.image;

import java.io.ByteArrayOutputStream;
import java.util.ArrayList;
import java.util.List;

/**
 * What a JPEG file says of itself, and the file without anything that makes no pixels.
 *
 * @param colours what its samples are, as libjpeg guesses it ({@code default_decompress_parms})
 * @param bare only the segments that a decoder needs, up to the end of the first image
 */
@SuppressWarnings("ArrayRecordComponent") // a file on its way to a decoder
record JpegHeader(int width, int height, Colours colours, Orientation orientation, byte[] bare) {

    /** What the samples of a pixel are. */
    enum Colours {
        GREY,
        RGB,
        YCC,
        CMYK,
        YCCK
    }

    /** Each scan of a progressive file goes through all of the picture again; real ones have ten or so. */
    private static final int MOST_SCANS = 100;

    private static final int START = 0xd8;
    private static final int END = 0xd9;
    private static final int SCAN = 0xda;
    private static final int JFIF = 0xe0;
    private static final int EXIF = 0xe1;
    private static final int ADOBE = 0xee;
    private static final int LAST_APPLICATION = 0xef;
    private static final int COMMENT = 0xfe;

    static JpegHeader read(byte[] file, ImageLimits limits) throws UndecodableException {
        return new Walk(new Bytes(file), limits).header();
    }

    /** Goes through the segments of a file once. */
    private static final class Walk {

        private final Bytes bytes;
        private final ImageLimits limits;
        private final ByteArrayOutputStream bare;
        private int at;
        private int width;
        private int height;
        private int scans;
        private boolean jfif;
        private int adobeTransform = -1;
        private Orientation orientation = Orientation.UPRIGHT;
        private final List<Integer> components = new ArrayList<>();

        Walk(Bytes bytes, ImageLimits limits) {
            this.bytes = bytes;
            this.limits = limits;
            this.bare = new ByteArrayOutputStream(bytes.size());
        }

        JpegHeader header() throws UndecodableException {
            write(0xff, START);
            at = 2;
            while (true) {
                int marker = nextMarker();
                if (marker == END) {
                    write(0xff, END);
                    break;
                }
                int length = bytes.u16(at);
                if (length < 2) {
                    throw UndecodableException.corrupt("a segment has a length of " + length);
                }
                bytes.require(at, length);
                segment(marker, length);
                at += length;
                if (marker == SCAN) {
                    scan();
                }
            }
            if (scans == 0) {
                throw UndecodableException.corrupt("there is no picture in it");
            }
            return new JpegHeader(width, height, colours(), orientation, bare.toByteArray());
        }

        /** Leaves out what is between segments, and fill bytes. */
        private int nextMarker() throws UndecodableException {
            while (true) {
                while (bytes.u8(at) != 0xff) {
                    at++;
                }
                while (bytes.u8(at) == 0xff) {
                    at++;
                }
                int marker = bytes.u8(at++);
                if (marker != 0 && !isRestart(marker) && marker != 1) {
                    return marker;
                }
            }
        }

        private void segment(int marker, int length) throws UndecodableException {
            if (marker >= 0xc0 && marker <= 0xcf && marker != 0xc4 && marker != 0xc8 && marker != 0xcc) {
                frame(marker);
            } else if (marker == START) {
                throw UndecodableException.corrupt("an image begins inside of it");
            } else if (marker == JFIF) {
                jfif |= bytes.startsWith(at + 2, "JFIF\0");
            } else if (marker == ADOBE) {
                if (length >= 14 && bytes.startsWith(at + 2, "Adobe")) {
                    adobeTransform = bytes.u8(at + 13);
                }
            } else if (marker == EXIF && bytes.startsWith(at + 2, "Exif\0\0")) {
                orientation = Orientation.ofExif(bytes, at + 8, length - 8);
            } else if (marker == SCAN && ++scans > MOST_SCANS) {
                throw UndecodableException.tooLarge("it has more than " + MOST_SCANS + " scans");
            }
            boolean note = (marker > JFIF && marker <= LAST_APPLICATION) || marker == COMMENT;
            if (!note || marker == ADOBE) {
                write(0xff, marker);
                bare.write(bytes.file(), at, length);
            }
        }

        private void frame(int marker) throws UndecodableException {
            if (!components.isEmpty()) {
                throw UndecodableException.corrupt("it has two headers of a picture");
            }
            int precision = bytes.u8(at + 2);
            if (marker > 0xc2 || precision != 8) {
                throw UndecodableException.unsupported("it is a JPEG of a rare kind (process " + (marker - 0xc0) + ", "
                        + precision + " bits); baseline and progressive ones with 8 bits are decoded");
            }
            height = bytes.u16(at + 3);
            width = bytes.u16(at + 5);
            limits.check(width, height, 1);
            int count = bytes.u8(at + 7);
            for (int i = 0; i < count; i++) {
                components.add(bytes.u8(at + 8 + 3 * i));
            }
            if (count != 1 && count != 3 && count != 4) {
                throw UndecodableException.unsupported("it has " + count + " colour components, not 1, 3 or 4");
            }
        }

        /** The coded samples: up to the next marker that is not one of theirs. */
        private void scan() throws UndecodableException {
            if (components.isEmpty()) {
                throw UndecodableException.corrupt("its picture has no header");
            }
            int from = at;
            while (true) {
                while (bytes.u8(at) != 0xff) {
                    at++;
                }
                int next = bytes.u8(at + 1);
                if (next != 0 && next != 0xff && !isRestart(next)) {
                    break;
                }
                at += next == 0xff ? 1 : 2;
            }
            bare.write(bytes.file(), from, at - from);
        }

        private Colours colours() {
            return switch (components.size()) {
                case 1 -> Colours.GREY;
                case 3 -> isRgb() ? Colours.RGB : Colours.YCC;
                default -> adobeTransform > 0 ? Colours.YCCK : Colours.CMYK;
            };
        }

        private boolean isRgb() {
            if (jfif) {
                return false;
            }
            return adobeTransform >= 0
                    ? adobeTransform == 0
                    : components.equals(List.of((int) 'R', (int) 'G', (int) 'B'));
        }

        private static boolean isRestart(int marker) {
            return marker >= 0xd0 && marker <= 0xd7;
        }

        private void write(int... bytes) {
            for (int next : bytes) {
                bare.write(next);
            }
        }
    }
}
