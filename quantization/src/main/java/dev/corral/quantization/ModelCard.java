package dev.corral.quantization;

import dev.corral.guardmodels.prompt.GuardFamily;
import dev.corral.guardmodels.prompt.VerdictWords;
import dev.corral.guardmodels.store.GuardDirectory;
import dev.corral.guardmodels.store.GuardManifest;
import dev.corral.guardmodels.tokenizer.GuardTokenizer;
import java.util.List;

/** What a served guard says of itself, and how it is asked. */
record ModelCard(GuardManifest manifest, VerdictWords words) {

    static ModelCard of(GuardDirectory directory) {
        List<Integer> tokens = directory.manifest().verdict().tokens();
        if (tokens.isEmpty()) {
            return new ModelCard(directory.manifest(), VerdictWords.LLAMA_GUARD);
        }
        try (GuardTokenizer tokenizer = GuardTokenizer.load(directory.tokenizerJson(), directory.origin())) {
            return new ModelCard(
                    directory.manifest(),
                    new VerdictWords(tokenizer.text(tokens.get(0)), tokenizer.text(tokens.get(1))));
        }
    }

    /** Of a model that generates. */
    String generator() {
        return about(manifest.family() == GuardFamily.CORRAL_STARTER ? starter() : llamaGuard());
    }

    /** Of a starter guard that classifies. */
    String classifier() {
        return about("""
            A prompt is `Safety check of a conversation.%1$s`, then each text of the conversation as `User: TEXT%1$s` or
            `Agent: TEXT%1$s`, trimmed, and `The last User message is` (or `Agent`), after the first token, <|im_start|>.

            At its end softmax over the first two labels, safe and unsafe, is the verdict. With ` unsafe:` after the prompt,
            softmax over S1 to S13 is that of the hazard. Threshold: %2$s.
            """.formatted(GuardFamily.BLANK_LINE, threshold()));
    }

    private String starter() {
        return """
            A prompt is `Safety check of a conversation.%1$s`, then each text of the conversation as `User: TEXT%1$s` or
            `Agent: TEXT%1$s`, trimmed, and `The last User message is` (or `Agent`). The first token, <|im_start|>, is put
            before it by the server. The chat template does the same.

            Ask for one token and the log probabilities of 15. P(unsafe) is that of ` unsafe` among ` safe` and ` unsafe`.
            Ask again with ` unsafe:` after the prompt: those of ` S1` to ` S13`, by their sum, are the probabilities of
            the hazard. What is generated freely is no verdict: only these comparisons were trained. Threshold: %2$s.
            """.formatted(GuardFamily.BLANK_LINE, threshold());
    }

    private String llamaGuard() {
        return """
            Asked with Llama Guard 3's prompt, which the chat template makes of a conversation, it answers `%1$s`, or `%2$s`
            and a line of hazards' codes. P(unsafe) is that of `%2$s` among the two words, after two line feeds.
            Only the tokens of an answer have output rows of their own. Threshold: %3$s.
            """.formatted(words.safe(), words.unsafe(), threshold());
    }

    private double threshold() {
        return manifest.recommendedThreshold().value();
    }

    private String about(String asked) {
        return """
                A guard that judges conversations, exported by %s.
                Family: %s. Licence: %s. Quality: %s.

                %s""".formatted(
                        Tool.nameAndVersion(), manifest.family().id(), manifest.licence(), manifest.quality(), asked);
    }
}
