package dev.corral.quantization.graph;

import dev.corral.quantization.graph.LlamaConfig.RopeScaling;
import java.math.BigDecimal;
import java.math.MathContext;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.DoubleStream;

/**
 * What a rotary embedding's frequencies were computed of, found again in them: the base is told by the first two
 * frequencies, which Llama 3's scaling mostly leaves alone, or by the last two, which it divides by one factor; the factor
 * is told by the last one, the original length by one between kept and divided ones. What is none of this is a divisor for each frequency.
 */
record RotaryBase(double theta, Optional<RopeScaling> scaling) {

    private static final double TOLERANCE = 1e-5;
    private static final MathContext DIGITS = new MathContext(4);
    private static final double LOW = 1;
    private static final double HIGH = 4;

    /** Finds them in the frequencies of a head's pairs, at least two, the highest first. */
    static RotaryBase of(double[] frequencies) {
        int half = frequencies.length;
        double first = rounded(Math.pow(frequencies[0] / frequencies[1], half));
        double last = rounded(Math.pow(frequencies[half - 2] / frequencies[half - 1], half));
        return DoubleStream.of(first, last)
                .boxed()
                .flatMap(theta -> scaling(frequencies, theta).stream().map(scaling -> new RotaryBase(theta, scaling)))
                .findFirst()
                .orElseGet(() -> new RotaryBase(first, Optional.of(divisors(frequencies, first))));
    }

    /** The scaling that a base goes with, if there is one. */
    private static Optional<Optional<RopeScaling>> scaling(double[] frequencies, double theta) {
        int half = frequencies.length;
        if (fits(frequencies, theta, Optional.empty())) {
            return Optional.of(Optional.empty());
        }
        double factor = rounded(Math.pow(theta, -(half - 1.0) / half) / frequencies[half - 1]);
        for (int i = 0; i < half; i++) {
            double plain = Math.pow(theta, -(double) i / half);
            double kept = (frequencies[i] / plain - 1 / factor) / (1 - 1 / factor);
            if (kept > TOLERANCE && kept < 1 - TOLERANCE) {
                double original = rounded(2 * Math.PI / plain * (kept * (HIGH - LOW) + LOW));
                Optional<RopeScaling> llama3 = Optional.of(new RopeScaling.Llama3(factor, LOW, HIGH, original));
                if (fits(frequencies, theta, llama3)) {
                    return Optional.of(llama3);
                }
            }
        }
        return Optional.empty();
    }

    private static RopeScaling divisors(double[] frequencies, double theta) {
        List<Float> divisors = new ArrayList<>();
        for (int i = 0; i < frequencies.length; i++) {
            divisors.add((float) (Math.pow(theta, -(double) i / frequencies.length) / frequencies[i]));
        }
        return new RopeScaling.Divisors(divisors);
    }

    private static double rounded(double number) {
        return Double.isFinite(number) ? new BigDecimal(number).round(DIGITS).doubleValue() : number;
    }

    private static boolean fits(double[] frequencies, double theta, Optional<RopeScaling> scaling) {
        float[] computed = RotaryTable.frequencies(2 * frequencies.length, theta, scaling);
        for (int i = 0; i < computed.length; i++) {
            if (!(Math.abs(computed[i] - frequencies[i]) <= TOLERANCE * frequencies[i])) {
                return false;
            }
        }
        return true;
    }
}
