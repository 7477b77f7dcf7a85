package dev.corral.quantization;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.corral.guardmodels.store.GuardManifest;
import dev.corral.quantization.checkpoint.CheckpointException;
import dev.corral.quantization.graph.LlamaConfig;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/**
 * The files beside the weights of a Hugging Face folder.
 *
 * @param origin where the guard comes from, for messages
 * @param classifier whether its head has rows for labels, not for tokens
 */
record HuggingFaceFolder(GuardManifest manifest, String origin, boolean classifier) {

    /** Tokens that begin and end texts, in the families of guards; the first that is there counts. */
    private static final List<String> BEGIN = List.of("<|begin_of_text|>", "<|im_start|>");

    private static final List<String> END = List.of("<|eot_id|>", "<|im_end|>");

    void write(Path folder, LlamaConfig config, String tokenizerJson, ModelCard card) throws IOException {
        ObjectNode tokenizer = (ObjectNode) JsonMapper.shared().readTree(tokenizerJson);
        Optional<String> begin = special(tokenizer, BEGIN);
        begin.ifPresent(token -> putBefore(tokenizer, token));
        Files.writeString(folder.resolve("config.json"), config(config));
        Files.writeString(folder.resolve(Original.TOKENIZER), tokenizer.toString());
        Files.writeString(
                folder.resolve("tokenizer_config.json"), tokenizerConfig(begin, special(tokenizer, END), config));
        Files.writeString(
                folder.resolve("README.md"),
                "# " + manifest.id() + "\n" + (classifier ? card.classifier() : card.generator()),
                UTF_8);
    }

    private static Optional<String> special(JsonNode tokenizer, List<String> names) {
        List<String> added = tokenizer
                .path("added_tokens")
                .valueStream()
                .map(token -> token.path("content").asString(""))
                .toList();
        return names.stream().filter(added::contains).findFirst();
    }

    /** Servers put the first token before a prompt where the tokenizer says so; one from a GGUF file says nothing. */
    private static void putBefore(ObjectNode tokenizer, String token) {
        if (!tokenizer.path("post_processor").isNull()
                && !tokenizer.path("post_processor").isMissingNode()) {
            return;
        }
        int id = tokenizer
                .path("added_tokens")
                .valueStream()
                .filter(added -> added.path("content").asString("").equals(token))
                .mapToInt(added -> added.path("id").asInt())
                .findFirst()
                .orElseThrow();
        ObjectNode template = tokenizer.putObject("post_processor").put("type", "TemplateProcessing");
        for (String key : List.of("single", "pair")) {
            template.putArray(key)
                    .addObject()
                    .putObject("SpecialToken")
                    .put("id", token)
                    .put("type_id", 0);
            template.withArray(key)
                    .addObject()
                    .putObject("Sequence")
                    .put("id", "A")
                    .put("type_id", 0);
        }
        template.withArray("pair")
                .addObject()
                .putObject("Sequence")
                .put("id", "B")
                .put("type_id", 0);
        ObjectNode special =
                template.putObject("special_tokens").putObject(token).put("id", token);
        special.putArray("ids").add(id);
        special.putArray("tokens").add(token);
    }

    private String tokenizerConfig(Optional<String> begin, Optional<String> end, LlamaConfig config) {
        ObjectNode root = JsonMapper.shared().createObjectNode();
        root.put("tokenizer_class", "PreTrainedTokenizerFast").put("clean_up_tokenization_spaces", false);
        root.put("model_max_length", config.maxPositions());
        begin.ifPresent(token -> root.put("bos_token", token));
        end.ifPresent(token -> root.put("eos_token", token));
        root.put(
                "chat_template",
                manifest.family().chatTemplate(manifest.hazards().categories()));
        return root.toPrettyString() + "\n";
    }

    String config(LlamaConfig config) {
        ObjectNode root = JsonMapper.shared().createObjectNode();
        root.putArray("architectures").add(classifier ? "LlamaForSequenceClassification" : "LlamaForCausalLM");
        root.put("model_type", "llama")
                .put("hidden_act", "silu")
                .put("attention_bias", false)
                .put("mlp_bias", false)
                .put("hidden_size", config.hidden())
                .put("num_hidden_layers", config.layers())
                .put("num_attention_heads", config.heads())
                .put("num_key_value_heads", config.kvHeads())
                .put("head_dim", config.headSize())
                .put("intermediate_size", config.intermediate())
                .put("vocab_size", config.vocabulary())
                .put("max_position_embeddings", config.maxPositions())
                .put("rope_theta", config.ropeTheta())
                .put("rms_norm_eps", config.normEpsilon())
                .put("tie_word_embeddings", false);
        config.ropeScaling().ifPresent(scaling -> {
            switch (scaling) {
                case LlamaConfig.RopeScaling.Llama3 llama3 ->
                    root.putObject("rope_scaling")
                            .put("rope_type", "llama3")
                            .put("factor", llama3.factor())
                            .put("low_freq_factor", llama3.lowFrequency())
                            .put("high_freq_factor", llama3.highFrequency())
                            .put("original_max_position_embeddings", (int) llama3.originalPositions());
                case LlamaConfig.RopeScaling.Divisors _ ->
                    throw new CheckpointException(
                            "%s has a rotary embedding that a config.json has no words for: export it --to gguf"
                                    .formatted(origin));
            }
        });
        if (classifier) {
            GuardManifest.Verdict verdict = manifest.verdict();
            ObjectNode labels = root.putObject("id2label");
            labels.put(String.valueOf(verdict.safe()), "safe").put(String.valueOf(verdict.unsafe()), "unsafe");
            verdict.hazards().forEach((code, row) -> labels.put(String.valueOf(row), code));
        }
        return root.toPrettyString() + "\n";
    }
}
