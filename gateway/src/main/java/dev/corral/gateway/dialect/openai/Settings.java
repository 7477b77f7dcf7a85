package dev.corral.gateway.dialect.openai;

import dev.corral.gateway.dialect.DialectException;
import dev.corral.gateway.dialect.Fields;
import dev.corral.gateway.dialect.Words;
import dev.corral.guardmodels.conversation.Part;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/** What requests say beside their texts: how to sample, and what the answer must look like. */
final class Settings {

    /** So many answers may be asked for at once: each is judged, window by window. */
    static final int MAX_CHOICES = 8;

    private static final String FORMAT = "response_format";

    private static final int MAX_MODEL_NAME = 256;

    /** Numbers that steer sampling, at OpenAI, vLLM, llama.cpp and Ollama. */
    private static final List<String> NUMBERS = List.of(
            "temperature",
            "top_p",
            "top_k",
            "top_a",
            "min_p",
            "typical_p",
            "max_tokens",
            "max_completion_tokens",
            "min_tokens",
            "presence_penalty",
            "frequency_penalty",
            "repetition_penalty",
            "repeat_penalty",
            "repeat_last_n",
            "length_penalty",
            "mirostat",
            "mirostat_eta",
            "mirostat_tau",
            "seed",
            "top_logprobs",
            "n_probs",
            "best_of",
            "num_ctx",
            "num_predict",
            "priority");

    private static final List<String> FLAGS = List.of(
            "logprobs",
            "store",
            "parallel_tool_calls",
            "ignore_eos",
            "include_stop_str_in_output",
            "skip_special_tokens",
            "spaces_between_special_tokens",
            "cache_prompt",
            "timings_per_token",
            "return_progress");

    private static final List<String> PHRASES = List.of("stop", "metadata");

    /** Settings and identifiers; what is more than that is judged as text. */
    private static final List<String> SETTINGS = List.of(
            "stop_token_ids",
            "user",
            "stream_options",
            "service_tier",
            "logit_bias",
            "tool_choice",
            "function_call",
            "safety_identifier",
            "prompt_cache_key",
            "prompt_cache_retention",
            "reasoning_effort",
            "reasoning",
            "thinking",
            "think",
            "verbosity",
            "modalities",
            "keep_alive");

    /** What an upstream renders into the prompt, or holds the answer to: always judged, as the application's words. */
    private static final List<String> DEFINITIONS = List.of(
            "tools",
            "functions",
            FORMAT,
            "chat_template_kwargs",
            "structured_outputs",
            "guided_json",
            "guided_regex",
            "guided_choice",
            "guided_grammar",
            "json_schema",
            "grammar");

    private Settings() {}

    /** The model as the client names it; empty where it names none. */
    static String model(Fields fields) {
        return fields.name("model", MAX_MODEL_NAME);
    }

    /** Takes every field that is a setting; what of them is text comes back, to be judged as the application's words. */
    static List<Part> read(Fields fields) {
        choices(fields.take("n"));
        NUMBERS.forEach(fields::number);
        FLAGS.forEach(fields::flag);
        List<Part> parts = new ArrayList<>();
        DEFINITIONS.forEach(name -> parts.addAll(name.equals(FORMAT) ? format(fields) : fields.definition(name)));
        SETTINGS.forEach(name -> parts.addAll(fields.setting(name)));
        PHRASES.forEach(name -> parts.addAll(fields.phrases(name)));
        return parts;
    }

    private static void choices(@Nullable JsonNode n) {
        if (n != null
                && !(n.canConvertToExactIntegral()
                        && n.canConvertToLong()
                        && n.asLong() >= 1
                        && n.asLong() <= MAX_CHOICES)) {
            throw DialectException.invalidRequest(
                    "n",
                    "'n' must be a whole number from 1 to " + MAX_CHOICES + ", because each answer is moderated;"
                            + " send several requests for more");
        }
    }

    private static List<Part> format(Fields fields) {
        JsonNode format = fields.take(FORMAT);
        return format == null || Words.isTextless(format) || isPlainFormat(format)
                ? List.of()
                : List.of(Words.rendered(format, FORMAT));
    }

    private static boolean isPlainFormat(JsonNode format) {
        return format.size() == 1 && format.path("type").isString() && Words.isSetting(format);
    }
}
