package dev.corral.quantization.gguf;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** What Hugging Face and llama.cpp call the same tensors ({@code gguf-py/gguf/tensor_mapping.py}). */
final class TensorNames {

    private static final Map<String, String> MODEL = Map.of(
            "token_embd.weight", "model.embed_tokens.weight",
            "output_norm.weight", "model.norm.weight",
            "output.weight", "lm_head.weight");

    private static final Map<String, String> LAYER = Map.of(
            "attn_norm", "input_layernorm",
            "attn_q", "self_attn.q_proj",
            "attn_k", "self_attn.k_proj",
            "attn_v", "self_attn.v_proj",
            "attn_output", "self_attn.o_proj",
            "ffn_norm", "post_attention_layernorm",
            "ffn_gate", "mlp.gate_proj",
            "ffn_up", "mlp.up_proj",
            "ffn_down", "mlp.down_proj");

    private static final Pattern THEIRS = Pattern.compile("blk\\.(0|[1-9][0-9]{0,8})\\.([a-z_]+)\\.weight");
    private static final Pattern OURS = Pattern.compile("model\\.layers\\.(0|[1-9][0-9]{0,8})\\.([a-z_.]+)\\.weight");

    private TensorNames() {}

    /** Hugging Face's name of a tensor of llama.cpp, or empty where it is none of a Llama decoder. */
    static Optional<String> huggingFace(String name) {
        Matcher layer = THEIRS.matcher(name);
        return layer.matches()
                ? Optional.ofNullable(LAYER.get(layer.group(2)))
                        .map(part -> "model.layers." + layer.group(1) + "." + part + ".weight")
                : Optional.ofNullable(MODEL.get(name));
    }

    /** Llama.cpp's name of a tensor of Hugging Face, or empty where it is none of a Llama decoder. */
    static Optional<String> llamaCpp(String name) {
        Matcher layer = OURS.matcher(name);
        return layer.matches()
                ? Optional.ofNullable(turned(LAYER).get(layer.group(2)))
                        .map(part -> "blk." + layer.group(1) + "." + part + ".weight")
                : Optional.ofNullable(turned(MODEL).get(name));
    }

    /** Whether the rows of a tensor of llama.cpp are turned by the rotary embedding, so that their order differs. */
    static boolean rotates(String name) {
        return name.endsWith(".attn_q.weight") || name.endsWith(".attn_k.weight");
    }

    private static Map<String, String> turned(Map<String, String> names) {
        Map<String, String> turned = new LinkedHashMap<>();
        names.forEach((theirs, ours) -> turned.put(ours, theirs));
        return turned;
    }
}
