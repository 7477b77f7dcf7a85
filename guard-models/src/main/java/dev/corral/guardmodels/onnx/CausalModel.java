package dev.corral.guardmodels.onnx;

/**
 * A decoder that reads tokens from left to right. Safe for use by many threads. What it has read it remembers, so that
 * tokens which begin like earlier ones cost only what is new.
 */
public interface CausalModel extends AutoCloseable {

    /**
     * Reads tokens and tells what the model expects after some of them.
     *
     * @param tokens 1 to {@link #contextTokens()} token ids
     * @param rows ascending indices into {@code tokens}, at least one
     * @return for each row the logits of the head's {@link #headRows()} rows
     * @throws InterruptedException if the thread is interrupted; the work ends within some milliseconds
     */
    float[][] logits(int[] tokens, int[] rows) throws InterruptedException;

    /** Reads a prefix that many later calls begin with, and keeps it for as long as the model lives. */
    void pin(int[] prefixTokens) throws InterruptedException;

    /** The most tokens of one call. */
    int contextTokens();

    /** Outputs of the head. */
    int headRows();

    @Override
    void close();
}
