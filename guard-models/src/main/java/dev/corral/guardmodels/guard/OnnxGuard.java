package dev.corral.guardmodels.guard;

import dev.corral.guardmodels.onnx.CausalModel;
import dev.corral.guardmodels.onnx.ModelShape;
import dev.corral.guardmodels.onnx.OnnxCausalModel;
import dev.corral.guardmodels.onnx.Resources;
import dev.corral.guardmodels.store.GuardDirectory;
import dev.corral.guardmodels.store.ModelSource;

/** The guard of this machine: ONNX Runtime on its CPU. */
public final class OnnxGuard {

    private OnnxGuard() {}

    /**
     * Loads a guard.
     *
     * @throws dev.corral.guardmodels.store.UnusableGuardException if the files do not make a guard
     * @throws dev.corral.guardmodels.onnx.ModelException if ONNX Runtime refuses the model, or it is not what {@code guard.yaml} says
     */
    public static Guard load(GuardDirectory directory, Resources resources) {
        ModelShape shape = directory.manifest().shape();
        CausalModel model = switch (directory.model()) {
            case ModelSource.InFile source -> OnnxCausalModel.loadAny(source.file(), shape, resources);
            case ModelSource.InMemory source -> OnnxCausalModel.load(source.bytes(), shape, resources);
        };
        try {
            return TextGuard.of(directory, model);
        } catch (RuntimeException e) {
            model.close();
            throw e;
        }
    }
}
