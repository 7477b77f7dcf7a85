package dev.corral.guardmodels.onnx;

/** A model that ONNX Runtime cannot load or run. */
public final class ModelException extends RuntimeException {

    public ModelException(String message, Throwable cause) {
        super(message, cause);
    }
}
