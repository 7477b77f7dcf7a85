package dev.corral.guardmodels.image.vp8;

import java.io.EOFException;

/** Reads decisions of unequal probability (RFC 6386, section 7) from a part of a file, and nothing beyond its end. */
final class BoolDecoder {

    private static final int EVEN = 128;

    private final byte[] file;
    private final int end;
    private int at;
    /** What was read and not decided yet: {@link #bits} and eight more bits. */
    private int value;
    /** The highest that the upper eight of these bits may be. */
    private int range = 254;

    private int bits = -8;

    BoolDecoder(byte[] file, int from, int end) {
        this.file = file;
        this.at = from;
        this.end = end;
    }

    /**
     * One decision.
     *
     * @param probability of false, in 256ths
     */
    boolean next(int probability) throws EOFException {
        if (bits < 0) {
            load();
        }
        int split = (range * probability) >> 8;
        boolean decision = (value >>> bits) > split;
        int width;
        if (decision) {
            width = range - split;
            value -= (split + 1) << bits;
        } else {
            width = split + 1;
        }
        int shift = Integer.numberOfLeadingZeros(width) - 24;
        range = (width << shift) - 1;
        bits -= shift;
        return decision;
    }

    private void load() throws EOFException {
        if (at == end) {
            throw new EOFException();
        }
        value = (value << 8) | (file[at++] & 0xff);
        bits += 8;
    }

    /** The same as 1 or 0. */
    int bit(int probability) throws EOFException {
        return next(probability) ? 1 : 0;
    }

    boolean flag() throws EOFException {
        return next(EVEN);
    }

    /** A number of so many bits, the highest first. */
    int number(int length) throws EOFException {
        int number = 0;
        for (int i = 0; i < length; i++) {
            number = (number << 1) | bit(EVEN);
        }
        return number;
    }

    /** A number of so many bits, and its sign. */
    int signed(int length) throws EOFException {
        return sign(number(length));
    }

    /** The same number, or its negative. */
    int sign(int number) throws EOFException {
        return flag() ? -number : number;
    }

    /** The number of so many bits with its sign that follows a flag; 0 where the flag is not set. */
    int optionalSigned(int length) throws EOFException {
        return flag() ? signed(length) : 0;
    }
}
