package dev.corral.guardmodels.onnx;

import ai.onnxruntime.NodeInfo;
import ai.onnxruntime.OnnxJavaType;
import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import ai.onnxruntime.TensorInfo;
import java.nio.ByteBuffer;
import java.nio.FloatBuffer;
import java.nio.LongBuffer;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Semaphore;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import java.util.stream.Stream;

/**
 * A decoder as Hugging Face's Optimum, and everybody at onnx-community, exports it
 * ({@code huggingface/optimum-onnx:optimum/exporters/onnx/model_configs.py}): inputs {@code input_ids} (1, n),
 * {@code attention_mask} (1, past + n), mostly {@code position_ids} (1, n) and {@code past_key_values.L.key|value}
 * (1, kvHeads, past, headSize); outputs {@code logits} (1, n, vocabulary) and {@code present.L.key|value}, longer by n.
 *
 * <p>It is run as it is. Its rows are token ids, and all of them are computed for every token: so texts are read in steps,
 * and of each step only the wanted rows are kept. What is pinned is kept; other texts are read anew, from the longest
 * pinned beginning on. Whether a beginning that was read before changes the last bits is up to the model.
 */
final class OptimumCausalModel implements CausalModel {

    /** The input that tells this layout from that of {@link OnnxCausalModel}. */
    static final String MASK = "attention_mask";

    private static final String IDS = "input_ids";
    private static final String POSITIONS = "position_ids";
    private static final String CACHED = "use_cache_branch";
    private static final String KEPT = "num_logits_to_keep";
    private static final Set<String> KNOWN = Set.of(IDS, MASK, POSITIONS, CACHED, KEPT);
    private static final String PAST = "past_key_values.";
    private static final String PRESENT = "present.";
    private static final String LOGITS = "logits";

    /** A verdict is read at two places, and a conversation in steps. */
    private static final String LAST_ONLY =
            "%s gives the logits of the last token only, but a verdict is read at several: export the model with the logits"
                    + " of all tokens, or make a guard of its weights with 'corral quantize'";

    private static final int STEP_TOKENS = 256;

    private final String name;
    private final OrtEnvironment environment;
    private final OrtSession session;
    private final ModelShape shape;
    private final OnnxJavaType cacheType;
    private final Semaphore lanes;
    private final Set<String> outputs;
    private final List<Pinned> pinned = new CopyOnWriteArrayList<>();

    /** What was read of a beginning: the result holds its keys and values. */
    private record Pinned(List<Integer> tokens, OrtSession.Result result) {}

    private OptimumCausalModel(
            String name,
            OrtEnvironment environment,
            OrtSession session,
            ModelShape shape,
            OnnxJavaType cacheType,
            Resources resources) {
        this.name = name;
        this.environment = environment;
        this.session = session;
        this.shape = shape;
        this.cacheType = cacheType;
        this.lanes = new Semaphore(resources.lanes());
        this.outputs = new HashSet<>(caches(PRESENT).toList());
        this.outputs.add(LOGITS);
    }

    /**
     * A model of a session, which it closes.
     *
     * @throws ModelException if it is not what {@code guard.yaml} says, or no verdict can be read of it
     */
    static OptimumCausalModel of(
            String name, OrtEnvironment environment, OrtSession session, ModelShape shape, Resources resources)
            throws OrtException {
        Map<String, NodeInfo> inputs = session.getInputInfo();
        long caches =
                inputs.keySet().stream().filter(input -> input.startsWith(PAST)).count();
        require(name, "layers", shape.layers(), caches / 2);
        for (String input : inputs.keySet()) {
            if (!input.startsWith(PAST) && !KNOWN.contains(input)) {
                throw new ModelException(
                        "%s has the input '%s', which Corral does not know: make a guard of the model's weights with 'corral quantize'"
                                .formatted(name, input));
            }
        }
        TensorInfo keys = tensor(name, inputs, PAST + "0.key", 4);
        require(name, "key and value heads", shape.kvHeads(), keys.getShape()[1]);
        require(name, "values in a head", shape.headSize(), keys.getShape()[3]);
        TensorInfo logits = tensor(name, session.getOutputInfo(), LOGITS, 3);
        require(name, "outputs", shape.headRows(), logits.getShape()[2]);
        if (logits.getShape()[1] == 1) {
            throw new ModelException(LAST_ONLY.formatted(name));
        }
        OptimumCausalModel model = new OptimumCausalModel(name, environment, session, shape, keys.type, resources);
        if (!session.getOutputNames().containsAll(model.outputs)) {
            throw new ModelException(
                    "%s has no outputs %s0.key and so on: export the model with its past".formatted(name, PRESENT));
        }
        return model;
    }

    private static TensorInfo tensor(String name, Map<String, NodeInfo> nodes, String node, int rank) {
        NodeInfo info = nodes.get(node);
        if (info != null && info.getInfo() instanceof TensorInfo tensor && tensor.getShape().length == rank) {
            return tensor;
        }
        throw new ModelException(
                "%s has no tensor '%s' of %d dimensions: it is not a decoder with its past, as Optimum exports it"
                        .formatted(name, node, rank));
    }

    /** A dimension that is not known is below zero. */
    private static void require(String name, String what, long wanted, long found) {
        if (found >= 0 && wanted != found) {
            throw new ModelException(
                    "%s has %d %s, but guard.yaml says %d; correct it".formatted(name, found, what, wanted));
        }
    }

    private Stream<String> caches(String prefix) {
        return IntStream.range(0, shape.layers())
                .boxed()
                .flatMap(layer -> Stream.of(".key", ".value").map(which -> prefix + layer + which));
    }

    @Override
    public float[][] logits(int[] tokens, int[] rows) throws InterruptedException {
        if (tokens.length == 0 || tokens.length > shape.contextTokens()) {
            throw new IllegalArgumentException(
                    "a model of %d tokens was given %d".formatted(shape.contextTokens(), tokens.length));
        }
        lanes.acquire();
        try {
            float[][] logits = new float[rows.length][shape.headRows()];
            Optional<Pinned> start = start(tokens, rows[0]);
            Optional<OrtSession.Result> past = start.map(Pinned::result);
            int from = start.map(Pinned::tokens).map(List::size).orElse(0);
            try {
                while (from < tokens.length) {
                    int to = Math.min(tokens.length, from + STEP_TOKENS);
                    OrtSession.Result result = run(tokens, from, to, past);
                    closeUnlessPinned(past);
                    past = Optional.of(result);
                    copy(result, from, to, rows, logits);
                    from = to;
                }
            } finally {
                closeUnlessPinned(past);
            }
            return logits;
        } catch (OrtException e) {
            throw new ModelException("ONNX Runtime failed: " + e.getMessage(), e);
        } finally {
            lanes.release();
        }
    }

    /** The longest pinned beginning that leaves the first wanted row to be read. */
    private Optional<Pinned> start(int[] tokens, int firstRow) {
        return pinned.stream()
                .filter(prefix -> prefix.tokens.size() <= firstRow && beginsWith(tokens, prefix.tokens))
                .max((a, b) -> Integer.compare(a.tokens.size(), b.tokens.size()));
    }

    private static boolean beginsWith(int[] tokens, List<Integer> prefix) {
        return prefix.size() <= tokens.length
                && IntStream.range(0, prefix.size()).allMatch(i -> tokens[i] == prefix.get(i));
    }

    private void closeUnlessPinned(Optional<OrtSession.Result> past) {
        past.filter(result -> pinned.stream().noneMatch(prefix -> prefix.result.equals(result)))
                .ifPresent(OrtSession.Result::close);
    }

    private void copy(OrtSession.Result result, int from, int to, int[] rows, float[][] logits) throws OrtException {
        OnnxTensor all = (OnnxTensor) result.get(LOGITS).orElseThrow();
        long[] given = all.getInfo().getShape();
        if (given[1] != to - from) {
            throw new ModelException(LAST_ONLY.formatted(name));
        }
        if (Arrays.stream(rows).noneMatch(row -> row >= from && row < to)) {
            return;
        }
        FloatBuffer values = all.getFloatBuffer();
        for (int i = 0; i < rows.length; i++) {
            if (rows[i] >= from && rows[i] < to) {
                values.get((rows[i] - from) * shape.headRows(), logits[i]);
            }
        }
    }

    private OrtSession.Result run(int[] tokens, int from, int to, Optional<OrtSession.Result> past)
            throws OrtException, InterruptedException {
        Map<String, OnnxTensor> made = new HashMap<>();
        try {
            Map<String, OnnxTensor> inputs = new HashMap<>();
            Set<String> wanted = session.getInputNames();
            made.put(IDS, longs(Arrays.stream(tokens, from, to).asLongStream(), 1, to - from));
            made.put(MASK, longs(LongStream.range(0, to).map(_ -> 1), 1, to));
            if (wanted.contains(POSITIONS)) {
                made.put(POSITIONS, longs(LongStream.range(from, to), 1, to - from));
            }
            if (wanted.contains(KEPT)) {
                made.put(KEPT, OnnxTensor.createTensor(environment, LongBuffer.wrap(new long[] {0}), new long[] {}));
            }
            if (wanted.contains(CACHED)) {
                made.put(CACHED, OnnxTensor.createTensor(environment, new boolean[] {from > 0}));
            }
            inputs.putAll(made);
            List<String> pasts = caches(PAST).toList();
            List<String> presents = caches(PRESENT).toList();
            for (int i = 0; i < pasts.size(); i++) {
                if (past.isPresent()) {
                    inputs.put(pasts.get(i), (OnnxTensor)
                            past.get().get(presents.get(i)).orElseThrow());
                } else {
                    made.put(pasts.get(i), nothing());
                    inputs.put(pasts.get(i), made.get(pasts.get(i)));
                }
            }
            return new InterruptibleRun().run(session, inputs, outputs, Map.of());
        } finally {
            made.values().forEach(OnnxTensor::close);
        }
    }

    private OnnxTensor nothing() throws OrtException {
        return OnnxTensor.createTensor(
                environment,
                ByteBuffer.allocateDirect(0),
                new long[] {1, shape.kvHeads(), 0, shape.headSize()},
                cacheType);
    }

    private OnnxTensor longs(LongStream values, long... dimensions) throws OrtException {
        return OnnxTensor.createTensor(environment, LongBuffer.wrap(values.toArray()), dimensions);
    }

    @Override
    public void pin(int[] prefixTokens) throws InterruptedException {
        List<Integer> tokens = Arrays.stream(prefixTokens).boxed().toList();
        if (tokens.isEmpty() || pinned.stream().anyMatch(prefix -> prefix.tokens.equals(tokens))) {
            return;
        }
        lanes.acquire();
        try {
            pinned.add(new Pinned(tokens, run(prefixTokens, 0, prefixTokens.length, Optional.empty())));
        } catch (OrtException e) {
            throw new ModelException("ONNX Runtime failed: " + e.getMessage(), e);
        } finally {
            lanes.release();
        }
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
        pinned.forEach(prefix -> prefix.result.close());
        Sessions.close(session);
    }
}
