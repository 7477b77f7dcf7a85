package dev.corral.quantization.executorch;

import dev.corral.quantization.executorch.PhoneFixtures.Expected;
import java.util.ArrayList;
import java.util.List;

/**
 * The fixtures' decoder once more, written down plainly from the exporter's own weights: values of neighbours are turned,
 * each step is a loop. With the phone's arithmetic, activations are quantised as its runtime does it.
 */
final class ReferenceLlama {

    private static final int DIM = 256;
    private static final int HEADS = 4;
    private static final int KEY_HEADS = 2;
    private static final int HEAD_SIZE = 64;
    private static final int LAYERS = 2;
    private static final float EPSILON = 1e-5f;

    /** How scales of linear layers are cut to 16 bits. */
    enum Scales {
        /** Not at all. */
        EXACT {
            @Override
            float of(float scale) {
                return scale;
            }
        },
        /** To the nearest, as exporters store them since 0.7. */
        NEAREST {
            @Override
            float of(float scale) {
                int bits = Float.floatToRawIntBits(scale);
                return Float.intBitsToFloat(bits + 0x7FFF + (bits >>> 16 & 1) & 0xFFFF0000);
            }
        },
        /** As the runtime does it when it loads a program that has them in 32 bits. */
        LOADED {
            @Override
            float of(float scale) {
                return Float.intBitsToFloat(Float.floatToRawIntBits((float) (scale * 1.00389105)) & 0xFFFF0000);
            }
        };

        abstract float of(float scale);
    }

    private final Expected expected;
    private final boolean phone;
    private final Scales scales;
    private final float[] cosines;
    private final float[] sines;
    private final List<List<float[]>> keys = new ArrayList<>();
    private final List<List<float[]>> values = new ArrayList<>();

    /**
     * A decoder that has read nothing.
     *
     * @param phone whether activations are quantised
     */
    ReferenceLlama(Expected expected, boolean phone, Scales scales) {
        this.expected = expected;
        this.phone = phone;
        this.scales = scales;
        cosines = expected.floats("rope.cos");
        sines = expected.floats("rope.sin");
        for (int layer = 0; layer < LAYERS; layer++) {
            keys.add(new ArrayList<>());
            values.add(new ArrayList<>());
        }
    }

    /** Reads tokens after those before, and gives the logits after the last one. */
    float[] logits(int[] tokens) {
        float[] embedding = weights("tok_embeddings.weight", Scales.EXACT);
        float[] state = new float[0];
        for (int token : tokens) {
            state = new float[DIM];
            System.arraycopy(embedding, token * DIM, state, 0, DIM);
            int position = keys.getFirst().size();
            for (int layer = 0; layer < LAYERS; layer++) {
                String prefix = "layers." + layer + ".";
                float[] normal = norm(state, prefix + "attention_norm.weight");
                add(state, multiply(prefix + "attention.wo", attention(layer, prefix, normal, position)));
                float[] mlpInput = norm(state, prefix + "ffn_norm.weight");
                float[] gate = multiply(prefix + "feed_forward.w1", mlpInput);
                float[] up = multiply(prefix + "feed_forward.w3", mlpInput);
                for (int i = 0; i < gate.length; i++) {
                    gate[i] = (float) (gate[i] / (1 + Math.exp(-gate[i]))) * up[i];
                }
                add(state, multiply(prefix + "feed_forward.w2", gate));
            }
        }
        return multiply("output", norm(state, "norm.weight"));
    }

    private float[] attention(int layer, String prefix, float[] x, int position) {
        float[] query = turned(multiply(prefix + "attention.wq", x), position);
        keys.get(layer).add(turned(multiply(prefix + "attention.wk", x), position));
        values.get(layer).add(multiply(prefix + "attention.wv", x));
        float[] out = new float[HEADS * HEAD_SIZE];
        for (int head = 0; head < HEADS; head++) {
            int from = head / (HEADS / KEY_HEADS) * HEAD_SIZE;
            double[] weights = new double[position + 1];
            double sum = 0;
            for (int past = 0; past <= position; past++) {
                double score = 0;
                for (int i = 0; i < HEAD_SIZE; i++) {
                    score += query[head * HEAD_SIZE + i] * keys.get(layer).get(past)[from + i];
                }
                weights[past] = Math.exp(score / Math.sqrt(HEAD_SIZE));
                sum += weights[past];
            }
            for (int i = 0; i < HEAD_SIZE; i++) {
                double mixed = 0;
                for (int past = 0; past <= position; past++) {
                    mixed += weights[past] / sum * values.get(layer).get(past)[from + i];
                }
                out[head * HEAD_SIZE + i] = (float) mixed;
            }
        }
        return out;
    }

    private float[] turned(float[] x, int position) {
        float[] out = new float[x.length];
        for (int i = 0; i < x.length; i += 2) {
            int pair = position * HEAD_SIZE / 2 + i % HEAD_SIZE / 2;
            out[i] = x[i] * cosines[pair] - x[i + 1] * sines[pair];
            out[i + 1] = x[i] * sines[pair] + x[i + 1] * cosines[pair];
        }
        return out;
    }

    private float[] norm(float[] x, String name) {
        float[] weights = expected.floats(name);
        double squares = 0;
        for (float value : x) {
            squares += (double) value * value;
        }
        float inverse = (float) (1 / Math.sqrt(squares / x.length + EPSILON));
        float[] out = new float[x.length];
        for (int i = 0; i < x.length; i++) {
            out[i] = x[i] * inverse * weights[i];
        }
        return out;
    }

    private float[] multiply(String name, float[] x) {
        float[] weights = weights(name + ".weight", scales);
        float[] in = phone ? quantised(x) : x;
        float[] out = new float[weights.length / x.length];
        for (int row = 0; row < out.length; row++) {
            double sum = 0;
            for (int i = 0; i < in.length; i++) {
                sum += (double) weights[row * in.length + i] * in[i];
            }
            out[row] = (float) sum;
        }
        return out;
    }

    /** What is left of a token's values in 8 bits, with a range that has 0 in it. */
    private static float[] quantised(float[] x) {
        float least = 0;
        float most = 0;
        for (float value : x) {
            least = Math.min(least, value);
            most = Math.max(most, value);
        }
        float scale = (most - least) / 255;
        int zero = Math.clamp(Math.round(-128 - least / scale), -128, 127);
        float[] out = new float[x.length];
        for (int i = 0; i < x.length; i++) {
            int number = Math.clamp((long) Math.rint(x[i] / scale) + zero, -128, 127);
            out[i] = (number - zero) * scale;
        }
        return out;
    }

    private float[] weights(String name, Scales cut) {
        byte[] numbers = expected.numbers(name + ".q");
        float[] steps = expected.floats(name + ".scale");
        int group = numbers.length / steps.length;
        float[] weights = new float[numbers.length];
        for (int i = 0; i < weights.length; i++) {
            weights[i] = numbers[i] * cut.of(steps[i / group]);
        }
        return weights;
    }

    private static void add(float[] sum, float[] more) {
        for (int i = 0; i < sum.length; i++) {
            sum[i] += more[i];
        }
    }
}
