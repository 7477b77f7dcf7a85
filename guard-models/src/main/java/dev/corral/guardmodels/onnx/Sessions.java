package dev.corral.guardmodels.onnx;

import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtProvider;
import ai.onnxruntime.OrtSession;

/** How all models run. */
final class Sessions {

    /** Has ONNX Runtime multiply 8-bit numbers in the exact, slower way. */
    private static final String EXACT_INT8 = "session.x64quantprecision";

    private static final String ADVICE =
            "; start Corral with './corral run --gpu' on a machine with an NVIDIA GPU, CUDA 12 and cuDNN 9, or set"
                    + " corral.guard.provider to cpu";

    private Sessions() {}

    /**
     * The settings of a session; to be closed.
     *
     * @throws ModelException if the provider is not there
     */
    static OrtSession.SessionOptions options(Resources resources) throws OrtException {
        requireProvider(resources.provider());
        OrtSession.SessionOptions options = new OrtSession.SessionOptions();
        try {
            options.setIntraOpNumThreads(resources.poolThreads());
            options.setInterOpNumThreads(1);
            if (Processor.saturates()) {
                options.addConfigEntry(EXACT_INT8, "1");
            }
            if (resources.provider() == Provider.CUDA) {
                options.addCUDA();
            }
            return options;
        } catch (OrtException e) {
            options.close();
            if (resources.provider() == Provider.CUDA) {
                throw new ModelException("ONNX Runtime cannot use CUDA: " + e.getMessage() + ADVICE, e);
            }
            throw e;
        }
    }

    /**
     * Frees a model.
     *
     * @throws ModelException if it cannot be freed
     */
    static void close(OrtSession session) {
        try {
            session.close();
        } catch (OrtException e) {
            throw new ModelException("ONNX Runtime cannot free a model: " + e.getMessage(), e);
        }
    }

    private static void requireProvider(Provider provider) {
        QuietRuntime.environment();
        if (provider == Provider.CUDA && !OrtEnvironment.getAvailableProviders().contains(OrtProvider.CUDA)) {
            throw new ModelException("this build of ONNX Runtime has no CUDA" + ADVICE);
        }
    }
}
