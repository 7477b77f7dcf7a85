package dev.corral.guardmodels.measurement;

import dev.corral.guardmodels.ScriptedGuard;
import dev.corral.guardmodels.conversation.Conversation;
import dev.corral.guardmodels.conversation.Role;
import dev.corral.guardmodels.conversation.Turn;
import dev.corral.guardmodels.dataset.LabelledRow;
import dev.corral.policies.assessment.Assessment.Scored;
import dev.corral.policies.assessment.Coverage;
import dev.corral.policies.assessment.Probability;
import dev.corral.policies.taxonomy.Hazard;
import dev.corral.policies.taxonomy.StandardHazard;
import dev.corral.policies.taxonomy.Taxonomy;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.stream.Stream;

/** Judged rows for tests. */
public final class Rows {

    public static final Candidate CANDIDATE = candidate("scripted");

    private Rows() {}

    public static Candidate candidate(String name) {
        return new Candidate(
                name,
                new ScriptedGuard(_ -> ScriptedGuard.scored(0, StandardHazard.S1)).profile(),
                new Probability(0.6));
    }

    public static LabelledRow row(int line, boolean unsafe, String text, String... categories) {
        return new LabelledRow(
                line,
                line - 1,
                new Conversation(List.of(Turn.of(Role.USER, text))),
                unsafe,
                Optional.empty(),
                Optional.empty(),
                List.of(categories));
    }

    /** A row that one guard, or each of two, gave a probability, all of it to one hazard. */
    public static Judged judged(LabelledRow row, StandardHazard hazard, double... unsafe) {
        return new Judged(
                row,
                Arrays.stream(unsafe)
                        .mapToObj(p -> new Judged.Answer(scored(p, hazard), 1_000_000L * row.line()))
                        .toList());
    }

    private static Scored scored(double unsafe, StandardHazard hazard) {
        Map<Hazard, Probability> hazards = new LinkedHashMap<>();
        Taxonomy.LLAMA_GUARD_3.hazards().forEach(h -> hazards.put(h, Probability.ZERO));
        hazards.put(hazard, new Probability(unsafe));
        return new Scored(new Probability(unsafe), hazards, Coverage.ofText(1));
    }

    /** As many rows as one wants, from several sets, in two languages, of three hazards; unsafe ones are rated higher. */
    public static List<Judged> random(long seed, int count, int guards) {
        Random random = new Random(seed);
        List<Judged> rows = new ArrayList<>();
        List<StandardHazard> hazards = List.of(StandardHazard.S1, StandardHazard.S9, StandardHazard.S10);
        for (int line = 1; line <= count; line++) {
            boolean unsafe = random.nextInt(3) > 0;
            StandardHazard named = hazards.get(random.nextInt(hazards.size()));
            StandardHazard likeliest = random.nextInt(4) > 0 ? named : StandardHazard.S2;
            double logit = random.nextGaussian() * 2 + (unsafe ? 1.5 : -1.5);
            List<Judged.Answer> answers = new ArrayList<>();
            for (int guard = 0; guard < guards; guard++) {
                double p = 1 / (1 + Math.exp(-logit - guard * random.nextGaussian() / 4));
                answers.add(new Judged.Answer(spread(p, likeliest, random), 1_000_000 + random.nextInt(9_000_000)));
            }
            LabelledRow row = new LabelledRow(
                    line,
                    line - 1,
                    new Conversation(List.of(Turn.of(Role.USER, "text " + line))),
                    unsafe,
                    Optional.of(Stream.of("first", "second", "<b>\"third\"")
                            .toList()
                            .get(random.nextInt(3))),
                    Optional.of(random.nextBoolean() ? "en" : "de"),
                    unsafe ? List.of(named.code()) : List.of());
            rows.add(new Judged(row, answers));
        }
        return rows;
    }

    /** Most of it to one hazard, the rest to two others. */
    private static Scored spread(double unsafe, StandardHazard likeliest, Random random) {
        Map<Hazard, Probability> hazards = new LinkedHashMap<>();
        Taxonomy.LLAMA_GUARD_3.hazards().forEach(h -> hazards.put(h, Probability.ZERO));
        double most = unsafe * (0.6 + 0.4 * random.nextDouble());
        hazards.put(StandardHazard.S9, new Probability((unsafe - most) / 2));
        hazards.put(StandardHazard.S10, new Probability((unsafe - most) / 2));
        hazards.merge(likeliest, new Probability(most), (a, b) -> new Probability(a.value() + b.value()));
        return new Scored(new Probability(unsafe), hazards, Coverage.ofText(1));
    }
}
