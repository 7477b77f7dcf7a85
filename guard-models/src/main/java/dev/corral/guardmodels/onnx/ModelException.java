package dev.corral.guardmodels.onnx;

/** A model that cannot be loaded or run. */
public final class ModelException extends RuntimeException {

    public ModelException(String message) {
        super(message);
    }

    public ModelException(String message, Throwable cause) {
        super(message, cause);
    }
}
