package dev.corral.guardmodels.prompt;

import dev.corral.policies.taxonomy.Taxonomy;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.IntStream;

/** Guards that are asked in the same words: their template, what they tell apart, and how they answer. */
@SuppressWarnings("ImmutableEnumChecker") // records and immutable lists all the way down
public enum GuardFamily {
    /** Llama Guard 3 1B, and the text side of 11B Vision. */
    LLAMA_GUARD_3("llama-guard-3", Taxonomy.LLAMA_GUARD_3, new LlamaGuard3Template("", " "), Verdict.LLAMA_GUARD_3),

    /** Llama Guard 3 8B: one hazard more, a space before the first token and none before the last. */
    LLAMA_GUARD_3_8B(
            "llama-guard-3-8b", Taxonomy.LLAMA_GUARD_3_8B, new LlamaGuard3Template(" ", ""), Verdict.LLAMA_GUARD_3),

    /** The built-in starter guard. */
    CORRAL_STARTER("corral-starter", Taxonomy.LLAMA_GUARD_3, new StarterTemplate(), Verdict.CORRAL_STARTER);

    /** The answer as text: each string is made into tokens on its own. {@code safe} is empty where there is a verdict head. */
    private record Verdict(List<String> lead, String safe, String unsafe, List<String> afterUnsafe) {

        private static final Verdict LLAMA_GUARD_3 = new Verdict(List.of("\n\n"), "safe", "unsafe", List.of("\n", "S"));

        private static final Verdict CORRAL_STARTER = new Verdict(List.of(), "", " unsafe", List.of(":"));
    }

    private final String id;
    private final Taxonomy taxonomy;
    private final PromptTemplate template;
    private final Verdict verdict;

    GuardFamily(String id, Taxonomy taxonomy, PromptTemplate template, Verdict verdict) {
        this.id = id;
        this.taxonomy = taxonomy;
        this.template = template;
        this.verdict = verdict;
    }

    /** The family with this exact id, or empty. */
    public static Optional<GuardFamily> byId(String id) {
        return Arrays.stream(values()).filter(family -> family.id.equals(id)).findFirst();
    }

    /** The name in {@code guard.yaml}, such as {@code llama-guard-3}. */
    public String id() {
        return id;
    }

    /** What the family was trained to tell apart. */
    public Taxonomy taxonomy() {
        return taxonomy;
    }

    /**
     * The prompt that asks for a verdict on the last utterance.
     *
     * @param categories what counts as unsafe, in order; a family whose prompt has no list ignores it
     */
    public List<Segment> render(Dialogue dialogue, List<Category> categories) {
        return template.render(dialogue, categories);
    }

    /**
     * The verdict in a tokenizer's ids.
     *
     * @param encode ordinary text to token ids
     * @throws IllegalArgumentException if a word of the verdict is not a single token
     */
    public VerdictTokens verdictTokens(Function<String, int[]> encode) {
        Function<String, Integer> token = word -> single(word, encode.apply(word));
        List<String> continuation = new ArrayList<>(List.of(verdict.unsafe));
        continuation.addAll(verdict.afterUnsafe);
        List<String> head = new ArrayList<>();
        if (!verdict.safe.isEmpty()) {
            head.addAll(List.of(verdict.safe, verdict.unsafe));
            // the hazard's number follows the forced "S"
            IntStream.rangeClosed(1, taxonomy.hazards().size()).forEach(number -> head.add(Integer.toString(number)));
        }
        return new VerdictTokens(
                verdict.lead.stream().map(token).toList(),
                continuation.stream().map(token).toList(),
                head.stream().map(token).toList());
    }

    private int single(String word, int[] ids) {
        if (ids.length != 1) {
            throw new IllegalArgumentException("'" + word.replace("\n", "\\n")
                    + "' must be one token for a guard of family " + id + ", but this tokenizer makes " + ids.length
                    + " of it; take the tokenizer.json of the guard itself");
        }
        return ids[0];
    }
}
