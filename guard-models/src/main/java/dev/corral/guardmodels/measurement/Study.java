package dev.corral.guardmodels.measurement;

import dev.corral.guardmodels.dataset.LabelledRow;
import dev.corral.policies.taxonomy.Hazard;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.function.ToDoubleFunction;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * How well one guard, or each of two, tells unsafe from safe on labelled rows. What it says does not depend on the order of
 * the rows, apart from the order of equally slow or equally wrong examples, which is that of their lines.
 *
 * @param candidates one or two
 * @param all every row that all candidates have a verdict on
 * @param sets by name; none where no row names one
 * @param languages by name; none where no row names one
 * @param hazards those that unsafe rows name and all candidates look for, in the order of the first one's taxonomy
 * @param notes what cannot be said of these rows, and why
 * @param details by candidate
 * @param comparison where there are two
 */
public record Study(
        List<Candidate> candidates,
        Group all,
        List<Group> sets,
        List<Group> languages,
        List<HazardGroup> hazards,
        List<String> notes,
        List<Detail> details,
        Optional<Comparison> comparison) {

    /** The group of rows that name no set, or no language. */
    public static final String UNNAMED = "(none)";

    /**
     * What belongs to one guard alone.
     *
     * @param curve of P(unsafe)
     * @param milliseconds that a row took
     * @param named rows that name a hazard
     * @param namedFirst those of them for which the likeliest hazard is one that they name
     * @param slowest rows
     * @param falseAlarms safe rows that it is surest are unsafe
     * @param misses unsafe rows that it is surest are safe
     */
    public record Detail(
            Curve curve,
            Calibration calibration,
            Distribution milliseconds,
            int named,
            int namedFirst,
            List<Judged> slowest,
            List<Judged> falseAlarms,
            List<Judged> misses) {}

    /**
     * Measures.
     *
     * @param judged at least one row
     * @param common the one threshold at which two guards are compared, beside their own
     * @param examples rows of each kind to name
     */
    public static Study of(
            List<Candidate> candidates, List<Judged> judged, Bootstrap bootstrap, double common, int examples) {
        return new Measuring(candidates, judged, bootstrap).study(common, examples);
    }

    private record Measuring(List<Candidate> candidates, List<Judged> judged, Bootstrap bootstrap) {

        Study study(double common, int examples) {
            List<String> notes = new ArrayList<>();
            Group all = group("all", judged);
            kinds(all).ifPresent(notes::add);
            List<HazardGroup> hazards = hazards(notes);
            return new Study(
                    candidates,
                    all,
                    groups(LabelledRow::set),
                    groups(LabelledRow::language),
                    hazards,
                    List.copyOf(notes),
                    indexes().mapToObj(i -> detail(i, examples)).toList(),
                    candidates.size() == 2
                            ? Optional.of(Comparison.of(candidates, judged, common, examples))
                            : Optional.empty());
        }

        private IntStream indexes() {
            return IntStream.range(0, candidates.size());
        }

        private static Optional<String> kinds(Group all) {
            if (all.unsafe() == 0) {
                return Optional.of("All rows are safe: nothing can be said of AUC, F1, recall and average precision.");
            }
            if (all.unsafe() == all.rows()) {
                return Optional.of(
                        "All rows are unsafe: nothing can be said of AUC, average precision and false positives.");
            }
            return Optional.empty();
        }

        private Group group(String name, List<Judged> rows) {
            return group(name, rows, Judged::unsafe);
        }

        private Group group(String name, List<Judged> rows, Score probability) {
            boolean[] unsafe = new boolean[rows.size()];
            int unsafeRows = 0;
            int same = 0;
            for (int i = 0; i < unsafe.length; i++) {
                Judged row = rows.get(i);
                unsafe[i] = row.row().unsafe();
                unsafeRows += unsafe[i] ? 1 : 0;
                same += indexes()
                                        .mapToObj(c -> row.unsafe(c) >= threshold(c))
                                        .distinct()
                                        .count()
                                == 1
                        ? 1
                        : 0;
            }
            Bootstrap.Estimates estimates = bootstrap.estimate(
                    unsafe,
                    indexes()
                            .mapToObj(c -> rows.stream()
                                    .mapToDouble(row -> probability.of(row, c))
                                    .toArray())
                            .toList(),
                    indexes().mapToObj(this::threshold).toList());
            return new Group(
                    name,
                    rows.size(),
                    unsafeRows,
                    estimates.byGuard(),
                    estimates.difference(),
                    (double) same / rows.size());
        }

        private double threshold(int candidate) {
            return candidates.get(candidate).threshold().value();
        }

        private List<Group> groups(Function<LabelledRow, Optional<String>> name) {
            Map<String, List<Judged>> groups = judged.stream()
                    .collect(Collectors.groupingBy(
                            one -> name.apply(one.row()).orElse(UNNAMED), TreeMap::new, Collectors.toList()));
            return groups.keySet().equals(Set.of(UNNAMED))
                    ? List.of()
                    : groups.entrySet().stream()
                            .map(entry -> group(entry.getKey(), entry.getValue()))
                            .toList();
        }

        private List<HazardGroup> hazards(List<String> notes) {
            Map<String, Long> named = judged.stream()
                    .filter(one -> one.row().unsafe())
                    .flatMap(one -> one.row().categories().stream())
                    .collect(Collectors.groupingBy(code -> code, TreeMap::new, Collectors.counting()));
            List<Judged> safe =
                    judged.stream().filter(one -> !one.row().unsafe()).toList();
            List<HazardGroup> groups = new ArrayList<>();
            List<String> absent = new ArrayList<>();
            for (Hazard hazard : candidates.getFirst().profile().taxonomy().hazards()) {
                if (candidates.getLast().profile().taxonomy().hazards().contains(hazard)) {
                    if (named.remove(hazard.code()) == null) {
                        absent.add(hazard.code());
                    } else {
                        groups.add(hazard(hazard, safe));
                    }
                }
            }
            if (groups.isEmpty() && named.isEmpty()) {
                notes.add("No unsafe row names a hazard in 'categories': nothing can be said of hazards.");
            } else if (!absent.isEmpty()) {
                notes.add("No unsafe row names " + String.join(", ", absent) + ": nothing can be said of "
                        + (absent.size() == 1 ? "it." : "them."));
            }
            named.forEach((code, rows) -> notes.add(rows + " unsafe rows name " + code + ", which "
                    + (candidates.size() == 1 ? "the guard does not look for." : "not both guards look for.")));
            return groups;
        }

        private HazardGroup hazard(Hazard hazard, List<Judged> safe) {
            Predicate<Judged> names = one -> one.row().categories().contains(hazard.code());
            List<Judged> named = judged.stream()
                    .filter(one -> one.row().unsafe())
                    .filter(names)
                    .toList();
            List<Judged> rows = new ArrayList<>(named);
            rows.addAll(safe);
            Score probability = (row, c) -> row.hazard(c, hazard);
            return new HazardGroup(
                    hazard,
                    named.size(),
                    group(hazard.code(), rows),
                    group(hazard.code(), rows, probability),
                    indexes()
                            .mapToObj(c -> (double) named.stream()
                                            .filter(one -> one.namesFirst(c))
                                            .count()
                                    / named.size())
                            .toList(),
                    indexes()
                            .mapToObj(c -> Curve.of(ranking(rows, row -> probability.of(row, c))))
                            .toList());
        }

        private static Ranking ranking(List<Judged> rows, ToDoubleFunction<Judged> probability) {
            return Ranking.of(rows.stream()
                    .map(row ->
                            new Rating(probability.applyAsDouble(row), row.row().unsafe()))
                    .toList());
        }

        private Detail detail(int candidate, int examples) {
            Ranking ranking = ranking(judged, one -> one.unsafe(candidate));
            List<Judged> named = judged.stream()
                    .filter(one -> !one.row().categories().isEmpty())
                    .toList();
            Comparator<Judged> bySureness = Comparator.comparingDouble(one -> one.unsafe(candidate));
            return new Detail(
                    Curve.of(ranking),
                    Calibration.of(ranking),
                    Distribution.of(judged.stream()
                            .mapToDouble(one -> one.answers().get(candidate).milliseconds())
                            .toArray()),
                    named.size(),
                    (int) named.stream()
                            .filter(one -> one.namesFirst(candidate))
                            .count(),
                    first(
                            judged,
                            Comparator.comparingLong(
                                    one -> -one.answers().get(candidate).nanoseconds()),
                            examples),
                    first(
                            judged.stream()
                                    .filter(one -> !one.row().unsafe() && one.unsafe(candidate) >= threshold(candidate))
                                    .toList(),
                            bySureness.reversed(),
                            examples),
                    first(
                            judged.stream()
                                    .filter(one -> one.row().unsafe() && one.unsafe(candidate) < threshold(candidate))
                                    .toList(),
                            bySureness,
                            examples));
        }

        private static List<Judged> first(List<Judged> rows, Comparator<Judged> order, int count) {
            return rows.stream()
                    .sorted(order.thenComparingInt(one -> one.row().line()))
                    .limit(count)
                    .toList();
        }
    }

    /** A probability that a candidate gave a row. */
    private interface Score {
        double of(Judged row, int candidate);
    }
}
