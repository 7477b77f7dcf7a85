package dev.corral.guardmodels.guard;

import dev.corral.guardmodels.conversation.Conversation;
import dev.corral.guardmodels.conversation.Role;
import dev.corral.guardmodels.conversation.Turn;
import dev.corral.guardmodels.onnx.CausalModel;
import dev.corral.guardmodels.prompt.Dialogue;
import dev.corral.guardmodels.prompt.GuardFamily;
import dev.corral.guardmodels.store.GuardDirectory;
import dev.corral.guardmodels.store.GuardManifest;
import dev.corral.guardmodels.store.UnusableGuardException;
import dev.corral.guardmodels.tokenizer.GuardTokenizer;
import dev.corral.guardmodels.tokenizer.UnusableTokenizerException;
import dev.corral.policies.assessment.Assessment;
import dev.corral.policies.assessment.Assessment.Inconclusive;
import dev.corral.policies.assessment.Assessment.Reason;
import dev.corral.policies.assessment.Coverage;
import dev.corral.policies.taxonomy.Hazard;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;

/**
 * A guard that reads text with a decoder, in one pass: the prompt is continued with the guard's own answer, and the
 * verdict and the hazards are read from the logits at two places of it. {@link VerdictReader} says what they mean.
 *
 * <p>A prompt longer than the context first loses its oldest turns, which had judgements of their own; if the judged
 * turn alone is too long, it is judged in chunks that overlap. P(unsafe) is then the highest of all chunks and each
 * hazard's probability the highest of that hazard, so that no chunk can hide another's; only then may the hazards add up
 * to more than P(unsafe). Coverage tells of the judged turn only.
 */
public final class TextGuard implements Guard {

    /** Room for text that a context must leave beside the template. */
    private static final int LEAST_ROOM = 16;

    /** UTF-16 units of a first guess at a chunk, for each token of room; further ones are guessed by the chunk before. */
    private static final int CHARACTERS_PER_TOKEN = 8;

    private final GuardDirectory directory;
    private final GuardProfile profile;
    private final GuardFamily family;
    private final HazardList list;
    private final GuardTokenizer tokenizer;
    private final CausalModel model;
    private final VerdictReader reader;
    /** Tokens that a prompt may have. */
    private final int room;

    private final int overlap;

    private TextGuard(
            GuardDirectory directory,
            GuardProfile profile,
            HazardList list,
            GuardTokenizer tokenizer,
            CausalModel model) {
        GuardManifest manifest = directory.manifest();
        this.directory = directory;
        this.profile = profile;
        this.list = list;
        this.family = manifest.family();
        this.tokenizer = tokenizer;
        this.model = model;
        this.reader = VerdictReader.of(directory, list);
        this.room = Math.min(manifest.context().tokens(), model.contextTokens()) - reader.forcedTokens();
        this.overlap = manifest.context().overlap();
    }

    /**
     * A guard of a directory's words and a loaded model; it closes the model when it is closed.
     *
     * @throws UnusableGuardException if the tokenizer cannot be used, or does not fit the model
     */
    public static TextGuard of(GuardDirectory directory, CausalModel model) {
        if (directory.manifest().model().headRows() != model.headRows()) {
            throw new UnusableGuardException("guard.yaml of " + directory.origin() + " gives the model "
                    + directory.manifest().model().headRows() + " head-rows, but it has " + model.headRows());
        }
        GuardTokenizer tokenizer;
        try {
            tokenizer = GuardTokenizer.load(directory.tokenizerJson(), "tokenizer.json of " + directory.origin());
        } catch (UnusableTokenizerException e) {
            throw new UnusableGuardException(String.valueOf(e.getMessage()), e);
        }
        try {
            TextGuard guard = new TextGuard(
                    directory, GuardProfile.of(directory), HazardList.of(directory.manifest()), tokenizer, model);
            guard.prepare();
            return guard;
        } catch (RuntimeException e) {
            tokenizer.close();
            throw e;
        }
    }

    /** Reads what all prompts about one speaker begin with, for both speakers. */
    private void prepare() {
        for (Role role : List.of(Role.USER, Role.ASSISTANT)) {
            int[] prompt;
            try {
                prompt = prompt(List.of(Turn.of(role, "a")));
            } catch (IllegalArgumentException e) {
                throw new UnusableGuardException(directory.origin() + " cannot be used: " + e.getMessage(), e);
            }
            if (!leavesRoom(prompt)) {
                throw new UnusableGuardException("the context of " + directory.origin() + " must be at least "
                        + (prompt.length + LEAST_ROOM + reader.forcedTokens()) + " tokens for its template: "
                        + (room + reader.forcedTokens()));
            }
            int common = Arrays.mismatch(prompt, prompt(List.of(Turn.of(role, "1"))));
            try {
                model.pin(Arrays.copyOf(prompt, Math.max(common, 0)));
            } catch (InterruptedException e) {
                // without it the guard is slower and no worse
                Thread.currentThread().interrupt();
            }
        }
    }

    private boolean leavesRoom(int[] template) {
        return template.length + LEAST_ROOM <= room;
    }

    @Override
    public GuardProfile profile() {
        return profile;
    }

    @Override
    public int places() {
        return directory.manifest().places();
    }

    /**
     * Its beginning is not pinned: the model remembers it like any that many texts have in common, and lets it go when no
     * policy asks for this list any more.
     */
    @Override
    public Guard asking(List<Hazard> hazards) {
        HazardList own = HazardList.of(directory.manifest());
        if (places() == 0 || hazards.isEmpty() || hazards.equals(own.hazards())) {
            return this;
        }
        HazardList other = own.asking(hazards);
        TextGuard asking = new TextGuard(
                directory, GuardProfile.of(directory).asking(other.hazards(), other.digest()), other, tokenizer, model);
        for (Role role : List.of(Role.USER, Role.ASSISTANT)) {
            int[] prompt = asking.prompt(role, "a");
            if (!asking.leavesRoom(prompt)) {
                throw new IllegalArgumentException(
                        "the guard's context of " + (asking.room + asking.reader.forcedTokens())
                                + " tokens leaves no room for a text beside this list of hazards: shorten the descriptions");
            }
        }
        return asking;
    }

    @Override
    public Assessment assess(Conversation conversation) {
        Turn subject = conversation.turns().getLast();
        List<String> texts = Dialogue.texts(subject);
        Coverage scanned = TextCoverage.of(subject, TextCoverage.characters(subject));
        try {
            return texts.stream().allMatch(String::isBlank)
                    ? reader.harmless().scored(scanned)
                    : score(conversation.turns()).scored(scanned);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return new Inconclusive(
                    Reason.TIMEOUT, "the guard was interrupted before it was done", TextCoverage.of(subject, 0));
        } catch (RuntimeException e) {
            return new Inconclusive(Reason.FAILED, "the guard failed: " + place(e), TextCoverage.of(subject, 0));
        }
    }

    /** The kind of a failure and where it arose: its message might hold what was judged. */
    private static String place(RuntimeException failure) {
        StackTraceElement[] trace = failure.getStackTrace();
        return failure.getClass().getSimpleName() + (trace.length == 0 ? "" : " at " + trace[0]);
    }

    private VerdictReader.Verdict score(List<Turn> turns) throws InterruptedException {
        Optional<int[]> prompt = longestPrompt(turns);
        return prompt.isPresent() ? judge(prompt.get()) : scoreInChunks(turns.getLast());
    }

    /** The prompt with as many of the last turns as there is room for, or empty where there is none for the last one. */
    private Optional<int[]> longestPrompt(List<Turn> turns) throws InterruptedException {
        Predicate<int[]> fits = prompt -> prompt.length <= room;
        Optional<int[]> best = Optional.of(prompt(turns)).filter(fits);
        if (best.isPresent() || turns.size() == 1) {
            return best;
        }
        int first = 1;
        int last = turns.size() - 1;
        while (first <= last) {
            stopIfInterrupted();
            int middle = (first + last) / 2;
            Optional<int[]> shorter =
                    Optional.of(prompt(turns.subList(middle, turns.size()))).filter(fits);
            if (shorter.isPresent()) {
                best = shorter;
                last = middle - 1;
            } else {
                first = middle + 1;
            }
        }
        return best;
    }

    private VerdictReader.Verdict scoreInChunks(Turn subject) throws InterruptedException {
        String text = String.join("\n\n", Dialogue.texts(subject));
        int frame = prompt(List.of(Turn.of(subject.role(), ""))).length;
        VerdictReader.Verdict worst = reader.harmless();
        double charactersPerToken = CHARACTERS_PER_TOKEN;
        int start = 0;
        while (true) {
            int end = Math.min(text.length(), whole(text, start + Math.max(2, (int) (charactersPerToken * room))));
            int[] prompt = prompt(subject.role(), text.substring(start, end));
            while (prompt.length > room) {
                stopIfInterrupted();
                double share = (double) (room - frame) / (prompt.length - frame);
                // a little less, so that it ends; two units at least: a pair of surrogates is not split
                end = whole(text, start + Math.max(2, (int) (0.98 * share * (end - start))));
                prompt = prompt(subject.role(), text.substring(start, end));
            }
            worst = worst.or(judge(prompt));
            if (end == text.length()) {
                return worst;
            }
            // the next chunk is like this one, and a little more, so that its end is found and not guessed
            charactersPerToken =
                    Math.min(CHARACTERS_PER_TOKEN, 1.1 * (end - start) / Math.max(1, prompt.length - frame));
            double share = Math.min(0.5, (double) overlap / (prompt.length - frame));
            start = Math.max(whole(text, end - (int) (share * (end - start))), start + 1);
        }
    }

    /** The same place in a text, or the one before where it would split a pair of surrogates. */
    private static int whole(String text, int index) {
        boolean splits = index > 0
                && index < text.length()
                && Character.isLowSurrogate(text.charAt(index))
                && Character.isHighSurrogate(text.charAt(index - 1));
        return splits ? index - 1 : index;
    }

    private VerdictReader.Verdict judge(int[] prompt) throws InterruptedException {
        stopIfInterrupted();
        return reader.read(prompt, model);
    }

    private static void stopIfInterrupted() throws InterruptedException {
        if (Thread.interrupted()) {
            throw new InterruptedException();
        }
    }

    private int[] prompt(List<Turn> turns) {
        return tokenizer.encode(family.render(Dialogue.of(new Conversation(turns)), list.categories()), room);
    }

    private int[] prompt(Role role, String text) {
        return tokenizer.encode(
                family.render(Dialogue.of(new Conversation(List.of(Turn.of(role, text)))), list.categories()));
    }

    @Override
    public void close() {
        tokenizer.close();
        model.close();
    }
}
