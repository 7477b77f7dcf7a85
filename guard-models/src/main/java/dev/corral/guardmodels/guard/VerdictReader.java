package dev.corral.guardmodels.guard;

import dev.corral.guardmodels.onnx.Decoder;
import dev.corral.guardmodels.store.GuardDirectory;
import dev.corral.guardmodels.store.GuardManifest;
import dev.corral.guardmodels.store.NamedHazards;
import dev.corral.policies.assessment.Assessment.Scored;
import dev.corral.policies.assessment.Coverage;
import dev.corral.policies.assessment.Meaning;
import dev.corral.policies.assessment.Probability;
import dev.corral.policies.taxonomy.Hazard;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * Reads probabilities from a model that is made to say that the content is unsafe.
 *
 * <p>A guard answers {@code safe}, or {@code unsafe} and a list of hazards. The first pass forces the beginning of the
 * second answer and reads P(unsafe) and, for each hazard, the probability that the list begins with it. That is
 * {@link Meaning#FIRST_HAZARD}: these exclude each other, and times P(unsafe) they add up to P(unsafe).
 *
 * <p>Where all hazards are wanted and the content is unsafe, the likeliest list is written on, hazard by hazard, as the
 * guard itself would: after each name the model says whether the list ends or goes on, and with what. A hazard's
 * probability is then that of all lists which begin like the likeliest one, up to any place of it, and have the hazard
 * there: P(first is h), plus P(first is a, second is h) for the likeliest a, and so on. These lists exclude each other,
 * so the sum is a probability. It is that the hazard is named at all, short of the lists that leave the likeliest one
 * before they name it: never too high, and never less than with {@link Meaning#FIRST_HAZARD}. To know the rest, every
 * list would have to be written. The last place counts too: what would follow if the list went on where it likelier ends
 * is read there at no cost.
 *
 * <p>The grammar holds: no hazard twice, and no other token than those of an answer. Each step reads the tokens of one
 * name and of the comma, after a past that the model has just read.
 */
final class VerdictReader {

    /** Greedy decoding says unsafe from here on; a guard that recommends to be stricter is taken at its word. */
    private static final double EVEN = 0.5;

    /** In place of the row of a hazard that stands in the list: it has no probability to be named again. */
    private static final int NAMED_ALREADY = -1;

    private final List<Hazard> hazards;
    private final int[] lead;
    private final int[] continuation;
    private final int[] verdictRows;
    private final int[] hazardRows;
    private final Optional<Rest> rest;
    private final double unsafeFrom;

    /** How a list goes on. */
    private static final class Rest {

        private final int[][] names;
        private final int[] another;
        private final int[] moreAndEndRows;

        Rest(GuardManifest.Listing listing, HazardList list) {
            this.names = list.codes().stream()
                    .map(code -> ints(Objects.requireNonNull(listing.names().get(code))))
                    .toArray(int[][]::new);
            this.another = ints(listing.another());
            this.moreAndEndRows = new int[] {listing.more(), listing.end()};
        }

        int longestName() {
            return Arrays.stream(names).mapToInt(name -> name.length).max().orElse(0);
        }
    }

    private VerdictReader(GuardManifest.Verdict verdict, HazardList list, Optional<Rest> rest, double unsafeFrom) {
        this.hazards = list.hazards();
        this.lead = ints(verdict.lead());
        this.continuation = ints(verdict.continuation());
        this.verdictRows = new int[] {verdict.safe(), verdict.unsafe()};
        this.hazardRows = list.codes().stream()
                .mapToInt(code -> Objects.requireNonNull(verdict.hazards().get(code)))
                .toArray();
        this.rest = rest;
        this.unsafeFrom = unsafeFrom;
    }

    /** For the answers of a directory's model, and the hazards that are to be named. */
    static VerdictReader of(GuardDirectory directory, HazardList list) {
        GuardManifest manifest = directory.manifest();
        Optional<Rest> rest = directory.named() == NamedHazards.ALL
                ? manifest.verdict().listing().map(listing -> new Rest(listing, list))
                : Optional.empty();
        return new VerdictReader(
                manifest.verdict(),
                list,
                rest,
                Math.min(EVEN, manifest.recommendedThreshold().value()));
    }

    private static int[] ints(List<Integer> values) {
        return values.stream().mapToInt(Integer::intValue).toArray();
    }

    /** Tokens that are appended to a prompt at most. */
    int forcedTokens() {
        int longestList = rest.map(r -> hazards.size() * (r.longestName() + r.another.length))
                .orElse(0);
        return lead.length + continuation.length + longestList;
    }

    /** What is said of a turn without text. */
    Verdict harmless() {
        return new Verdict(0, new double[hazards.size()], Meaning.FIRST_HAZARD);
    }

    /**
     * One pass of the model, and where all hazards of an unsafe content are wanted one more for each of its list.
     *
     * @throws IllegalStateException if the model's answer is not a number
     */
    Verdict read(int[] prompt, Decoder model) throws InterruptedException {
        int[] tokens = join(prompt, lead, continuation);
        int[] rows = {prompt.length + lead.length - 1, tokens.length - 1};
        float[][] logits = model.logits(tokens, rows);
        double unsafe = softmax(logits[0], verdictRows)[1];
        double[] first = softmax(logits[1], hazardRows);
        return rest.isPresent() && unsafe >= unsafeFrom
                ? new Verdict(unsafe, times(unsafe, list(tokens, first, rest.get(), model)), Meaning.ALL_HAZARDS)
                : new Verdict(unsafe, times(unsafe, first), Meaning.FIRST_HAZARD);
    }

    /** For each hazard the probability that the answer names it, as far as the likeliest list tells. */
    private double[] list(int[] answer, double[] first, Rest rest, Decoder model) throws InterruptedException {
        double[] named = first.clone();
        int[] rows = hazardRows.clone();
        int[] tokens = answer;
        int last = likeliest(first);
        double path = first[last];
        for (int left = rows.length - 1; left > 0; left--) {
            rows[last] = NAMED_ALREADY;
            int[] name = join(tokens, rest.names[last]);
            tokens = join(name, rest.another);
            float[][] logits = model.logits(tokens, new int[] {name.length - 1, tokens.length - 1});
            double more = softmax(logits[0], rest.moreAndEndRows)[0];
            double[] next = softmax(logits[1], rows);
            for (int i = 0; i < named.length; i++) {
                named[i] = Math.min(1, named[i] + path * more * next[i]);
            }
            if (more < EVEN) {
                break;
            }
            last = likeliest(next);
            path *= more * next[last];
        }
        return named;
    }

    private static int likeliest(double[] probabilities) {
        return IntStream.range(0, probabilities.length)
                .reduce((a, b) -> probabilities[b] > probabilities[a] ? b : a)
                .orElseThrow();
    }

    private static double[] times(double factor, double[] values) {
        return Arrays.stream(values).map(value -> value * factor).toArray();
    }

    private static int[] join(int[]... parts) {
        return Stream.of(parts).flatMapToInt(Arrays::stream).toArray();
    }

    private static double[] softmax(float[] logits, int[] rows) {
        double[] chosen = Arrays.stream(rows)
                .mapToDouble(row -> row == NAMED_ALREADY ? Double.NEGATIVE_INFINITY : logits[row])
                .toArray();
        double highest = Arrays.stream(chosen).reduce(Double.NEGATIVE_INFINITY, Math::max);
        double[] powers = Arrays.stream(chosen).map(z -> Math.exp(z - highest)).toArray();
        double sum = Arrays.stream(powers).sum();
        if (!Double.isFinite(sum)) {
            throw new IllegalStateException("the model's logits are not numbers");
        }
        return Arrays.stream(powers).map(power -> power / sum).toArray();
    }

    /** P(unsafe), and the probability of each hazard in the taxonomy's order. */
    final class Verdict {

        private final double unsafe;
        private final double[] byHazard;
        private final Meaning meaning;

        private Verdict(double unsafe, double[] byHazard, Meaning meaning) {
            this.unsafe = unsafe;
            this.byHazard = byHazard;
            this.meaning = meaning;
        }

        /** The higher of both in everything. */
        Verdict or(Verdict other) {
            double[] higher = IntStream.range(0, byHazard.length)
                    .mapToDouble(i -> Math.max(byHazard[i], other.byHazard[i]))
                    .toArray();
            return new Verdict(Math.max(unsafe, other.unsafe), higher, meaning.or(other.meaning));
        }

        Scored scored(Coverage coverage) {
            Map<Hazard, Probability> probabilities = new LinkedHashMap<>();
            for (int i = 0; i < byHazard.length; i++) {
                probabilities.put(hazards.get(i), new Probability(byHazard[i]));
            }
            return new Scored(new Probability(unsafe), probabilities, Probability.ZERO, meaning, coverage);
        }
    }
}
