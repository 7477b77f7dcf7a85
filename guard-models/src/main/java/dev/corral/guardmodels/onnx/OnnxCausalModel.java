package dev.corral.guardmodels.onnx;

import ai.onnxruntime.NodeInfo;
import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import ai.onnxruntime.TensorInfo;
import java.nio.ByteBuffer;
import java.nio.FloatBuffer;
import java.nio.IntBuffer;
import java.nio.LongBuffer;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * A decoder on ONNX Runtime's CPU provider.
 *
 * <p>One session, whose weights all calls share, and a cache of keys and values for each call at work and for what was
 * read before ({@link KeyValueCaches}). A call goes on from the cache that shares the longest beginning with its tokens.
 * So a template costs nothing, a conversation's next turn costs its own tokens, a longer answer its new ones, and no state
 * has to be handed around: the tokens are the key.
 *
 * <p>What was cached does not change a result, not in its last bit. Keys and values of a token depend on the tokens before
 * it only, and the converter's quantised products treat each token's row by itself. What is left is the order in which
 * floats are added up: ONNX Runtime multiplies a single row in another order than the same row among others. The tiles
 * of its attention are multiples of {@value #TILE} rows, so that a step may leave one row for the last tile; and a
 * difference in the last bit grows to hundredths where it tips a value to be quantised over to the next step. So no step
 * is cut where it leaves one row, and logits are computed for two rows at least.
 *
 * <p>Long inputs are read in steps, so that activations stay small.
 */
public final class OnnxCausalModel implements CausalModel {

    private static final int STEP_TOKENS = 256;
    private static final int TILE = 16;

    private static final Set<String> OUTPUTS = Set.of("logits");

    private final OrtEnvironment environment;
    private final OrtSession session;
    private final ModelShape shape;
    private final KeyValueCaches caches;
    private final List<String> pasts;
    private final List<String> presents;
    private final AtomicLong readTokens = new AtomicLong();

    private OnnxCausalModel(OrtEnvironment environment, OrtSession session, ModelShape shape, Resources resources) {
        this.environment = environment;
        this.session = session;
        this.shape = shape;
        this.caches = new KeyValueCaches(environment, shape, resources.lanes(), resources.cacheBytes());
        this.pasts = names("past_key_values");
        this.presents = names("present");
    }

    private List<String> names(String prefix) {
        return IntStream.range(0, shape.layers())
                .boxed()
                .flatMap(layer -> Stream.of("key", "value").map(which -> prefix + "." + layer + "." + which))
                .toList();
    }

    /**
     * Loads a model file; its external data, where it has any, lies beside it.
     *
     * @throws ModelException if ONNX Runtime refuses it, or it has another shape
     */
    public static OnnxCausalModel load(Path file, ModelShape shape, Resources resources) {
        return load(
                file.toString(),
                shape,
                resources,
                (environment, options) -> environment.createSession(file.toString(), options));
    }

    /** Loads a model from memory: a direct buffer, which may be dropped afterwards. */
    public static OnnxCausalModel load(ByteBuffer model, ModelShape shape, Resources resources) {
        return load(
                "the built-in model",
                shape,
                resources,
                (environment, options) -> environment.createSession(model, options));
    }

    /**
     * Loads a model file that 'corral quantize' made, or one of others in the layout of {@link OptimumCausalModel}.
     *
     * @throws ModelException if ONNX Runtime refuses it, or it has another shape
     */
    public static CausalModel loadAny(Path file, ModelShape shape, Resources resources) {
        return load(
                file.toString(),
                resources,
                (environment, options) -> environment.createSession(file.toString(), options),
                (environment, session) -> session.getInputNames().contains(OptimumCausalModel.MASK)
                        ? OptimumCausalModel.of(file.toString(), environment, session, shape, resources)
                        : of(file.toString(), environment, session, shape, resources));
    }

    private interface SessionFactory {
        OrtSession create(OrtEnvironment environment, OrtSession.SessionOptions options) throws OrtException;
    }

    private interface ModelFactory<M extends CausalModel> {
        M create(OrtEnvironment environment, OrtSession session) throws OrtException;
    }

    private static OnnxCausalModel load(String name, ModelShape shape, Resources resources, SessionFactory factory) {
        return load(
                name, resources, factory, (environment, session) -> of(name, environment, session, shape, resources));
    }

    private static OnnxCausalModel of(
            String name, OrtEnvironment environment, OrtSession session, ModelShape shape, Resources resources)
            throws OrtException {
        requireShape(name, session, shape);
        return new OnnxCausalModel(environment, session, shape, resources);
    }

    private static <M extends CausalModel> M load(
            String name, Resources resources, SessionFactory factory, ModelFactory<M> models) {
        OrtEnvironment environment = QuietRuntime.environment();
        try (OrtSession.SessionOptions options = Sessions.options(resources)) {
            OrtSession session = factory.create(environment, options);
            try {
                return models.create(environment, session);
            } catch (RuntimeException | OrtException e) {
                session.close();
                throw e;
            }
        } catch (OrtException e) {
            throw new ModelException("ONNX Runtime cannot load " + name + ": " + e.getMessage(), e);
        }
    }

    /** Memory is laid out by the shape: with another one than the model's, a run might write anywhere. */
    private static void requireShape(String name, OrtSession session, ModelShape shape) throws OrtException {
        Map<String, NodeInfo> inputs = session.getInputInfo();
        long caches = inputs.keySet().stream()
                .filter(input -> input.startsWith("past_key_values."))
                .count();
        require(name, "layers", shape.layers(), caches / 2);
        long[] keys = dimensions(name, inputs, "past_key_values.0.key");
        require(name, "key and value heads", shape.kvHeads(), keys[1]);
        require(name, "values in a head", shape.headSize(), keys[3]);
        require(name, "outputs", shape.headRows(), dimensions(name, session.getOutputInfo(), "logits")[2]);
    }

    static long[] dimensions(String name, Map<String, NodeInfo> nodes, String node) {
        NodeInfo info = nodes.get(node);
        if (info != null && info.getInfo() instanceof TensorInfo tensor && tensor.getShape().length >= 3) {
            return tensor.getShape();
        }
        throw new ModelException(
                name + " is not a decoder that 'corral quantize' made: it has no tensor '" + node + "'");
    }

    static void require(String name, String what, long wanted, long found) {
        if (wanted != found) {
            throw new ModelException("%s has %d %s, but guard.yaml says %d; convert the guard again"
                    .formatted(name, found, what, wanted));
        }
    }

    @Override
    public float[][] logits(int[] tokens, int[] rows) throws InterruptedException {
        return logits(tokens, rows, Sight.NONE);
    }

    /** The same, for tokens that are read beside what is seen. */
    float[][] logits(int[] tokens, int[] rows, Sight sight) throws InterruptedException {
        if (tokens.length == 0 || tokens.length > shape.contextTokens()) {
            throw new IllegalArgumentException(
                    "a model of %d tokens was given %d".formatted(shape.contextTokens(), tokens.length));
        }
        KeyValueCache cache = caches.take(sight.key(tokens));
        try {
            return read(cache, tokens, rows, sight);
        } finally {
            caches.giveBack(cache);
        }
    }

    @Override
    public void pin(int[] prefixTokens) throws InterruptedException {
        if (caches.isPinned(prefixTokens)) {
            return;
        }
        KeyValueCache cache = caches.take(prefixTokens);
        try {
            read(cache, prefixTokens, new int[] {prefixTokens.length - 1}, Sight.NONE);
            caches.pin(cache, prefixTokens.length);
        } finally {
            caches.giveBack(cache);
        }
    }

    private float[][] read(KeyValueCache cache, int[] tokens, int[] rows, Sight sight) throws InterruptedException {
        int[] key = sight.key(tokens);
        int border = sight.border(tokens);
        cache.rewind(start(Math.min(cache.length(), rows[0]), tokens.length, border));
        float[][] logits = new float[rows.length][];
        int nextRow = 0;
        while (cache.length() < tokens.length) {
            if (Thread.interrupted()) {
                throw new InterruptedException();
            }
            int from = cache.length();
            int to = end(from, from < border ? border : tokens.length);
            int lastRow = nextRow;
            while (lastRow < rows.length && rows[lastRow] < to) {
                lastRow++;
            }
            int[] wanted = lastRow > nextRow
                    ? Arrays.stream(rows, nextRow, lastRow)
                            .map(row -> row - from)
                            .toArray()
                    : new int[] {to - from - 1};
            float[][] step = run(cache, tokens, from, to, wanted, sight.inputs(from, border));
            System.arraycopy(step, 0, logits, nextRow, lastRow - nextRow);
            nextRow = lastRow;
            cache.appended(key, from, to);
            readTokens.addAndGet(to - from);
        }
        return logits;
    }

    /**
     * Where to go on so that no step leaves a tile of one row: one token earlier where that is needed. What comes before
     * the border is read as a whole.
     */
    private static int start(int from, int length, int border) {
        int start = from > 0 && leavesOneRow(length - from) ? from - 1 : from;
        return start < border ? 0 : start;
    }

    private static int end(int from, int length) {
        if (leavesOneRow(length - from) && length - from > TILE) {
            return from + TILE / 2;
        }
        return Math.min(length, from + STEP_TOKENS);
    }

    private static boolean leavesOneRow(int rows) {
        return rows % TILE == 1;
    }

    private float[][] run(KeyValueCache cache, int[] tokens, int from, int to, int[] rows, Map<String, OnnxTensor> seen)
            throws InterruptedException {
        // a product with one row is computed in another way, too
        int[] atLeastTwo = rows.length > 1 ? rows : new int[] {rows[0], rows[0]};
        Map<String, OnnxTensor> inputs = new HashMap<>(seen);
        Map<String, OnnxTensor> present = new HashMap<>();
        for (int i = 0; i < pasts.size(); i++) {
            OnnxTensor tensor = cache.tensors().get(i);
            inputs.put(pasts.get(i), tensor);
            present.put(presents.get(i), tensor);
        }
        try (OnnxTensor ids =
                        longs(Arrays.stream(tokens, from, to).asLongStream().toArray(), 1, to - from);
                OnnxTensor wanted =
                        longs(Arrays.stream(atLeastTwo).asLongStream().toArray(), atLeastTwo.length);
                OnnxTensor last =
                        OnnxTensor.createTensor(environment, IntBuffer.wrap(new int[] {to - 1}), new long[] {1});
                OnnxTensor total =
                        OnnxTensor.createTensor(environment, IntBuffer.wrap(new int[] {to}), new long[] {})) {
            inputs.put("input_ids", ids);
            inputs.put("rows", wanted);
            inputs.put("seqlens_k", last);
            inputs.put("total_sequence_length", total);
            try (OrtSession.Result result = new InterruptibleRun().run(session, inputs, OUTPUTS, present)) {
                FloatBuffer logits = ((OnnxTensor) result.get("logits").orElseThrow()).getFloatBuffer();
                float[][] copies = new float[rows.length][shape.headRows()];
                for (float[] copy : copies) {
                    logits.get(copy);
                }
                return copies;
            }
        } catch (OrtException e) {
            throw new ModelException("ONNX Runtime failed: " + e.getMessage(), e);
        }
    }

    /** Layers that look at an image. */
    long lookingLayers() {
        return session.getInputNames().stream()
                        .filter(input -> input.startsWith("vision."))
                        .count()
                / 2;
    }

    /** Tokens that were read since the model was loaded; those that were found in a cache are not among them. */
    public long readTokens() {
        return readTokens.get();
    }

    private OnnxTensor longs(long[] values, long... dimensions) throws OrtException {
        return OnnxTensor.createTensor(environment, LongBuffer.wrap(values), dimensions);
    }

    @Override
    public int contextTokens() {
        return shape.contextTokens();
    }

    @Override
    public int headRows() {
        return shape.headRows();
    }

    @Override
    public void close() {
        Sessions.close(session);
        caches.close();
    }
}
