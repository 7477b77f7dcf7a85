package dev.corral.quantization.replica;

import java.nio.ShortBuffer;

/**
 * Normally distributed bfloat16 numbers by seed and position.
 *
 * <p>Each number is a function of its position alone, so tensors can be written in any order and in pieces. Four numbers
 * come of one 64-bit hash: each takes 16 bits of it as the index into the distribution's 65,536 quantiles, which costs a
 * look-up in place of logarithms and roots. The hash is the finaliser of SplitMix64 (Steele, Lea and Flood, "Fast
 * Splittable Pseudorandom Number Generators", 2014) over a counter.
 */
final class RandomWeights {

    private static final int QUANTILES = 1 << 16;
    private static final int NUMBERS_PER_HASH = 4;
    private static final long GOLDEN_GAMMA = 0x9E3779B97F4A7C15L;

    private final long seed;
    private final short[] quantiles;

    /**
     * A source of numbers around zero.
     *
     * @param deviation standard deviation
     */
    RandomWeights(long seed, double deviation) {
        this.seed = seed;
        this.quantiles = new short[QUANTILES];
        for (int i = 0; i < QUANTILES; i++) {
            quantiles[i] = bfloat16((float) (deviation * standardNormal((i + 0.5) / QUANTILES)));
        }
    }

    /**
     * Fills a buffer with consecutive numbers.
     *
     * @param stream the sequence, such as a tensor's number
     * @param first position of the first number in it; a multiple of 4
     */
    void fill(long stream, long first, ShortBuffer out) {
        long base = mix(seed + mix(stream + GOLDEN_GAMMA));
        long counter = first / NUMBERS_PER_HASH;
        int whole = out.remaining() / NUMBERS_PER_HASH;
        for (int i = 0; i < whole; i++) {
            long hash = mix(base + ++counter * GOLDEN_GAMMA);
            out.put(quantiles[(int) hash & 0xFFFF]);
            out.put(quantiles[(int) (hash >>> 16) & 0xFFFF]);
            out.put(quantiles[(int) (hash >>> 32) & 0xFFFF]);
            out.put(quantiles[(int) (hash >>> 48)]);
        }
        long last = mix(base + ++counter * GOLDEN_GAMMA);
        while (out.hasRemaining()) {
            out.put(quantiles[(int) last & 0xFFFF]);
            last >>>= 16;
        }
    }

    private static long mix(long value) {
        long z = (value ^ (value >>> 30)) * 0xBF58476D1CE4E5B9L;
        z = (z ^ (z >>> 27)) * 0x94D049BB133111EBL;
        return z ^ (z >>> 31);
    }

    /** The nearest bfloat16, ties to even. */
    static short bfloat16(float value) {
        int bits = Float.floatToRawIntBits(value);
        return (short) ((bits + 0x7FFF + ((bits >>> 16) & 1)) >>> 16);
    }

    /** The quantile of the standard normal distribution, by bisection of {@link #cumulative}. */
    private static double standardNormal(double probability) {
        double low = -6;
        double high = 6;
        while (high - low > 1e-9) {
            double middle = (low + high) / 2;
            if (cumulative(middle) < probability) {
                low = middle;
            } else {
                high = middle;
            }
        }
        return (low + high) / 2;
    }

    /** Abramowitz and Stegun, "Handbook of Mathematical Functions", 26.2.17; exact to 7.5e-8. */
    private static double cumulative(double x) {
        double t = 1 / (1 + 0.2316419 * Math.abs(x));
        double density = Math.exp(-x * x / 2) / Math.sqrt(2 * Math.PI);
        double tail = density
                * t
                * (0.319381530 + t * (-0.356563782 + t * (1.781477937 + t * (-1.821255978 + t * 1.330274429))));
        return x >= 0 ? 1 - tail : tail;
    }
}
