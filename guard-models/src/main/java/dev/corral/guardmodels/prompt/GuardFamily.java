package dev.corral.guardmodels.prompt;

import dev.corral.policies.taxonomy.Taxonomy;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;

/** Guards that are asked in the same words: their template, what they tell apart, and how they answer. */
@SuppressWarnings("ImmutableEnumChecker") // records and immutable lists all the way down
public enum GuardFamily {
    /** Llama Guard 3 1B, and 11B Vision. */
    LLAMA_GUARD_3(
            "llama-guard-3", Taxonomy.LLAMA_GUARD_3, new LlamaGuard3Template("", " "), LlamaGuard3Template.ANSWER),

    /** Llama Guard 3 8B: one hazard more, a space before the first token and none before the last. */
    LLAMA_GUARD_3_8B(
            "llama-guard-3-8b",
            Taxonomy.LLAMA_GUARD_3_8B,
            new LlamaGuard3Template(" ", ""),
            LlamaGuard3Template.ANSWER),

    /** The built-in starter guard. */
    CORRAL_STARTER("corral-starter", Taxonomy.LLAMA_GUARD_3, new StarterTemplate(), StarterTemplate.ANSWER);

    /** The name of a token that a tokenizer gets where prompts of the starter guard are tokenised as one string. */
    public static final String BLANK_LINE = StarterTemplate.BLANK_LINE;

    private final String id;
    private final Taxonomy taxonomy;
    private final PromptTemplate template;
    private final Answer answer;

    GuardFamily(String id, Taxonomy taxonomy, PromptTemplate template, Answer answer) {
        this.id = id;
        this.taxonomy = taxonomy;
        this.template = template;
        this.answer = answer;
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
     * The prompt as a Jinja template for a server that makes prompts of messages. The starter guard's has the token {@link
     * #BLANK_LINE} where its prompt has the one of two line feeds.
     *
     * @param categories as for {@link #render}
     */
    public String chatTemplate(List<Category> categories) {
        return template.chatTemplate(categories).jinja();
    }

    /** Whether a prompt names the categories, so that others than those of the family can be asked for. */
    public boolean promptHasCategories() {
        return template.hasCategories();
    }

    /** The family's own verdict in a tokenizer's ids; see {@link #verdictTokens(Taxonomy, VerdictWords, Function)}. */
    public VerdictTokens verdictTokens(Function<List<Segment>, int[]> encode) {
        return verdictTokens(taxonomy, VerdictWords.LLAMA_GUARD, encode);
    }

    /**
     * The verdict of a guard that was trained for hazards of its own, in a tokenizer's ids.
     *
     * @param words what it answers with; a family with a verdict head has none and ignores them
     * @param encode prompts to token ids
     * @throws IllegalArgumentException if a word of the verdict is not a single token, or two hazards begin alike
     */
    public VerdictTokens verdictTokens(Taxonomy taxonomy, VerdictWords words, Function<List<Segment>, int[]> encode) {
        return answer.tokens(taxonomy.hazards(), words, new Answer.Encoder(id, encode));
    }
}
