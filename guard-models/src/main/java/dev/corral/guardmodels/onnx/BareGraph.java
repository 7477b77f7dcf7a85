package dev.corral.guardmodels.onnx;

import ai.onnxruntime.NodeInfo;
import ai.onnxruntime.OnnxJavaType;
import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import ai.onnxruntime.TensorInfo;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;

/**
 * A graph without a decoder around it, run on numbers that mean nothing: what it costs is the runtime's and the
 * machine's, so it is what a decoder's time is measured against. Safe for use by many threads.
 */
public final class BareGraph implements AutoCloseable {

    private static final String FOLDER = "session.model_external_initializers_file_folder_path";

    private final OrtEnvironment environment;
    private final OrtSession session;

    private BareGraph(OrtEnvironment environment, OrtSession session) {
        this.environment = environment;
        this.session = session;
    }

    /**
     * What a graph says of one of its values.
     *
     * @param type ONNX Runtime's name of the elements' type, such as {@code FLOAT}
     * @param shape outermost dimension first; -1 for one that is not known
     */
    public record Value(String type, List<Long> shape) {

        public Value {
            shape = List.copyOf(shape);
        }
    }

    /**
     * Loads a graph to be run with the settings of {@link OnnxCausalModel}.
     *
     * @param model its bytes, without external data
     * @param folder where its external data lies
     * @param resources as of a decoder: so many lanes may run it at once
     */
    public static BareGraph load(byte[] model, Path folder, Resources resources) {
        try (OrtSession.SessionOptions options = Sessions.options(resources)) {
            return load(model, folder, options);
        } catch (OrtException e) {
            throw refused(e);
        }
    }

    /** What the runtime infers of a graph's outputs, by name; nothing is prepared for a run. */
    public static Map<String, Value> outputs(byte[] model, Path folder) {
        try (OrtSession.SessionOptions options = new OrtSession.SessionOptions()) {
            options.setOptimizationLevel(OrtSession.SessionOptions.OptLevel.NO_OPT);
            options.addConfigEntry("session.disable_prepacking", "1");
            try (BareGraph graph = load(model, folder, options)) {
                Map<String, Value> outputs = new LinkedHashMap<>();
                for (Map.Entry<String, NodeInfo> output :
                        graph.session.getOutputInfo().entrySet()) {
                    TensorInfo tensor = (TensorInfo) output.getValue().getInfo();
                    outputs.put(
                            output.getKey(),
                            new Value(
                                    tensor.type.name(),
                                    Arrays.stream(tensor.getShape()).boxed().toList()));
                }
                return outputs;
            }
        } catch (OrtException e) {
            throw refused(e);
        }
    }

    private static BareGraph load(byte[] model, Path folder, OrtSession.SessionOptions options) throws OrtException {
        OrtEnvironment environment = QuietRuntime.environment();
        options.addConfigEntry(FOLDER, folder.toAbsolutePath().toString());
        return new BareGraph(environment, environment.createSession(model, options));
    }

    private static ModelException refused(OrtException e) {
        return new ModelException("ONNX Runtime cannot load a graph that was made of a model: " + e.getMessage(), e);
    }

    /** Inputs of some shapes, by name; the same ones every time. */
    public Inputs inputs(Map<String, List<Long>> shapes) {
        Map<String, OnnxTensor> tensors = new LinkedHashMap<>();
        try {
            for (Map.Entry<String, List<Long>> input : shapes.entrySet()) {
                NodeInfo info = session.getInputInfo().get(input.getKey());
                if (info == null) {
                    throw new IllegalArgumentException("the graph has no input " + input.getKey());
                }
                tensors.put(input.getKey(), tensor(((TensorInfo) info.getInfo()).type, input.getValue()));
            }
            return new Inputs(tensors);
        } catch (OrtException e) {
            throw failed(e);
        }
    }

    private OnnxTensor tensor(OnnxJavaType type, List<Long> shape) throws OrtException {
        int elements = Math.toIntExact(shape.stream().reduce(1L, Math::multiplyExact));
        ByteBuffer bytes = ByteBuffer.allocateDirect(Math.multiplyExact(elements, type.size))
                .order(ByteOrder.nativeOrder());
        Random random = new Random(elements);
        for (int i = 0; i < elements; i++) {
            switch (type) {
                case FLOAT -> bytes.putFloat(random.nextFloat() - 0.5f);
                case FLOAT16 -> bytes.putShort(Float.floatToFloat16(random.nextFloat() - 0.5f));
                case INT8, UINT8 -> bytes.put((byte) random.nextInt());
                default -> throw new IllegalArgumentException("no numbers of type " + type + " are made up");
            }
        }
        long[] dimensions = shape.stream().mapToLong(Long::longValue).toArray();
        return OnnxTensor.createTensor(environment, bytes.flip(), dimensions, type);
    }

    /** Runs the graph once; what it gives is dropped. */
    public void run(Inputs inputs) {
        try {
            session.run(inputs.tensors).close();
        } catch (OrtException e) {
            throw failed(e);
        }
    }

    private static ModelException failed(OrtException e) {
        return new ModelException("ONNX Runtime failed: " + e.getMessage(), e);
    }

    @Override
    public void close() {
        try {
            session.close();
        } catch (OrtException e) {
            throw new ModelException("ONNX Runtime cannot free a graph: " + e.getMessage(), e);
        }
    }

    /** What a graph is run on. */
    public static final class Inputs implements AutoCloseable {

        private final Map<String, OnnxTensor> tensors;

        private Inputs(Map<String, OnnxTensor> tensors) {
            this.tensors = tensors;
        }

        @Override
        public void close() {
            tensors.values().forEach(OnnxTensor::close);
        }
    }
}
