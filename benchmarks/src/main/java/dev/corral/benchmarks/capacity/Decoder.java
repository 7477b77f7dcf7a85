package dev.corral.benchmarks.capacity;

import dev.corral.guardmodels.onnx.OnnxCausalModel;
import dev.corral.guardmodels.onnx.Resources;
import dev.corral.guardmodels.store.GuardDirectory;
import dev.corral.guardmodels.store.GuardManifest;
import dev.corral.guardmodels.store.ModelSource;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Random;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * A guard's decoder, asked for verdicts on token ids at random: what tokens mean costs nothing, how many there are does.
 * Two prefixes are cached, as a guard caches its template's beginning for each role.
 */
final class Decoder implements AutoCloseable {

    /** As long as the template of Llama Guard 3. */
    static final int PREFIX_TOKENS = 200;

    /** Logits are wanted after the forced lead, and after the forced continuation. */
    static final int ROWS = 2;

    private final OnnxCausalModel model;
    private final Random random = new Random(1);
    private final int vocabulary;
    private final int continuation;
    private final int[] userPrefix;
    private final int[] agentPrefix;

    private Decoder(OnnxCausalModel model, GuardManifest.Verdict verdict) throws InterruptedException {
        this.model = model;
        // ids that the guard uses itself are in its vocabulary
        this.vocabulary = 1
                + Stream.concat(verdict.lead().stream(), verdict.continuation().stream())
                        .mapToInt(Integer::intValue)
                        .max()
                        .orElseThrow();
        this.continuation = verdict.continuation().size();
        this.userPrefix = tokens(PREFIX_TOKENS);
        this.agentPrefix = tokens(PREFIX_TOKENS);
        model.pin(userPrefix);
        model.pin(agentPrefix);
    }

    /**
     * Loads a guard's decoder.
     *
     * @throws IOException for the guard that is built in: it is no file
     */
    static Decoder load(GuardDirectory guard, Resources resources) throws IOException, InterruptedException {
        OnnxCausalModel model =
                OnnxCausalModel.load(file(guard), guard.manifest().shape(), resources);
        try {
            return new Decoder(model, guard.manifest().verdict());
        } catch (RuntimeException | InterruptedException e) {
            model.close();
            throw e;
        }
    }

    /** The model file of a guard that is a directory. */
    static Path file(GuardDirectory guard) throws IOException {
        return switch (guard.model()) {
            case ModelSource.InFile source -> source.file();
            case ModelSource.InMemory _ -> throw new IOException("this bench needs a guard directory");
        };
    }

    int[] userPrefix() {
        return userPrefix;
    }

    int[] agentPrefix() {
        return agentPrefix;
    }

    int contextTokens() {
        return model.contextTokens();
    }

    /** So many tokens that were never seen. */
    int[] tokens(int count) {
        synchronized (random) {
            return random.ints(count, 0, vocabulary).toArray();
        }
    }

    /** The verdict on what the parts make together. */
    void judge(int[]... parts) throws InterruptedException {
        int[] tokens = join(parts);
        model.logits(tokens, new int[] {tokens.length - 1 - continuation, tokens.length - 1});
    }

    static int[] join(int[]... parts) {
        return Stream.of(parts).flatMapToInt(IntStream::of).toArray();
    }

    @Override
    public void close() {
        model.close();
    }
}
