package dev.corral.guardmodels.onnx;

/** Tells what comes after tokens. Safe for use by many threads. */
public interface Decoder {

    /**
     * Reads tokens and tells what the model expects after some of them.
     *
     * @param tokens token ids, at least one and at most as many as the model's context
     * @param rows ascending indices into {@code tokens}, at least one
     * @return for each row the logits of the head's rows
     * @throws InterruptedException if the thread is interrupted; the work ends within some milliseconds
     */
    float[][] logits(int[] tokens, int[] rows) throws InterruptedException;
}
