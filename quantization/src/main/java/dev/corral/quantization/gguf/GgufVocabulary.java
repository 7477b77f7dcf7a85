package dev.corral.quantization.gguf;

import dev.corral.quantization.checkpoint.CheckpointException;
import dev.corral.quantization.tokenizer.Llama3Tokenizer;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * A Hugging Face {@code tokenizer.json} as GGUF's metadata tell it; {@link GgufTokenizer} reads it back.
 *
 * @param words llama.cpp's name of how texts are split into words
 * @param tokens texts by id
 * @param types of the tokens by id
 */
record GgufVocabulary(String words, List<String> tokens, List<Integer> types, List<String> merges) {

    /** Tokens that begin and end texts, in the families of guards; the first that is there counts. */
    private static final List<String> BEGIN = List.of("<|begin_of_text|>", "<|im_start|>");

    private static final List<String> END = List.of("<|eot_id|>", "<|im_end|>");

    GgufVocabulary {
        tokens = List.copyOf(tokens);
        types = List.copyOf(types);
        merges = List.copyOf(merges);
    }

    /**
     * Reads the tokenizer.
     *
     * @param rows of the embedding; those that have no token are unused
     * @throws CheckpointException if llama.cpp has no such tokenizer
     */
    static GgufVocabulary of(String tokenizerJson, int rows) {
        JsonNode root = JsonMapper.shared().readTree(tokenizerJson);
        List<String> tokens = new ArrayList<>();
        List<Integer> types = new ArrayList<>();
        for (int id = 0; id < rows; id++) {
            tokens.add("[PAD" + id + "]");
            types.add(GgufTokenizer.UNUSED);
        }
        root.path("model").path("vocab").properties().forEach(entry -> {
            set(tokens, types, entry.getValue().asInt(-1), entry.getKey(), GgufTokenizer.NORMAL);
        });
        root.path("added_tokens").forEach(added -> {
            int type = added.path("special").asBoolean(false) ? GgufTokenizer.CONTROL : GgufTokenizer.USER_DEFINED;
            set(tokens, types, added.path("id").asInt(-1), added.path("content").asString(""), type);
        });
        List<String> merges = root.path("model")
                .path("merges")
                .valueStream()
                .map(merge -> merge.isArray()
                        ? merge.path(0).asString("") + " " + merge.path(1).asString("")
                        : merge.asString(""))
                .toList();
        return new GgufVocabulary(words(root.path("pre_tokenizer")), tokens, types, merges);
    }

    private static void set(List<String> tokens, List<Integer> types, int id, String token, int type) {
        if (id < 0 || id >= tokens.size()) {
            throw new CheckpointException("the token '%s' has the id %d, but the embedding has %d rows"
                    .formatted(Cursor.oneLine(token), id, tokens.size()));
        }
        tokens.set(id, token);
        types.set(id, type);
    }

    private static String words(JsonNode split) {
        List<JsonNode> steps = split.path("type").asString("").equals("Sequence")
                ? split.path("pretokenizers").valueStream().toList()
                : List.of(split);
        JsonNode first = steps.isEmpty() ? split : steps.getFirst();
        String kind = first.path("type").asString("");
        if (first.path("pattern").path("Regex").asString("").equals(Llama3Tokenizer.SPLIT)) {
            return "llama-bpe";
        }
        if (kind.equals("Digits") && first.path("individual_digits").asBoolean(false)) {
            return "smollm";
        }
        if (kind.equals("ByteLevel") && first.path("use_regex").asBoolean(true)) {
            return "gpt-2";
        }
        throw new CheckpointException("its tokenizer splits words in a way that Corral has no name of llama.cpp for: "
                + Cursor.oneLine(split.toString()));
    }

    void write(GgufWriter out) {
        out.text(GgufTokenizer.PREFIX + "model", "gpt2")
                .text(GgufTokenizer.PREFIX + "pre", words)
                .texts(GgufTokenizer.PREFIX + "tokens", tokens)
                .int32s(GgufTokenizer.PREFIX + "token_type", types)
                .texts(GgufTokenizer.PREFIX + "merges", merges)
                .flag(GgufTokenizer.PREFIX + "add_bos_token", first(BEGIN).isPresent());
        first(BEGIN).ifPresent(id -> out.uint32(GgufTokenizer.PREFIX + "bos_token_id", id));
        first(END).ifPresent(id -> out.uint32(GgufTokenizer.PREFIX + "eos_token_id", id));
    }

    private Optional<Integer> first(List<String> names) {
        return names.stream().map(tokens::indexOf).filter(id -> id >= 0).findFirst();
    }
}
