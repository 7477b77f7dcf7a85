package dev.corral.guardmodels.guard;

import dev.corral.guardmodels.conversation.Conversation;
import dev.corral.guardmodels.conversation.Role;
import dev.corral.guardmodels.conversation.Turn;
import dev.corral.guardmodels.onnx.CausalModel;
import dev.corral.guardmodels.prompt.Dialogue;
import dev.corral.guardmodels.store.GuardDirectory;
import dev.corral.policies.assessment.Assessment;
import dev.corral.policies.assessment.Coverage;
import dev.corral.policies.taxonomy.Hazard;
import java.util.List;

/**
 * A guard that reads text with a decoder, in one pass: the prompt is continued with the guard's own answer, and the
 * verdict and the hazards are read from the logits at two places of it. {@link VerdictReader} says what they mean, and
 * {@link Prompts} what becomes of long texts. Coverage tells of the judged turn only.
 */
public final class TextGuard implements Guard {

    private final Prompts prompts;
    private final CausalModel model;

    private TextGuard(Prompts prompts, CausalModel model) {
        this.prompts = prompts;
        this.model = model;
    }

    /**
     * A guard of a directory's words and a loaded model; it closes the model when it is closed.
     *
     * @throws dev.corral.guardmodels.store.UnusableGuardException if the tokenizer cannot be used, or does not fit the
     *     model
     */
    public static TextGuard of(GuardDirectory directory, CausalModel model) {
        TextGuard guard = new TextGuard(Prompts.of(directory, model.contextTokens(), model.headRows()), model);
        try {
            guard.prepare();
            return guard;
        } catch (RuntimeException e) {
            guard.prompts.close();
            throw e;
        }
    }

    /** Reads what all prompts about one speaker begin with, for both speakers. */
    private void prepare() {
        for (Role role : List.of(Role.USER, Role.ASSISTANT)) {
            try {
                model.pin(prompts.beginning(role));
            } catch (InterruptedException e) {
                // without it the guard is slower and no worse
                Thread.currentThread().interrupt();
            }
        }
    }

    @Override
    public GuardProfile profile() {
        return prompts.profile();
    }

    @Override
    public int places() {
        return prompts.places();
    }

    /**
     * Its beginning is not pinned: the model remembers it like any that many texts have in common, and lets it go when no
     * policy asks for this list any more.
     */
    @Override
    public Guard asking(List<Hazard> hazards) {
        Prompts asking = prompts.asking(hazards);
        return asking == prompts ? this : new TextGuard(asking, model);
    }

    @Override
    public Assessment assess(Conversation conversation) {
        Turn subject = conversation.turns().getLast();
        List<String> texts = Dialogue.texts(subject);
        Coverage scanned = TextCoverage.of(subject, TextCoverage.characters(subject));
        try {
            return texts.stream().allMatch(String::isBlank)
                    ? prompts.harmless().scored(scanned)
                    : prompts.verdict(conversation.turns(), false, model).scored(scanned);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return Failure.interrupted(TextCoverage.of(subject, 0));
        } catch (RuntimeException e) {
            return Failure.of(e, TextCoverage.of(subject, 0));
        }
    }

    @Override
    public void close() {
        prompts.close();
        model.close();
    }
}
