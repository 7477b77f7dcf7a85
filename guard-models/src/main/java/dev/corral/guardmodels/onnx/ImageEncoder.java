package dev.corral.guardmodels.onnx;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import dev.corral.guardmodels.image.PreprocessedImage;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.LongBuffer;
import java.nio.file.Path;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.atomic.AtomicLong;

/** Looks at images, one at a time: its activations take most of a gigabyte, and are given back after each. */
final class ImageEncoder implements AutoCloseable {

    private final OrtEnvironment environment;
    private final OrtSession session;
    private final VisionShape shape;
    private final int width;
    private final AtomicLong encoded = new AtomicLong();

    private ImageEncoder(OrtEnvironment environment, OrtSession session, VisionShape shape, int width) {
        this.environment = environment;
        this.session = session;
        this.shape = shape;
        this.width = width;
    }

    /**
     * Loads an encoder.
     *
     * @param width of a token's keys in one of the decoder's layers
     * @throws ModelException if ONNX Runtime refuses it, or it has another shape
     */
    static ImageEncoder load(Path file, VisionShape shape, int width, Resources resources) {
        OrtEnvironment environment = QuietRuntime.environment();
        try (OrtSession.SessionOptions options = Sessions.options(resources)) {
            options.setCPUArenaAllocator(false);
            options.setMemoryPatternOptimization(false);
            OrtSession session = environment.createSession(file.toString(), options);
            ImageEncoder encoder = new ImageEncoder(environment, session, shape, width);
            try {
                encoder.requireShape(file.toString());
            } catch (RuntimeException e) {
                session.close();
                throw e;
            }
            return encoder;
        } catch (OrtException e) {
            throw new ModelException("ONNX Runtime cannot load " + file + ": " + e.getMessage(), e);
        }
    }

    /** Memory is laid out by the shape: with another one than the model's, a run might write anywhere. */
    private void requireShape(String name) throws OrtException {
        long[] pixels = OnnxCausalModel.dimensions(name, session.getInputInfo(), "pixel_values");
        OnnxCausalModel.require(name, "tiles", shape.tiles(), pixels[0]);
        OnnxCausalModel.require(name, "pixels in a tile's row", shape.tileSize(), pixels[3]);
        OnnxCausalModel.require(name, "outputs", 2L * shape.layers(), session.getNumOutputs());
        long[] keys = OnnxCausalModel.dimensions(name, session.getOutputInfo(), EncodedImage.name(0, "key"));
        OnnxCausalModel.require(name, "tokens", shape.imageTokens(), keys[1]);
        OnnxCausalModel.require(name, "values in a token's keys", width, keys[2]);
    }

    /**
     * Looks at an image.
     *
     * @throws IllegalArgumentException if it was not prepared for this encoder
     */
    EncodedImage encode(PreprocessedImage image) throws InterruptedException {
        int tiles = image.tiling().tiles();
        if (tiles > shape.tiles() || image.pixels().length != tiles * (shape.pixels() / shape.tiles())) {
            throw new IllegalArgumentException(
                    "an image of %d tiles and %d values does not fit an encoder of %d tiles of %d"
                            .formatted(tiles, image.pixels().length, shape.tiles(), shape.pixels() / shape.tiles()));
        }
        EncodedImage result = new EncodedImage(environment, shape, width, tiles);
        boolean done = false;
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment pixels = arena.allocate((long) shape.pixels() * Float.BYTES, Long.BYTES);
            MemorySegment.copy(image.pixels(), 0, pixels, ValueLayout.JAVA_FLOAT, 0, image.pixels().length);
            run(pixels, image, result);
            encoded.incrementAndGet();
            done = true;
            return result;
        } finally {
            if (!done) {
                result.release();
            }
        }
    }

    private void run(MemorySegment pixels, PreprocessedImage image, EncodedImage result) throws InterruptedException {
        long size = shape.tileSize();
        try (OnnxTensor values = OnnxTensor.createTensor(
                        environment,
                        pixels.asByteBuffer().order(ByteOrder.nativeOrder()).asFloatBuffer(),
                        new long[] {shape.tiles(), 3, size, size});
                OnnxTensor arrangement = number(image.tiling().aspectRatioId());
                OnnxTensor tiles = number(image.tiling().tiles())) {
            Map<String, OnnxTensor> inputs =
                    Map.of("pixel_values", values, "aspect_ratio_id", arrangement, "tiles", tiles);
            new InterruptibleRun()
                    .run(session, inputs, Set.of(), result.whole())
                    .close();
        } catch (OrtException e) {
            throw new ModelException("ONNX Runtime failed: " + e.getMessage(), e);
        }
    }

    private OnnxTensor number(long value) throws OrtException {
        return OnnxTensor.createTensor(environment, LongBuffer.wrap(new long[] {value}), new long[] {1});
    }

    /** Images that were looked at since it was loaded. */
    long encoded() {
        return encoded.get();
    }

    @Override
    public void close() {
        Sessions.close(session);
    }
}
