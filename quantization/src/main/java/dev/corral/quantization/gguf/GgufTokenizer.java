package dev.corral.quantization.gguf;

import dev.corral.quantization.checkpoint.CheckpointException;
import dev.corral.quantization.tokenizer.Llama3Tokenizer;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/**
 * The tokenizer of a GGUF file as a Hugging Face {@code tokenizer.json}: byte-level BPE, with the splits of the models
 * that guards are made of ({@code ggml-org/llama.cpp:src/llama-vocab.cpp}, and the {@code tokenizer.json} of Llama 3 and
 * SmolLM2).
 */
record GgufTokenizer(Metadata metadata, String file) {

    static final String PREFIX = "tokenizer.ggml.";
    static final int NORMAL = 1;
    static final int CONTROL = 3;
    static final int USER_DEFINED = 4;
    static final int UNUSED = 5;

    /**
     * The tokenizer.
     *
     * @param vocabulary rows of the embedding
     * @throws CheckpointException if it is of another kind, or contradicts itself
     */
    String json(int vocabulary) {
        String model = metadata.text(PREFIX + "model").orElseThrow(() -> metadata.missing(PREFIX + "model"));
        if (!model.equals("gpt2")) {
            throw metadata.wrong(PREFIX + "model", "be 'gpt2', byte-level BPE as of Llama 3", "'" + model + "'");
        }
        ObjectNode root = JsonMapper.shared().createObjectNode().put("version", "1.0");
        root.putNull("truncation").putNull("padding");
        ArrayNode added = root.putArray("added_tokens");
        root.putNull("normalizer");
        boolean wholeWords = words(root.putObject("pre_tokenizer").put("type", "Sequence"));
        root.putNull("post_processor");
        byteLevel(root.putObject("decoder"), true);
        ObjectNode bpe = root.putObject("model").put("type", "BPE");
        bpe.putNull("dropout")
                .putNull("unk_token")
                .putNull("continuing_subword_prefix")
                .putNull("end_of_word_suffix");
        bpe.put("fuse_unk", false).put("byte_fallback", false).put("ignore_merges", wholeWords);
        tokens(vocabulary, bpe.putObject("vocab"), added);
        ArrayNode merges = bpe.putArray("merges");
        for (String merge : metadata.texts(PREFIX + "merges").orElseThrow(() -> metadata.missing(PREFIX + "merges"))) {
            if (merge.indexOf(' ', 1) < 0) {
                throw metadata.wrong(PREFIX + "merges", "hold two tokens with a space between them", "'" + merge + "'");
            }
            merges.add(merge);
        }
        return root.toString();
    }

    /** Says how texts are split into words; true where a word that is a token is taken whole, whatever the merges say. */
    private boolean words(ObjectNode sequence) {
        ArrayNode steps = sequence.putArray("pretokenizers");
        String kind = metadata.text(PREFIX + "pre").orElse("missing");
        return switch (kind) {
            case "llama-bpe", "llama3", "llama-v3" -> {
                ObjectNode split = steps.addObject().put("type", "Split");
                split.putObject("pattern").put("Regex", Llama3Tokenizer.SPLIT);
                split.put("behavior", "Isolated").put("invert", false);
                byteLevel(steps.addObject(), false);
                yield true;
            }
            case "gpt-2" -> {
                byteLevel(steps.addObject(), true);
                yield false;
            }
            case "smollm" -> {
                steps.addObject().put("type", "Digits").put("individual_digits", true);
                byteLevel(steps.addObject(), true);
                yield false;
            }
            default ->
                throw metadata.wrong(
                        PREFIX + "pre",
                        "be 'llama-bpe', 'smollm' or 'gpt-2', the splits that Corral knows",
                        "'" + kind + "'");
        };
    }

    private static void byteLevel(ObjectNode step, boolean splits) {
        step.put("type", "ByteLevel")
                .put("add_prefix_space", false)
                .put("trim_offsets", true)
                .put("use_regex", splits);
    }

    private void tokens(int vocabulary, ObjectNode words, ArrayNode added) {
        List<String> tokens = metadata.texts(PREFIX + "tokens").orElseThrow(() -> metadata.missing(PREFIX + "tokens"));
        if (tokens.size() > vocabulary) {
            throw metadata.wrong(
                    PREFIX + "tokens", "be at most the " + vocabulary + " rows of the embedding", tokens.size());
        }
        long[] types = metadata.integers(PREFIX + "token_type").orElseGet(() -> new long[0]);
        if (types.length != 0 && types.length != tokens.size()) {
            throw metadata.wrong(
                    PREFIX + "token_type", "be one for each of " + tokens.size() + " tokens", types.length);
        }
        Map<String, Integer> ids = new HashMap<>();
        for (int id = 0; id < tokens.size(); id++) {
            String token = tokens.get(id);
            long type = types.length == 0 ? NORMAL : types[id];
            if (type == UNUSED) {
                continue;
            }
            Integer other = ids.put(token, id);
            if (other != null) {
                throw new CheckpointException(
                        "%s: the tokens %d and %d of '%stokens' are both '%s': a text could be read in two ways"
                                .formatted(file, other, id, PREFIX, Cursor.oneLine(token)));
            }
            if (type == CONTROL || type == USER_DEFINED) {
                ObjectNode special = added.addObject().put("id", id).put("content", token);
                special.put("single_word", false).put("lstrip", false).put("rstrip", false);
                special.put("normalized", false).put("special", type == CONTROL);
            } else {
                words.put(token, id);
            }
        }
    }
}
