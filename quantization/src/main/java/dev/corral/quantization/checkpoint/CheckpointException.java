package dev.corral.quantization.checkpoint;

/** A checkpoint that cannot be read or is not supported; the message says what, where and what to do. */
public final class CheckpointException extends RuntimeException {

    public CheckpointException(String message) {
        super(message);
    }

    public CheckpointException(String message, Throwable cause) {
        super(message, cause);
    }
}
