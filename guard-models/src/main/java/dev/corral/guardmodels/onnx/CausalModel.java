package dev.corral.guardmodels.onnx;

/**
 * A decoder that reads tokens from left to right. Safe for use by many threads. What it has read it remembers, so that
 * tokens which begin like earlier ones cost only what is new.
 */
public interface CausalModel extends Decoder, AutoCloseable {

    /** Reads a prefix that many later calls begin with, and keeps it for as long as the model lives. */
    void pin(int[] prefixTokens) throws InterruptedException;

    /** The most tokens of one call. */
    int contextTokens();

    /** Outputs of the head. */
    int headRows();

    @Override
    void close();
}
