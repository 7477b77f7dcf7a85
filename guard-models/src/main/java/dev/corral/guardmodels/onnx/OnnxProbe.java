package dev.corral.guardmodels.onnx;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import java.nio.Buffer;
import java.nio.FloatBuffer;
import java.nio.IntBuffer;
import java.nio.LongBuffer;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Runs any graph and tells the values asked for, to look into a model; for verdicts there is {@link OnnxCausalModel}.
 *
 * <p>Weights are used where the file is mapped and never packed anew, so that a model larger than the memory can be run:
 * it is slow, and takes only what the system can give back.
 */
public final class OnnxProbe implements AutoCloseable {

    private final OrtEnvironment environment;
    private final OrtSession session;

    private OnnxProbe(OrtEnvironment environment, OrtSession session) {
        this.environment = environment;
        this.session = session;
    }

    /**
     * Numbers that a graph is given.
     *
     * @param values of the type that the graph wants
     * @param shape outermost dimension first; empty for a single number
     */
    public record Input(Buffer values, List<Long> shape) {

        public Input {
            shape = List.copyOf(shape);
        }

        public static Input longs(long[] values, long... shape) {
            return new Input(LongBuffer.wrap(values), dimensions(shape));
        }

        public static Input ints(int[] values, long... shape) {
            return new Input(IntBuffer.wrap(values), dimensions(shape));
        }

        public static Input floats(float[] values, long... shape) {
            return new Input(FloatBuffer.wrap(values), dimensions(shape));
        }

        private static List<Long> dimensions(long... shape) {
            return Arrays.stream(shape).boxed().toList();
        }
    }

    /** Loads a model whose constants lie in a file beside it. */
    public static OnnxProbe load(Path file, int threads) {
        OrtEnvironment environment = QuietRuntime.environment();
        try (OrtSession.SessionOptions options = new OrtSession.SessionOptions()) {
            options.setIntraOpNumThreads(threads);
            options.setInterOpNumThreads(1);
            options.addConfigEntry("session.disable_prepacking", "1");
            return new OnnxProbe(environment, environment.createSession(file.toString(), options));
        } catch (OrtException e) {
            throw new ModelException("ONNX Runtime cannot load " + file + ": " + e.getMessage(), e);
        }
    }

    /** Runs the graph once; gives the float values of the outputs named, in their order in memory. */
    public Map<String, float[]> run(Map<String, Input> inputs, Set<String> outputs) {
        Map<String, OnnxTensor> tensors = new HashMap<>();
        try {
            for (Map.Entry<String, Input> input : inputs.entrySet()) {
                tensors.put(input.getKey(), tensor(input.getValue()));
            }
            try (OrtSession.Result result = session.run(tensors, outputs)) {
                Map<String, float[]> values = new HashMap<>();
                for (String output : outputs) {
                    FloatBuffer buffer = ((OnnxTensor) result.get(output).orElseThrow()).getFloatBuffer();
                    float[] copy = new float[buffer.remaining()];
                    buffer.get(copy);
                    values.put(output, copy);
                }
                return values;
            }
        } catch (OrtException e) {
            throw new ModelException("ONNX Runtime failed: " + e.getMessage(), e);
        } finally {
            tensors.values().forEach(OnnxTensor::close);
        }
    }

    private OnnxTensor tensor(Input input) throws OrtException {
        long[] shape = input.shape().stream().mapToLong(dimension -> dimension).toArray();
        return switch (input.values()) {
            case LongBuffer longs -> OnnxTensor.createTensor(environment, longs, shape);
            case IntBuffer ints -> OnnxTensor.createTensor(environment, ints, shape);
            case FloatBuffer floats -> OnnxTensor.createTensor(environment, floats, shape);
            default ->
                throw new IllegalArgumentException("a graph takes longs, ints and floats, not a "
                        + input.values().getClass().getSimpleName());
        };
    }

    @Override
    public void close() {
        Sessions.close(session);
    }
}
