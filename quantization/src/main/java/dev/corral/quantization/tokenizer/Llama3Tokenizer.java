package dev.corral.quantization.tokenizer;

import java.util.ArrayList;
import java.util.List;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/**
 * A tokenizer of Llama 3's kind: byte-level BPE that splits text as Llama 3 does, with its 256 special tokens after the
 * ordinary ones.
 *
 * @param ordinary by id, in GPT-2's characters for bytes
 * @param merges two tokens with a space between, the first to be made first
 * @param image whether one more special token follows, which stands for an image
 */
public record Llama3Tokenizer(List<String> ordinary, List<String> merges, boolean image) {

    /** How many special tokens there are. */
    public static final int SPECIALS = 256;

    /** How Llama 3 splits texts into words, as an expression of Hugging Face's tokenizers. */
    public static final String SPLIT = "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}"
            + "| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";

    public Llama3Tokenizer {
        ordinary = List.copyOf(ordinary);
        merges = List.copyOf(merges);
    }

    /** A tokenizer for text only. */
    public Llama3Tokenizer(List<String> ordinary, List<String> merges) {
        this(ordinary, merges, false);
    }

    /** This tokenizer as Hugging Face's {@code tokenizer.json}. */
    public String toJson() {
        ObjectNode document = JsonMapper.shared().createObjectNode();
        document.put("version", "1.0").putNull("truncation").putNull("padding");
        ArrayNode added = document.putArray("added_tokens");
        List<String> specials = specials();
        if (image) {
            specials.add("<|image|>");
        }
        for (int i = 0; i < specials.size(); i++) {
            added.addObject()
                    .put("id", ordinary.size() + i)
                    .put("content", specials.get(i))
                    .put("single_word", false)
                    .put("lstrip", false)
                    .put("rstrip", false)
                    .put("normalized", false)
                    .put("special", true);
        }
        document.putNull("normalizer");
        ArrayNode steps =
                document.putObject("pre_tokenizer").put("type", "Sequence").putArray("pretokenizers");
        steps.addObject()
                .put("type", "Split")
                .put("behavior", "Isolated")
                .put("invert", false)
                .putObject("pattern")
                .put("Regex", SPLIT);
        steps.add(byteLevel());
        document.putNull("post_processor").set("decoder", byteLevel());
        ObjectNode model = document.putObject("model")
                .put("type", "BPE")
                .putNull("dropout")
                .putNull("unk_token")
                .putNull("continuing_subword_prefix")
                .putNull("end_of_word_suffix")
                .put("fuse_unk", false)
                .put("byte_fallback", false)
                .put("ignore_merges", true);
        ObjectNode vocabulary = model.putObject("vocab");
        for (int id = 0; id < ordinary.size(); id++) {
            vocabulary.put(ordinary.get(id), id);
        }
        ArrayNode rules = model.putArray("merges");
        merges.forEach(rules::add);
        return JsonMapper.shared().writeValueAsString(document);
    }

    private static ObjectNode byteLevel() {
        return JsonMapper.shared()
                .createObjectNode()
                .put("type", "ByteLevel")
                .put("add_prefix_space", false)
                .put("trim_offsets", true)
                .put("use_regex", false);
    }

    /** Those of Llama 3.1 and later; 3.0 had reserved ones at four of the places. */
    private static List<String> specials() {
        List<String> specials = new ArrayList<>(List.of(
                "<|begin_of_text|>",
                "<|end_of_text|>",
                "<|reserved_special_token_0|>",
                "<|reserved_special_token_1|>",
                "<|finetune_right_pad_id|>",
                "<|reserved_special_token_2|>",
                "<|start_header_id|>",
                "<|end_header_id|>",
                "<|eom_id|>",
                "<|eot_id|>",
                "<|python_tag|>"));
        for (int reserved = 3; specials.size() < SPECIALS; reserved++) {
            specials.add("<|reserved_special_token_" + reserved + "|>");
        }
        return specials;
    }
}
