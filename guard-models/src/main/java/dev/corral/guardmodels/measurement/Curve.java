package dev.corral.guardmodels.measurement;

import java.util.ArrayList;
import java.util.List;
import java.util.OptionalDouble;

/**
 * What thresholds give.
 *
 * @param points by falling threshold, from 1 on. Long curves are thinned to points that a picture can tell apart; the first
 *     and the last always stay. Without safe rows, or without unsafe ones, no point has the share of them
 * @param sweep the same for {@link #THRESHOLDS}, exactly
 */
public record Curve(List<Point> points, List<Point> sweep) {

    /** Those that tables show, rising: dense where hazards' thresholds lie. */
    public static final List<Double> THRESHOLDS =
            List.of(0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99);

    private static final double APART = 1.0 / 400;

    /** At and above a threshold. */
    public record Point(
            double threshold, OptionalDouble recall, OptionalDouble falsePositives, OptionalDouble precision) {}

    public Curve {
        points = List.copyOf(points);
        sweep = List.copyOf(sweep);
    }

    /** Of at least one rating. */
    static Curve of(Ranking ranking) {
        List<Ranking.Step> steps = ranking.steps();
        Ranking.Step all = steps.getLast();
        List<Point> points = new ArrayList<>();
        points.add(point(1, new Ranking.Step(1, 0, 0), all));
        for (Ranking.Step step : steps) {
            Point point = point(step.threshold(), step, all);
            if (step.equals(all) || apart(points.getLast(), point)) {
                points.add(point);
            }
        }
        return new Curve(
                points,
                THRESHOLDS.stream()
                        .map(threshold -> point(threshold, reached(steps, threshold), all))
                        .toList());
    }

    private static Ranking.Step reached(List<Ranking.Step> falling, double threshold) {
        return falling.stream()
                .filter(step -> step.threshold() >= threshold)
                .reduce((_, lower) -> lower)
                .orElse(new Ranking.Step(threshold, 0, 0));
    }

    private static Point point(double threshold, Ranking.Step reached, Ranking.Step all) {
        Tally tally = new Tally(
                all.unsafe(),
                all.safe(),
                reached.unsafe(),
                reached.safe(),
                OptionalDouble.empty(),
                OptionalDouble.empty());
        return new Point(threshold, tally.recall(), tally.falsePositives(), tally.precision());
    }

    private static boolean apart(Point a, Point b) {
        return Math.abs(a.threshold - b.threshold) >= APART
                || apart(a.recall, b.recall)
                || apart(a.falsePositives, b.falsePositives)
                || apart(a.precision, b.precision);
    }

    private static boolean apart(OptionalDouble a, OptionalDouble b) {
        return a.isPresent() != b.isPresent() || Math.abs(a.orElse(0) - b.orElse(0)) >= APART;
    }
}
