package dev.corral.guardmodels.store;

import dev.corral.guardmodels.onnx.ModelShape;
import dev.corral.guardmodels.onnx.VisionShape;
import dev.corral.guardmodels.prompt.Category;
import dev.corral.guardmodels.prompt.GuardFamily;
import dev.corral.policies.assessment.Probability;
import dev.corral.policies.taxonomy.Taxonomy;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * What a guard directory's {@code guard.yaml} says.
 *
 * @param id letters, digits, dots and hyphens
 * @param licence of the weights, for people
 * @param quality one sentence of measured quality, for people
 * @param recommendedThreshold for P(unsafe)
 * @param hazards what the guard was trained to tell apart
 * @param vision how it sees images; empty where it reads text only
 */
public record GuardManifest(
        String id,
        GuardFamily family,
        Precision precision,
        String licence,
        String quality,
        Probability recommendedThreshold,
        Context context,
        Model model,
        HazardCatalogue hazards,
        Verdict verdict,
        Optional<Vision> vision,
        Made made) {

    /** Of a guard that reads text only. */
    public GuardManifest(
            String id,
            GuardFamily family,
            Precision precision,
            String licence,
            String quality,
            Probability recommendedThreshold,
            Context context,
            Model model,
            HazardCatalogue hazards,
            Verdict verdict,
            Made made) {
        this(
                id,
                family,
                precision,
                licence,
                quality,
                recommendedThreshold,
                context,
                model,
                hazards,
                verdict,
                Optional.empty(),
                made);
    }

    /** The version of the format that is read and written here. */
    static final int FORMAT = 1;

    /**
     * What is read at once.
     *
     * @param tokens longest prompt, the verdict's forced tokens included
     * @param overlap tokens that two chunks of a longer text have in common
     */
    public record Context(int tokens, int overlap) {}

    /** The decoder's shape; {@code headRows} are the outputs of its verdict head. */
    public record Model(int layers, int kvHeads, int headSize, int headRows) {}

    /**
     * The encoder of images, in a file of its own, and the decoder's layers that look at what it makes of one; the
     * decoder's other layers are counted by {@link Model}.
     *
     * @param precision of the encoder
     */
    public record Vision(Precision precision, VisionShape shape) {}

    /**
     * Where the verdict is read.
     *
     * @param lead token ids forced after the prompt; safe and unsafe are read after the last of them
     * @param continuation token ids forced after that; the hazards are read after the last of them
     * @param safe row of the head
     * @param unsafe row of the head
     * @param hazards rows of the head by hazard code; those left out are not looked for
     * @param tokens ids of the tokens that the head's rows are of; empty where these have none, or are the vocabulary's
     * @param listing how the answer goes on after its first hazard; empty where the head has no rows for that
     */
    public record Verdict(
            List<Integer> lead,
            List<Integer> continuation,
            int safe,
            int unsafe,
            Map<String, Integer> hazards,
            List<Integer> tokens,
            Optional<Listing> listing) {

        public Verdict {
            tokens = List.copyOf(tokens);
            lead = List.copyOf(lead);
            continuation = List.copyOf(continuation);
            hazards = Collections.unmodifiableMap(new LinkedHashMap<>(hazards));
        }
    }

    /**
     * The rest of an answer that names several hazards.
     *
     * @param names token ids by hazard code: what a code consists of after the continuation, or after {@code another}
     * @param another token ids that stand before each further name
     * @param more row of the head of the first token of {@code another}; read after each name
     * @param end row of the head of the token that ends the answer; read at the same place
     */
    public record Listing(Map<String, List<Integer>> names, List<Integer> another, int more, int end) {

        public Listing {
            Map<String, List<Integer>> copies = new LinkedHashMap<>();
            names.forEach((code, tokens) -> copies.put(code, List.copyOf(tokens)));
            names = Collections.unmodifiableMap(copies);
            another = List.copyOf(another);
        }
    }

    /**
     * How the directory was made.
     *
     * @param original what the model was before, where the files alone do not show it
     * @param source SHA-256 by file name
     */
    public record Made(String tool, String recipe, Optional<String> original, Map<String, String> source) {

        public Made {
            source = Collections.unmodifiableMap(new LinkedHashMap<>(source));
        }
    }

    /**
     * Reads {@code guard.yaml}.
     *
     * @param origin name for messages, such as the file's path
     * @throws UnusableGuardException with all problems at once
     */
    public static GuardManifest parse(String yaml, String origin) {
        return ManifestYaml.parse(yaml, origin);
    }

    /** This manifest as {@code guard.yaml}; {@link #parse} gives an equal one. */
    public String toYaml() {
        return ManifestYaml.write(this);
    }

    /** The hazards that the guard looks for, in the order of its prompt. */
    public Taxonomy taxonomy() {
        return asked().taxonomy();
    }

    /** What the prompt says of each of them. */
    public List<Category> categories() {
        return asked().categories();
    }

    /** The most hazards that the guard can be asked for at once; 0 where its prompt has no list of them. */
    public int places() {
        return family.promptHasCategories() ? verdict.hazards.size() : 0;
    }

    private HazardCatalogue asked() {
        return hazards.only(verdict.hazards.keySet());
    }

    /** What the decoder needs memory for. */
    public ModelShape shape() {
        return new ModelShape(model.layers, model.kvHeads, model.headSize, model.headRows, context.tokens);
    }
}
