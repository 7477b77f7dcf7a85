package dev.corral.guardmodels.onnx;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import java.nio.ByteBuffer;
import java.nio.FloatBuffer;
import java.nio.IntBuffer;
import java.nio.LongBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Semaphore;

/**
 * A decoder on ONNX Runtime's CPU provider.
 *
 * <p>One session, several lanes. A lane is a {@link KeyValueCache} that remembers the tokens it has read last; a call
 * takes the idle lane that shares the longest beginning with its own tokens, rewinds it to there and reads on. A template's
 * fixed prefix is pinned: its keys and values are copied into a lane that has other tokens, which is far cheaper than
 * reading it. So a template costs nothing, a conversation's next turn costs its own tokens, a longer answer its new ones,
 * and no state has to be handed around: the tokens are the key.
 *
 * <p>What was cached must not change a verdict. Keys and values of a token depend on the tokens before it only, and the
 * converter's quantised products treat each token's row by itself, so that the results with and without cache differ by
 * float rounding of attention at most.
 *
 * <p>Long inputs are read in steps: activations stay small, and an interrupt is honoured between two steps. Memory of a
 * lane grows in powers of two with the longest input that it saw.
 */
public final class OnnxCausalModel implements CausalModel {

    private static final int STEP_TOKENS = 256;

    /** Has ONNX Runtime multiply 8-bit numbers in the exact, slower way. */
    static final String EXACT_INT8 = "session.x64quantprecision";

    private final OrtEnvironment environment;
    private final OrtSession session;
    private final ModelShape shape;
    private final List<KeyValueCache> idle;
    private final List<KeyValueCache> all;
    private final Semaphore lanes;
    private final List<KeyValueCache.Snapshot> pinned = new CopyOnWriteArrayList<>();
    private final Set<String> outputs;

    private OnnxCausalModel(OrtEnvironment environment, OrtSession session, ModelShape shape, int laneCount)
            throws OrtException {
        this.environment = environment;
        this.session = session;
        this.shape = shape;
        this.outputs = new HashSet<>(Set.of("logits"));
        this.idle = new ArrayList<>();
        for (int i = 0; i < laneCount; i++) {
            idle.add(new KeyValueCache(environment, shape));
        }
        this.all = List.copyOf(idle);
        this.lanes = new Semaphore(laneCount, true);
    }

    /**
     * Loads a model file; its external data, where it has any, lies beside it.
     *
     * @param lanes calls that may run at once
     * @param threads threads that share one call's work
     */
    public static OnnxCausalModel load(Path file, ModelShape shape, int lanes, int threads) {
        return load(
                file.toString(),
                shape,
                lanes,
                threads,
                (environment, options) -> environment.createSession(file.toString(), options));
    }

    /** Loads a model from memory: a direct buffer, which may be dropped afterwards. */
    public static OnnxCausalModel load(ByteBuffer model, ModelShape shape, int lanes, int threads) {
        return load(
                "the built-in model",
                shape,
                lanes,
                threads,
                (environment, options) -> environment.createSession(model, options));
    }

    private interface SessionFactory {
        OrtSession create(OrtEnvironment environment, OrtSession.SessionOptions options) throws OrtException;
    }

    private static OnnxCausalModel load(String name, ModelShape shape, int lanes, int threads, SessionFactory factory) {
        OrtEnvironment environment = OrtEnvironment.getEnvironment();
        try (OrtSession.SessionOptions options = new OrtSession.SessionOptions()) {
            options.setIntraOpNumThreads(threads);
            options.setInterOpNumThreads(1);
            if (Processor.saturates()) {
                options.addConfigEntry(EXACT_INT8, "1");
            }
            OrtSession session = factory.create(environment, options);
            return new OnnxCausalModel(environment, session, shape, lanes);
        } catch (OrtException e) {
            throw new ModelException("ONNX Runtime cannot load " + name + ": " + e.getMessage(), e);
        }
    }

    @Override
    public float[][] logits(int[] tokens, int[] rows) throws InterruptedException {
        if (tokens.length == 0 || tokens.length > shape.contextTokens()) {
            throw new IllegalArgumentException(
                    "a model of %d tokens was given %d".formatted(shape.contextTokens(), tokens.length));
        }
        KeyValueCache lane = take(tokens);
        try {
            startFrom(lane, tokens, rows[0]);
            return read(lane, tokens, rows);
        } catch (OrtException e) {
            lane.rewind(0);
            throw new ModelException("ONNX Runtime failed: " + e.getMessage(), e);
        } finally {
            giveBack(lane);
        }
    }

    @Override
    public void pin(int[] prefixTokens) throws InterruptedException {
        if (pinned.stream()
                .anyMatch(snapshot -> snapshot.length() == prefixTokens.length && snapshot.isPrefixOf(prefixTokens))) {
            return;
        }
        KeyValueCache lane = take(prefixTokens);
        try {
            startFrom(lane, prefixTokens, prefixTokens.length - 1);
            read(lane, prefixTokens, new int[] {prefixTokens.length - 1});
            pinned.add(lane.snapshot(prefixTokens.length));
        } catch (OrtException e) {
            lane.rewind(0);
            throw new ModelException("ONNX Runtime failed: " + e.getMessage(), e);
        } finally {
            giveBack(lane);
        }
    }

    private KeyValueCache take(int[] tokens) throws InterruptedException {
        lanes.acquire();
        synchronized (idle) {
            int best = 0;
            for (int i = 1; i < idle.size(); i++) {
                if (idle.get(i).commonPrefix(tokens) > idle.get(best).commonPrefix(tokens)) {
                    best = i;
                }
            }
            return idle.remove(best);
        }
    }

    private void giveBack(KeyValueCache lane) {
        synchronized (idle) {
            idle.addFirst(lane);
        }
        lanes.release();
    }

    /** Leaves in the lane what {@code tokens} can go on from, which ends before the first wanted row. */
    private void startFrom(KeyValueCache lane, int[] tokens, int firstRow) throws OrtException {
        int common = Math.min(lane.commonPrefix(tokens), firstRow);
        for (KeyValueCache.Snapshot snapshot : pinned) {
            if (snapshot.length() > common && snapshot.isPrefixOf(tokens)) {
                lane.restore(snapshot);
                common = Math.min(snapshot.length(), firstRow);
            }
        }
        lane.rewind(common);
        lane.ensureCapacity(tokens.length);
    }

    private float[][] read(KeyValueCache lane, int[] tokens, int[] rows) throws OrtException, InterruptedException {
        float[][] logits = new float[rows.length][];
        int nextRow = 0;
        while (lane.length() < tokens.length) {
            if (Thread.interrupted()) {
                throw new InterruptedException();
            }
            int from = lane.length();
            int to = Math.min(tokens.length, from + STEP_TOKENS);
            int lastRow = nextRow;
            while (lastRow < rows.length && rows[lastRow] < to) {
                lastRow++;
            }
            int[] wanted = lastRow > nextRow
                    ? Arrays.stream(rows, nextRow, lastRow)
                            .map(row -> row - from)
                            .toArray()
                    : new int[] {to - from - 1};
            float[][] step = run(lane, tokens, from, to, wanted);
            System.arraycopy(step, 0, logits, nextRow, lastRow - nextRow);
            nextRow = lastRow;
            lane.appended(tokens, from, to);
        }
        return logits;
    }

    private float[][] run(KeyValueCache lane, int[] tokens, int from, int to, int[] rows) throws OrtException {
        Map<String, OnnxTensor> inputs = new HashMap<>();
        Map<String, OnnxTensor> present = new HashMap<>();
        for (int layer = 0; layer < shape.layers(); layer++) {
            OnnxTensor key = lane.tensors().get(2 * layer);
            OnnxTensor value = lane.tensors().get(2 * layer + 1);
            inputs.put("past_key_values." + layer + ".key", key);
            inputs.put("past_key_values." + layer + ".value", value);
            present.put("present." + layer + ".key", key);
            present.put("present." + layer + ".value", value);
        }
        try (OnnxTensor ids =
                        longs(Arrays.stream(tokens, from, to).asLongStream().toArray(), 1, to - from);
                OnnxTensor wanted = longs(Arrays.stream(rows).asLongStream().toArray(), rows.length);
                OnnxTensor last =
                        OnnxTensor.createTensor(environment, IntBuffer.wrap(new int[] {to - 1}), new long[] {1});
                OnnxTensor total =
                        OnnxTensor.createTensor(environment, IntBuffer.wrap(new int[] {to}), new long[] {})) {
            inputs.put("input_ids", ids);
            inputs.put("rows", wanted);
            inputs.put("seqlens_k", last);
            inputs.put("total_sequence_length", total);
            try (OrtSession.Result result = session.run(inputs, outputs, present)) {
                FloatBuffer logits = ((OnnxTensor) result.get("logits").orElseThrow()).getFloatBuffer();
                float[][] copies = new float[rows.length][shape.headRows()];
                for (float[] copy : copies) {
                    logits.get(copy);
                }
                return copies;
            }
        }
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
        try {
            session.close();
        } catch (OrtException e) {
            throw new ModelException("ONNX Runtime cannot free a model: " + e.getMessage(), e);
        }
        all.forEach(KeyValueCache::close);
    }
}
