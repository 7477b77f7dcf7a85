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
 * Keys and values of the tokens that were read last: for each layer two buffers (1, kvHeads, capacity, headSize) that the
 * model reads and appends to in place. Tokens beyond {@link #length()} are garbage. Not safe for use by threads, but for
 * {@link #bytes()}.
 */
final class KeyValueCache implements AutoCloseable {

    private static final int STEP = 256;
    private static final int ALIGNMENT = 64;

    private final OrtEnvironment environment;
    private final ModelShape shape;
    private volatile int capacity;
    private Memory memory;
    private int[] tokens = new int[0];
    private int length;

    /**
     * An empty cache.
     *
     * @param capacity tokens that it has room for at first
     * @throws ModelException if there is no memory for it
     */
    KeyValueCache(OrtEnvironment environment, ModelShape shape, int capacity) {
        this.environment = environment;
        this.shape = shape;
        this.capacity = capacity;
        this.memory = new Memory(capacity);
    }

    /** Memory for so many tokens of a model, in bytes. */
    static long bytes(ModelShape shape, long tokenCount) {
        return 2L * shape.layers() * shape.kvHeads() * shape.headSize() * Float.BYTES * tokenCount;
    }

    /** Memory that is held, outside of the heap. */
    long bytes() {
        return bytes(shape, capacity);
    }

    /** Tokens that are held. */
    int length() {
        return length;
    }

    /** How many of the held tokens {@code wanted} begins with. */
    int commonPrefix(int[] wanted) {
        return commonPrefix(wanted, wanted.length);
    }

    /** How many tokens both caches begin with. */
    int commonPrefix(KeyValueCache other) {
        return commonPrefix(other.tokens, other.length);
    }

    private int commonPrefix(int[] wanted, int wantedLength) {
        int mismatch = Arrays.mismatch(tokens, 0, length, wanted, 0, wantedLength);
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

    /**
     * Makes room for so many tokens, keeping what is held.
     *
     * @throws ModelException if there is no memory for it; what is held stays
     */
    void ensureCapacity(int needed) {
        if (needed <= capacity) {
            return;
        }
        int larger = Math.min(shape.contextTokens(), Math.max(Math.ceilDiv(needed, STEP) * STEP, capacity * 5 / 4));
        Memory smaller = memory;
        memory = new Memory(larger);
        memory.copy(smaller, 0, length);
        capacity = larger;
        smaller.close();
    }

    /** Layer's keys at {@code 2 * layer}, its values after them. */
    List<OnnxTensor> tensors() {
        return memory.tensors;
    }

    /** Holds the first tokens of another cache, and nothing else. */
    void startFrom(KeyValueCache other, int tokenCount) {
        int common = Math.min(commonPrefix(other), tokenCount);
        length = common;
        ensureCapacity(tokenCount);
        memory.copy(other.memory, common, tokenCount);
        appended(other.tokens, common, tokenCount);
    }

    @Override
    public void close() {
        memory.close();
    }

    /** Buffers, outside of the heap and of the JVM's limit for direct buffers, and the tensors that lie in them. */
    private final class Memory implements AutoCloseable {

        private final Arena arena = Arena.ofShared();
        private final int tokenCount;
        private final List<MemorySegment> buffers = new ArrayList<>();
        private final List<OnnxTensor> tensors = new ArrayList<>();

        Memory(int tokenCount) {
            this.tokenCount = tokenCount;
            long[] dimensions = {1, shape.kvHeads(), tokenCount, shape.headSize()};
            try {
                for (int i = 0; i < 2 * shape.layers(); i++) {
                    MemorySegment buffer = arena.allocate(shape.kvHeads() * headBytes(tokenCount), ALIGNMENT);
                    buffers.add(buffer);
                    tensors.add(OnnxTensor.createTensor(
                            environment,
                            buffer.asByteBuffer().order(ByteOrder.nativeOrder()).asFloatBuffer(),
                            dimensions));
                }
            } catch (OutOfMemoryError | OrtException e) {
                close();
                throw new ModelException(
                        "there is no memory for the keys and values of %d tokens, which take %d MB"
                                .formatted(tokenCount, bytes(shape, tokenCount) >> 20),
                        e);
            }
        }

        void copy(Memory from, int firstToken, int endToken) {
            for (int i = 0; i < buffers.size(); i++) {
                for (int head = 0; head < shape.kvHeads(); head++) {
                    MemorySegment.copy(
                            from.buffers.get(i),
                            head * headBytes(from.tokenCount) + headBytes(firstToken),
                            buffers.get(i),
                            head * headBytes(tokenCount) + headBytes(firstToken),
                            headBytes(endToken - firstToken));
                }
            }
        }

        private long headBytes(int count) {
            return (long) count * shape.headSize() * Float.BYTES;
        }

        @Override
        public void close() {
            tensors.forEach(OnnxTensor::close);
            arena.close();
        }
    }
}
