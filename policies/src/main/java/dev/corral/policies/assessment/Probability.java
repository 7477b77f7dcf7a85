package dev.corral.policies.assessment;

/**
 * A probability.
 *
 * @param value 0 to 1, both included; never NaN
 */
public record Probability(double value) implements Comparable<Probability> {

    public static final Probability ZERO = new Probability(0);

    public static final Probability ONE = new Probability(1);

    public Probability {
        if (!(value >= 0 && value <= 1)) {
            throw new IllegalArgumentException("a probability must be between 0 and 1: " + value);
        }
    }

    @Override
    public int compareTo(Probability other) {
        return Double.compare(value, other.value);
    }
}
