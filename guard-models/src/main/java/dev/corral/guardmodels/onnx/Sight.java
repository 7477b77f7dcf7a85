package dev.corral.guardmodels.onnx;

import ai.onnxruntime.OnnxTensor;
import java.util.Map;

/**
 * What a decoder sees beside its tokens.
 *
 * <p>Keys and values of all tokens depend on the image, those of the tokens before it too. So what is remembered of tokens
 * is of one image only: the image's number takes the place of the first token, which is the same in all prompts, when
 * caches compare. Images have other numbers than tokens: negative ones.
 *
 * @param number of the image, from 1; 0 where there is none
 * @param imageToken what stands for the image among the tokens
 * @param before inputs for the tokens before the image
 * @param from inputs for the image's token and those after it
 */
record Sight(int number, int imageToken, Map<String, OnnxTensor> before, Map<String, OnnxTensor> from) {

    /** Of a decoder without eyes. */
    static final Sight NONE = blind(Map.of());

    Sight {
        before = Map.copyOf(before);
        from = Map.copyOf(from);
    }

    /** Without an image. */
    static Sight blind(Map<String, OnnxTensor> inputs) {
        return new Sight(0, 0, inputs, inputs);
    }

    /** The tokens as caches know them. */
    int[] key(int[] tokens) {
        if (number == 0) {
            return tokens;
        }
        int[] key = tokens.clone();
        key[0] = -number;
        return key;
    }

    /** The place of the image: no step may cross it. */
    int border(int[] tokens) {
        if (number == 0) {
            return 0;
        }
        for (int i = 1; i < tokens.length; i++) {
            if (tokens[i] == imageToken) {
                return i;
            }
        }
        throw new IllegalArgumentException("a prompt about an image must have the image's token after its first one");
    }

    /** What a step gets that begins at a place. */
    Map<String, OnnxTensor> inputs(int place, int border) {
        return place < border ? before : from;
    }
}
