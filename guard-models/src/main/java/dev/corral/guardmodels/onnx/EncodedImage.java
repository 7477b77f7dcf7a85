package dev.corral.guardmodels.onnx;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import java.util.HashMap;
import java.util.Map;

/**
 * Keys and values of an image for the layers that look at it: outside of the heap, (1, tokens, width) each, those of tiles
 * that the image has first. Freed when nobody uses it any more.
 */
final class EncodedImage {

    private static final int ALIGNMENT = 64;

    private final Arena arena = Arena.ofShared();
    private final Map<String, OnnxTensor> whole = new HashMap<>();
    private final Map<String, OnnxTensor> present = new HashMap<>();
    private final long bytes;
    private int users = 1;

    /**
     * Room for an image, which the caller uses.
     *
     * @param width of a token's keys in a layer
     * @param tiles that the image has
     * @throws ModelException if there is no memory for it
     */
    EncodedImage(OrtEnvironment environment, VisionShape shape, int width, int tiles) {
        this.bytes = 2L * shape.layers() * shape.imageTokens() * width * Float.BYTES;
        try {
            for (int layer = 0; layer < shape.layers(); layer++) {
                for (String which : new String[] {"key", "value"}) {
                    String name = name(layer, which);
                    MemorySegment all = arena.allocate((long) shape.imageTokens() * width * Float.BYTES, ALIGNMENT);
                    long seen = (long) tiles * shape.tileTokens();
                    whole.put(name, tensor(environment, all, shape.imageTokens(), width));
                    present.put(name, tensor(environment, all.asSlice(0, seen * width * Float.BYTES), seen, width));
                }
            }
        } catch (OutOfMemoryError | OrtException e) {
            free();
            throw new ModelException(
                    "there is no memory for an image's keys and values, which take %d MB".formatted(bytes >> 20), e);
        }
    }

    /** The input of the decoder, and output of the encoder, with a layer's keys or values. */
    static String name(int layer, String which) {
        return "vision." + layer + "." + which;
    }

    private static OnnxTensor tensor(OrtEnvironment environment, MemorySegment memory, long tokens, int width)
            throws OrtException {
        return OnnxTensor.createTensor(
                environment,
                memory.asByteBuffer().order(ByteOrder.nativeOrder()).asFloatBuffer(),
                new long[] {1, tokens, width});
    }

    /** Those of all tiles. */
    Map<String, OnnxTensor> whole() {
        return whole;
    }

    /** Those of the tiles that the image has, in the same memory. */
    Map<String, OnnxTensor> present() {
        return present;
    }

    /** Memory that is held, outside of the heap. */
    long bytes() {
        return bytes;
    }

    /** Keeps it from being freed, unless it is free already. */
    synchronized boolean use() {
        if (users == 0) {
            return false;
        }
        users++;
        return true;
    }

    /** Ends a use; the last one frees it. */
    synchronized void release() {
        users--;
        if (users == 0) {
            free();
        }
    }

    private void free() {
        whole.values().forEach(OnnxTensor::close);
        present.values().forEach(OnnxTensor::close);
        arena.close();
    }
}
