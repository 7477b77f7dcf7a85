package dev.corral.guardmodels.onnx;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Keys and values of the tokens that one lane has read: for each layer two buffers (1, kvHeads, capacity, headSize) that
 * the model reads and appends to in place. Tokens beyond {@link #length()} are garbage. Not safe for use by threads.
 */
final class KeyValueCache implements AutoCloseable {

    private static final int FIRST_CAPACITY = 512;
    private static final int ALIGNMENT = 64;

    private final OrtEnvironment environment;
    private final ModelShape shape;
    private int capacity;
    private List<MemorySegment> buffers;
    private List<OnnxTensor> tensors;
    private int[] tokens = new int[0];
    private int length;

    KeyValueCache(OrtEnvironment environment, ModelShape shape) throws OrtException {
        this.environment = environment;
        this.shape = shape;
        this.capacity = Math.min(FIRST_CAPACITY, shape.contextTokens());
        this.buffers = allocate(capacity);
        this.tensors = tensors(buffers, capacity);
    }

    /** Tokens that are held. */
    int length() {
        return length;
    }

    /** How many of the held tokens {@code wanted} begins with. */
    int commonPrefix(int[] wanted) {
        int mismatch = Arrays.mismatch(tokens, 0, length, wanted, 0, wanted.length);
        return mismatch < 0 ? length : mismatch;
    }

    /** Forgets all tokens from this place on. */
    void rewind(int newLength) {
        length = newLength;
    }

    /** Notes that the model has appended these tokens. */
    void appended(int[] source, int from, int to) {
        if (tokens.length < to) {
            tokens = Arrays.copyOf(tokens, capacity);
        }
        System.arraycopy(source, from, tokens, from, to - from);
        length = to;
    }

    /** Makes room for so many tokens, keeping what is held. */
    void ensureCapacity(int needed) throws OrtException {
        if (needed <= capacity) {
            return;
        }
        int larger = Math.min(shape.contextTokens(), Math.max(needed, 2 * capacity));
        List<MemorySegment> largerBuffers = allocate(larger);
        for (int i = 0; i < buffers.size(); i++) {
            copyHeads(buffers.get(i), capacity, largerBuffers.get(i), larger, length);
        }
        List<OnnxTensor> largerTensors = tensors(largerBuffers, larger);
        close();
        buffers = largerBuffers;
        tensors = largerTensors;
        capacity = larger;
    }

    /** Layer's keys at {@code 2 * layer}, its values after them. */
    List<OnnxTensor> tensors() {
        return tensors;
    }

    /** A copy of the first tokens that takes only the room it needs. */
    Snapshot snapshot(int tokenCount) {
        List<MemorySegment> copies = allocate(tokenCount);
        for (int i = 0; i < buffers.size(); i++) {
            copyHeads(buffers.get(i), capacity, copies.get(i), tokenCount, tokenCount);
        }
        return new Snapshot(Arrays.copyOf(tokens, tokenCount), copies);
    }

    /** Replaces everything held by the snapshot's tokens. */
    void restore(Snapshot snapshot) throws OrtException {
        int count = snapshot.tokens.length;
        length = 0;
        ensureCapacity(count);
        for (int i = 0; i < buffers.size(); i++) {
            copyHeads(snapshot.buffers.get(i), count, buffers.get(i), capacity, count);
        }
        appended(snapshot.tokens, 0, count);
    }

    private List<MemorySegment> allocate(int tokenCount) {
        // outside of the heap and of the JVM's limit for direct buffers; freed when the tensors are gone
        Arena owner = Arena.ofAuto();
        List<MemorySegment> segments = new ArrayList<>();
        for (int i = 0; i < 2 * shape.layers(); i++) {
            segments.add(owner.allocate(shape.kvHeads() * headBytes(tokenCount), ALIGNMENT));
        }
        return segments;
    }

    private List<OnnxTensor> tensors(List<MemorySegment> segments, int tokenCount) throws OrtException {
        long[] dimensions = {1, shape.kvHeads(), tokenCount, shape.headSize()};
        List<OnnxTensor> created = new ArrayList<>();
        for (MemorySegment segment : segments) {
            created.add(OnnxTensor.createTensor(
                    environment,
                    segment.asByteBuffer().order(ByteOrder.nativeOrder()).asFloatBuffer(),
                    dimensions));
        }
        return created;
    }

    private void copyHeads(MemorySegment from, int fromCapacity, MemorySegment to, int toCapacity, int tokenCount) {
        for (int head = 0; head < shape.kvHeads(); head++) {
            MemorySegment.copy(
                    from, head * headBytes(fromCapacity), to, head * headBytes(toCapacity), headBytes(tokenCount));
        }
    }

    private long headBytes(int tokenCount) {
        return (long) tokenCount * shape.headSize() * Float.BYTES;
    }

    @Override
    public void close() {
        tensors.forEach(OnnxTensor::close);
    }

    /** Keys and values of a token prefix, to start other caches from. */
    static final class Snapshot {

        private final int[] tokens;
        private final List<MemorySegment> buffers;

        private Snapshot(int[] tokens, List<MemorySegment> buffers) {
            this.tokens = tokens;
            this.buffers = buffers;
        }

        int length() {
            return tokens.length;
        }

        /** Whether {@code wanted} begins with all of its tokens. */
        boolean isPrefixOf(int[] wanted) {
            return wanted.length >= tokens.length && Arrays.equals(tokens, 0, tokens.length, wanted, 0, tokens.length);
        }
    }
}
