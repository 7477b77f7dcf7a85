package dev.corral.gateway.refusal;

import dev.corral.gateway.dialect.Dialect;
import dev.corral.gateway.dialect.StrictJson;
import dev.corral.policies.policy.BlockStyle;
import dev.corral.policies.policy.Decision;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/**
 * What Azure OpenAI adds to an answer that passes: how severe it took the prompt and the answer to be, and that it filtered
 * neither. Answers with choices say it in {@code prompt_filter_results} and {@code content_filter_results}, OpenAI's
 * responses in {@code content_filters}; others have no place for it, and pass as they are. Not thread-safe: one for each
 * answer. Source: Azure's "content filter annotations".
 */
public final class AzureAnnotations {

    private static final String CHOICES = "choices";
    private static final String FILTERS = "content_filters";

    private final Dialect dialect;
    private final Supplier<Decision> prompt;
    private boolean told;

    private AzureAnnotations(Dialect dialect, Supplier<Decision> prompt) {
        this.dialect = dialect;
        this.prompt = prompt;
    }

    /**
     * For an answer under a policy that tells blocks in this style.
     *
     * @param prompt what was decided about what is answered, to be known when the first of it passes
     */
    public static Optional<AzureAnnotations> of(BlockStyle style, Dialect dialect, Supplier<Decision> prompt) {
        return style == BlockStyle.AZURE ? Optional.of(new AzureAnnotations(dialect, prompt)) : Optional.empty();
    }

    /** A whole answer with annotations. */
    public byte[] whole(byte[] body, Decision answer) {
        if (!(StrictJson.answer(body) instanceof ObjectNode said)) {
            return body;
        }
        if (said.path(CHOICES).isArray()) {
            said.set("prompt_filter_results", AzureFilter.promptResults(prompt.get()));
            AzureFilter.annotateChoices(said.path(CHOICES), answer);
        } else if (said.path("output").isArray()) {
            said.set(FILTERS, AzureFilter.contentFilters(prompt.get(), answer));
        } else {
            return body;
        }
        return StrictJson.bytes(said);
    }

    /** Frames that pass: before the first one that has choices what the prompt was, and at each end what the answer was. */
    public List<byte[]> frames(List<byte[]> frames, Decision answer) {
        List<byte[]> annotated = new ArrayList<>();
        for (byte[] frame : frames) {
            Optional<JsonNode> value = dialect.value(frame);
            if (!told && value.filter(said -> said.path(CHOICES).isArray()).isPresent()) {
                told = true;
                annotated.add(dialect.frame(ofPrompt()));
            }
            annotated.add(value.filter(said -> annotate(said, answer))
                    .map(dialect::frame)
                    .orElse(frame));
        }
        return annotated;
    }

    /** Whether there was a place for annotations. */
    private boolean annotate(JsonNode event, Decision answer) {
        if (event.path(CHOICES).values().stream()
                .anyMatch(choice -> choice.path("finish_reason").isString())) {
            AzureFilter.annotateChoices(event.path(CHOICES), answer);
            return true;
        }
        boolean ends = event.path("response").path("status").asString("").matches("completed|incomplete|failed");
        if (ends && event.path("response") instanceof ObjectNode response) {
            response.set(FILTERS, AzureFilter.contentFilters(prompt.get(), answer));
            return true;
        }
        return false;
    }

    private ObjectNode ofPrompt() {
        ObjectNode chunk = JsonNodeFactory.instance
                .objectNode()
                .put("id", "")
                .put("object", "")
                .put("created", 0)
                .put("model", "");
        chunk.putArray(CHOICES);
        chunk.set("prompt_filter_results", AzureFilter.promptResults(prompt.get()));
        return chunk;
    }
}
