package dev.corral.guardmodels.onnx;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import com.github.benmanes.caffeine.cache.RemovalCause;
import dev.corral.guardmodels.image.PreprocessedImage;
import java.nio.FloatBuffer;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * A decoder that sees images, on ONNX Runtime: one graph makes keys and values of an image, the other is a decoder that
 * looks at them. An image that is judged again, or in another turn of its conversation, is found by the hash of what the
 * model sees of it, and the decoder goes on from what it has read about it ({@link Sight}).
 *
 * <p>An image of Llama Guard 3 11B Vision takes 420 MB: 6,404 tokens, of which eight layers see 1,024 keys and as many
 * values.
 */
public final class OnnxVisionModel implements VisionModel {

    private static final String SEEN = "image_seen";

    private final ImageEncoder encoder;
    private final OnnxCausalModel decoder;
    private final VisionShape shape;
    private final OnnxTensor before;
    private final OnnxTensor seen;
    private final Map<String, OnnxTensor> nothing;
    private final Cache<String, Numbered> remembered;
    private final ReentrantLock encoding = new ReentrantLock(true);
    private final AtomicInteger numbers = new AtomicInteger();

    /** An image that the decoder knows by a number. */
    private record Numbered(int number, EncodedImage image) {

        int kilobytes() {
            return Math.toIntExact(image.bytes() >> 10);
        }
    }

    private OnnxVisionModel(
            ImageEncoder encoder, OnnxCausalModel decoder, VisionShape shape, int width, long rememberedBytes)
            throws OrtException {
        OrtEnvironment environment = QuietRuntime.environment();
        this.encoder = encoder;
        this.decoder = decoder;
        this.shape = shape;
        this.before = OnnxTensor.createTensor(environment, FloatBuffer.wrap(new float[] {0}), new long[] {});
        this.seen = OnnxTensor.createTensor(environment, FloatBuffer.wrap(new float[] {1}), new long[] {});
        this.nothing = new HashMap<>(Map.of(SEEN, before));
        for (int layer = 0; layer < shape.layers(); layer++) {
            for (String which : new String[] {"key", "value"}) {
                nothing.put(
                        EncodedImage.name(layer, which),
                        OnnxTensor.createTensor(
                                environment, FloatBuffer.wrap(new float[width]), new long[] {1, 1, width}));
            }
        }
        this.remembered = Caffeine.newBuilder()
                .maximumWeight(rememberedBytes >> 10)
                .weigher((String _, Numbered numbered) -> numbered.kilobytes())
                .removalListener(OnnxVisionModel::forgotten)
                .executor(Runnable::run)
                .build();
    }

    private static void forgotten(@Nullable String hash, @Nullable Numbered numbered, RemovalCause cause) {
        if (numbered != null) {
            numbered.image.release();
        }
    }

    /**
     * Loads both graphs.
     *
     * @param encoder file of the graph that looks at images
     * @param decoder file of the graph that reads
     * @param shape of the decoder; its layers are those that look at text
     * @param rememberedBytes memory for images that were looked at, beyond those at work
     * @throws ModelException if ONNX Runtime refuses one, or it has another shape
     */
    public static OnnxVisionModel load(
            Path encoder,
            Path decoder,
            ModelShape shape,
            VisionShape vision,
            Resources resources,
            long rememberedBytes) {
        int width = shape.kvHeads() * shape.headSize();
        OnnxCausalModel reader = OnnxCausalModel.load(decoder, shape, resources);
        @Nullable ImageEncoder looker = null;
        try {
            OnnxCausalModel.require(
                    decoder.toString(), "layers that see an image", vision.layers(), reader.lookingLayers());
            looker = ImageEncoder.load(encoder, vision, width, resources);
            return new OnnxVisionModel(looker, reader, vision, width, rememberedBytes);
        } catch (OrtException | RuntimeException e) {
            reader.close();
            if (looker != null) {
                looker.close();
            }
            throw e instanceof RuntimeException refused
                    ? refused
                    : new ModelException("ONNX Runtime failed: " + e.getMessage(), e);
        }
    }

    @Override
    public Sighted seeing(PreprocessedImage image) throws InterruptedException {
        Optional<Numbered> known = known(image);
        if (known.isPresent()) {
            return new Seeing(known.get());
        }
        encoding.lockInterruptibly();
        try {
            Optional<Numbered> meanwhile = known(image);
            return new Seeing(meanwhile.isPresent() ? meanwhile.get() : look(image));
        } finally {
            encoding.unlock();
        }
    }

    /** One that is remembered, kept from being freed. */
    private Optional<Numbered> known(PreprocessedImage image) {
        return Optional.ofNullable(remembered.getIfPresent(image.sha256())).filter(numbered -> numbered.image.use());
    }

    private Numbered look(PreprocessedImage image) throws InterruptedException {
        Numbered fresh = new Numbered(numbers.incrementAndGet(), encoder.encode(image));
        fresh.image.use(); // once more, by the cache
        remembered.put(image.sha256(), fresh);
        return fresh;
    }

    @Override
    public Decoder blind() {
        Sight sight = Sight.blind(nothing);
        return (tokens, rows) -> decoder.logits(tokens, rows, sight);
    }

    @Override
    public long encodedImages() {
        return encoder.encoded();
    }

    /** Tokens that were read since the model was loaded; those that were found in a cache are not among them. */
    public long readTokens() {
        return decoder.readTokens();
    }

    @Override
    public int contextTokens() {
        return decoder.contextTokens();
    }

    @Override
    public int headRows() {
        return decoder.headRows();
    }

    @Override
    public void close() {
        remembered.invalidateAll();
        remembered.cleanUp();
        decoder.close();
        encoder.close();
        nothing.values().forEach(OnnxTensor::close);
        seen.close();
    }

    private final class Seeing implements Sighted {

        private final EncodedImage image;
        private final Sight sight;

        Seeing(Numbered numbered) {
            this.image = numbered.image;
            this.sight = new Sight(
                    numbered.number, shape.imageToken(), with(image.whole(), before), with(image.present(), seen));
        }

        private static Map<String, OnnxTensor> with(Map<String, OnnxTensor> keysAndValues, OnnxTensor imageSeen) {
            Map<String, OnnxTensor> inputs = new HashMap<>(keysAndValues);
            inputs.put(SEEN, imageSeen);
            return inputs;
        }

        @Override
        public float[][] logits(int[] tokens, int[] rows) throws InterruptedException {
            return decoder.logits(tokens, rows, sight);
        }

        @Override
        public void close() {
            image.release();
        }
    }
}
