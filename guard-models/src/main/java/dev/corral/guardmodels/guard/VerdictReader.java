package dev.corral.guardmodels.guard;

import dev.corral.guardmodels.onnx.CausalModel;
import dev.corral.guardmodels.store.GuardManifest;
import dev.corral.policies.assessment.Assessment.Scored;
import dev.corral.policies.assessment.Coverage;
import dev.corral.policies.assessment.Probability;
import dev.corral.policies.taxonomy.Hazard;
import dev.corral.policies.taxonomy.Taxonomy;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/** Reads probabilities from a model that is made to say that the content is unsafe. */
final class VerdictReader {

    private final List<Hazard> hazards;
    private final int[] lead;
    private final int[] continuation;
    private final int[] verdictRows;
    private final int[] hazardRows;

    VerdictReader(GuardManifest.Verdict verdict, Taxonomy taxonomy) {
        this.hazards = taxonomy.hazards();
        this.lead = ints(verdict.lead());
        this.continuation = ints(verdict.continuation());
        this.verdictRows = new int[] {verdict.safe(), verdict.unsafe()};
        this.hazardRows = hazards.stream()
                .mapToInt(hazard -> Objects.requireNonNull(verdict.hazards().get(hazard.code())))
                .toArray();
    }

    private static int[] ints(List<Integer> values) {
        return values.stream().mapToInt(Integer::intValue).toArray();
    }

    /** Tokens that are appended to a prompt. */
    int forcedTokens() {
        return lead.length + continuation.length;
    }

    /** What is said of a turn without text. */
    Verdict harmless() {
        return new Verdict(0, new double[hazards.size()]);
    }

    /**
     * One pass of the model.
     *
     * @throws IllegalStateException if the model's answer is not a number
     */
    Verdict read(int[] prompt, CausalModel model) throws InterruptedException {
        int[] tokens = Stream.of(prompt, lead, continuation)
                .flatMapToInt(Arrays::stream)
                .toArray();
        int[] rows = {prompt.length + lead.length - 1, tokens.length - 1};
        float[][] logits = model.logits(tokens, rows);
        double unsafe = softmax(logits[0], verdictRows)[1];
        double[] given = softmax(logits[1], hazardRows);
        return new Verdict(unsafe, Arrays.stream(given).map(p -> p * unsafe).toArray());
    }

    private static double[] softmax(float[] logits, int[] rows) {
        double[] chosen = Arrays.stream(rows).mapToDouble(row -> logits[row]).toArray();
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

        private Verdict(double unsafe, double[] byHazard) {
            this.unsafe = unsafe;
            this.byHazard = byHazard;
        }

        /** The higher of both in everything. */
        Verdict or(Verdict other) {
            double[] higher = IntStream.range(0, byHazard.length)
                    .mapToDouble(i -> Math.max(byHazard[i], other.byHazard[i]))
                    .toArray();
            return new Verdict(Math.max(unsafe, other.unsafe), higher);
        }

        Scored scored(Coverage coverage) {
            Map<Hazard, Probability> probabilities = new LinkedHashMap<>();
            for (int i = 0; i < byHazard.length; i++) {
                probabilities.put(hazards.get(i), new Probability(byHazard[i]));
            }
            return new Scored(new Probability(unsafe), probabilities, coverage);
        }
    }
}
