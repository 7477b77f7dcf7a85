package dev.corral.guardmodels.remote;

import dev.corral.policies.assessment.Assessment.Reason;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import tools.jackson.databind.JsonNode;

/**
 * What a server says that its guard generated.
 *
 * @param tokens with what might have stood in their place; empty where the server gave no probabilities
 */
record GeneratedAnswer(String text, List<Token> tokens) {

    GeneratedAnswer {
        tokens = List.copyOf(tokens);
    }

    /**
     * One token.
     *
     * @param text as it reads, without the tokenizer's signs for blanks
     * @param probabilities of it and its alternatives, by text
     */
    record Token(String text, Map<String, Double> probabilities) {

        Token {
            probabilities = Map.copyOf(probabilities);
        }

        double probability() {
            return probabilities.getOrDefault(text, 0.0);
        }
    }

    /**
     * Reads the first choice of a response of either API.
     *
     * <p>Probabilities come in two forms, whatever the API: lists side by side ({@code tokens}, {@code token_logprobs},
     * {@code top_logprobs}; vLLM's completions) or a list {@code content} of tokens with {@code top_logprobs} (all chats,
     * and llama.cpp's completions, too).
     */
    static GeneratedAnswer read(JsonNode response, Api api) throws RemoteFailure {
        JsonNode choice = response.path("choices").path(0);
        if (!choice.isObject()) {
            throw new RemoteFailure(Reason.FAILED, "the guard's server answered without a choice");
        }
        JsonNode text = api == Api.CHAT ? choice.path("message").path("content") : choice.path("text");
        if (!text.isString()) {
            throw new RemoteFailure(Reason.FAILED, "the guard's server answered without a text");
        }
        JsonNode logprobs = choice.path("logprobs");
        List<Token> tokens = logprobs.path("content").isArray()
                ? tokensWithin(logprobs.path("content"))
                : tokensBeside(logprobs.path("tokens"), logprobs.path("token_logprobs"), logprobs.path("top_logprobs"));
        return new GeneratedAnswer(text.stringValue(), tokens);
    }

    private static List<Token> tokensWithin(JsonNode content) {
        List<Token> tokens = new ArrayList<>();
        for (JsonNode entry : content) {
            Map<String, Double> probabilities = new LinkedHashMap<>();
            for (JsonNode alternative : entry.path("top_logprobs")) {
                add(alternative.path("token"), alternative.path("logprob"), probabilities);
            }
            tokens.add(token(entry.path("token"), entry.path("logprob"), probabilities));
        }
        return tokens;
    }

    private static List<Token> tokensBeside(JsonNode texts, JsonNode logprobs, JsonNode alternatives) {
        List<Token> tokens = new ArrayList<>();
        for (int i = 0; i < texts.size(); i++) {
            Map<String, Double> probabilities = new LinkedHashMap<>();
            alternatives
                    .path(i)
                    .propertyStream()
                    .forEach(alternative -> add(alternative.getKey(), alternative.getValue(), probabilities));
            tokens.add(token(texts.path(i), logprobs.path(i), probabilities));
        }
        return tokens;
    }

    private static Token token(JsonNode text, JsonNode logprob, Map<String, Double> alternatives) {
        String readable = readable(text.stringValue(""));
        if (!alternatives.containsKey(readable)) {
            add(text, logprob, alternatives);
        }
        return new Token(readable, alternatives);
    }

    private static void add(JsonNode text, JsonNode logprob, Map<String, Double> probabilities) {
        add(text.stringValue(""), logprob, probabilities);
    }

    /** Two spellings of one text are one text: their probabilities add up. */
    private static void add(String text, JsonNode logprob, Map<String, Double> probabilities) {
        if (logprob.isNumber() && logprob.doubleValue() <= 1e-3) {
            probabilities.merge(
                    readable(text), Math.min(1, Math.exp(logprob.doubleValue())), (a, b) -> Math.min(1, a + b));
        }
    }

    /** A token's text; some servers spell blanks as their tokenizer does. */
    private static String readable(String token) {
        return token.replace('\u0120', ' ').replace('\u010A', '\n').replace('\u2581', ' ');
    }
}
