package dev.corral.guardmodels.measurement;

import java.util.ArrayList;
import java.util.List;

/**
 * Whether probabilities mean what they say, on these rows: of those rated 0.7, are 70 % unsafe?
 *
 * @param bins that hold rows, by rising probability
 * @param brier mean squared difference of probability and label, 0 to 1; 0 is best
 * @param error mean distance of the bins' probabilities from their shares of unsafe rows, weighted by rows
 */
public record Calibration(List<Bin> bins, double brier, double error) {

    private static final int BINS = 10;

    /**
     * Rows of about the same probability.
     *
     * @param from least probability
     * @param to highest, which belongs to the next bin, except for 1
     * @param predicted mean probability
     * @param observed share of unsafe rows
     */
    public record Bin(double from, double to, int rows, double predicted, double observed) {}

    public Calibration {
        bins = List.copyOf(bins);
    }

    /** Of at least one rating. */
    static Calibration of(Ranking ranking) {
        int[] rows = new int[BINS];
        int[] unsafe = new int[BINS];
        double[] sums = new double[BINS];
        double squares = 0;
        List<Rating> ratings = ranking.ratings();
        for (Rating rating : ratings) {
            int bin = Math.min((int) (rating.probability() * BINS), BINS - 1);
            rows[bin]++;
            unsafe[bin] += rating.unsafe() ? 1 : 0;
            sums[bin] += rating.probability();
            double miss = rating.probability() - (rating.unsafe() ? 1 : 0);
            squares += miss * miss;
        }
        List<Bin> bins = new ArrayList<>();
        double error = 0;
        for (int i = 0; i < BINS; i++) {
            if (rows[i] > 0) {
                Bin bin = new Bin(
                        (double) i / BINS,
                        (double) (i + 1) / BINS,
                        rows[i],
                        sums[i] / rows[i],
                        (double) unsafe[i] / rows[i]);
                bins.add(bin);
                error += Math.abs(bin.predicted - bin.observed) * rows[i] / ratings.size();
            }
        }
        return new Calibration(bins, squares / ratings.size(), error);
    }
}
