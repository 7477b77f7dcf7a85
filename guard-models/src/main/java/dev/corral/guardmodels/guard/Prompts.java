package dev.corral.guardmodels.guard;

import dev.corral.guardmodels.conversation.Conversation;
import dev.corral.guardmodels.conversation.Role;
import dev.corral.guardmodels.conversation.Turn;
import dev.corral.guardmodels.onnx.Decoder;
import dev.corral.guardmodels.prompt.Dialogue;
import dev.corral.guardmodels.prompt.GuardFamily;
import dev.corral.guardmodels.store.GuardDirectory;
import dev.corral.guardmodels.store.GuardManifest;
import dev.corral.guardmodels.store.UnusableGuardException;
import dev.corral.guardmodels.tokenizer.GuardTokenizer;
import dev.corral.guardmodels.tokenizer.UnusableTokenizerException;
import dev.corral.policies.taxonomy.Hazard;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;

/**
 * What a directory's model is asked, in tokens that its context has room for, and how its answers are read.
 *
 * <p>A prompt longer than the context first loses its oldest turns, which had judgements of their own; if the judged
 * turn alone is too long, it is judged in chunks that overlap. P(unsafe) is then the highest of all chunks and each
 * hazard's probability the highest of that hazard, so that no chunk can hide another's; only then may the hazards add up
 * to more than P(unsafe).
 */
final class Prompts implements AutoCloseable {

    /** Room for text that a context must leave beside the template. */
    private static final int LEAST_ROOM = 16;

    /** UTF-16 units of a first guess at a chunk, for each token of room; further ones are guessed by the chunk before. */
    private static final int CHARACTERS_PER_TOKEN = 8;

    private final GuardDirectory directory;
    private final GuardProfile profile;
    private final GuardFamily family;
    private final HazardList list;
    private final GuardTokenizer tokenizer;
    private final int contextTokens;
    private final VerdictReader reader;
    /** Tokens that a prompt may have. */
    private final int room;

    private final int overlap;

    private Prompts(
            GuardDirectory directory,
            GuardProfile profile,
            HazardList list,
            GuardTokenizer tokenizer,
            int contextTokens) {
        GuardManifest manifest = directory.manifest();
        this.directory = directory;
        this.profile = profile;
        this.list = list;
        this.family = manifest.family();
        this.tokenizer = tokenizer;
        this.contextTokens = contextTokens;
        this.reader = VerdictReader.of(directory, list);
        this.room = Math.min(manifest.context().tokens(), contextTokens) - reader.forcedTokens();
        this.overlap = manifest.context().overlap();
    }

    /**
     * The prompts of a directory's words.
     *
     * @param contextTokens the most that the model reads at once
     * @param headRows outputs of the model
     * @throws UnusableGuardException if the tokenizer cannot be used, or does not fit the model
     */
    static Prompts of(GuardDirectory directory, int contextTokens, int headRows) {
        if (directory.manifest().model().headRows() != headRows) {
            throw new UnusableGuardException("guard.yaml of " + directory.origin() + " gives the model "
                    + directory.manifest().model().headRows() + " head-rows, but it has " + headRows);
        }
        GuardTokenizer tokenizer;
        try {
            tokenizer = GuardTokenizer.load(directory.tokenizerJson(), "tokenizer.json of " + directory.origin());
        } catch (UnusableTokenizerException e) {
            throw new UnusableGuardException(String.valueOf(e.getMessage()), e);
        }
        try {
            Prompts prompts = new Prompts(
                    directory,
                    GuardProfile.of(directory),
                    HazardList.of(directory.manifest()),
                    tokenizer,
                    contextTokens);
            prompts.requireRoom();
            return prompts;
        } catch (RuntimeException e) {
            tokenizer.close();
            throw e;
        }
    }

    private void requireRoom() {
        for (Role role : List.of(Role.USER, Role.ASSISTANT)) {
            int[] prompt;
            try {
                prompt = prompt(role, "a", directory.encoder().isPresent());
            } catch (IllegalArgumentException e) {
                throw new UnusableGuardException(directory.origin() + " cannot be used: " + e.getMessage(), e);
            }
            if (!leavesRoom(prompt)) {
                throw new UnusableGuardException("the context of " + directory.origin() + " must be at least "
                        + (prompt.length + LEAST_ROOM + reader.forcedTokens()) + " tokens for its template: "
                        + (room + reader.forcedTokens()));
            }
        }
    }

    private boolean leavesRoom(int[] template) {
        return template.length + LEAST_ROOM <= room;
    }

    GuardProfile profile() {
        return profile;
    }

    int places() {
        return directory.manifest().places();
    }

    /** What is said of a turn without text. */
    VerdictReader.Verdict harmless() {
        return reader.harmless();
    }

    /** These prompts with another list of hazards, or these; see {@link Guard#asking}. */
    Prompts asking(List<Hazard> hazards) {
        HazardList own = HazardList.of(directory.manifest());
        if (places() == 0 || hazards.isEmpty() || hazards.equals(own.hazards())) {
            return this;
        }
        HazardList other = own.asking(hazards);
        Prompts asking = new Prompts(
                directory,
                GuardProfile.of(directory).asking(other.hazards(), other.digest()),
                other,
                tokenizer,
                contextTokens);
        for (Role role : List.of(Role.USER, Role.ASSISTANT)) {
            int[] prompt = asking.prompt(role, "a", directory.encoder().isPresent());
            if (!asking.leavesRoom(prompt)) {
                throw new IllegalArgumentException(
                        "the guard's context of " + (asking.room + asking.reader.forcedTokens())
                                + " tokens leaves no room for a text beside this list of hazards: shorten the descriptions");
            }
        }
        return asking;
    }

    /** What all prompts about one speaker begin with. */
    int[] beginning(Role role) {
        int[] prompt = prompt(role, "a", false);
        int common = Arrays.mismatch(prompt, prompt(role, "1", false));
        return Arrays.copyOf(prompt, Math.max(common, 0));
    }

    /** What a decoder says of the last turn; where it sees an image, of the last turn in the light of it. */
    VerdictReader.Verdict verdict(List<Turn> turns, boolean image, Decoder decoder) throws InterruptedException {
        Optional<int[]> prompt = longestPrompt(turns, image);
        return prompt.isPresent() ? judge(prompt.get(), decoder) : inChunks(turns.getLast(), image, decoder);
    }

    /** The prompt with as many of the last turns as there is room for, or empty where there is none for the last one. */
    private Optional<int[]> longestPrompt(List<Turn> turns, boolean image) throws InterruptedException {
        Predicate<int[]> fits = prompt -> prompt.length <= room;
        Optional<int[]> best = Optional.of(prompt(turns, image)).filter(fits);
        if (best.isPresent() || turns.size() == 1) {
            return best;
        }
        int first = 1;
        int last = turns.size() - 1;
        while (first <= last) {
            stopIfInterrupted();
            int middle = (first + last) / 2;
            Optional<int[]> shorter = Optional.of(prompt(turns.subList(middle, turns.size()), image))
                    .filter(fits);
            if (shorter.isPresent()) {
                best = shorter;
                last = middle - 1;
            } else {
                first = middle + 1;
            }
        }
        return best;
    }

    private VerdictReader.Verdict inChunks(Turn subject, boolean image, Decoder decoder) throws InterruptedException {
        String text = String.join("\n\n", Dialogue.texts(subject));
        int frame = prompt(subject.role(), "", image).length;
        VerdictReader.Verdict worst = reader.harmless();
        double charactersPerToken = CHARACTERS_PER_TOKEN;
        int start = 0;
        while (true) {
            int end = Math.min(text.length(), whole(text, start + Math.max(2, (int) (charactersPerToken * room))));
            int[] prompt = prompt(subject.role(), text.substring(start, end), image);
            while (prompt.length > room) {
                stopIfInterrupted();
                double share = (double) (room - frame) / (prompt.length - frame);
                // a little less, so that it ends; two units at least: a pair of surrogates is not split
                end = whole(text, start + Math.max(2, (int) (0.98 * share * (end - start))));
                prompt = prompt(subject.role(), text.substring(start, end), image);
            }
            worst = worst.or(judge(prompt, decoder));
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

    private VerdictReader.Verdict judge(int[] prompt, Decoder decoder) throws InterruptedException {
        stopIfInterrupted();
        return reader.read(prompt, decoder);
    }

    private static void stopIfInterrupted() throws InterruptedException {
        if (Thread.interrupted()) {
            throw new InterruptedException();
        }
    }

    private int[] prompt(List<Turn> turns, boolean image) {
        return tokenizer.encode(family.render(dialogue(turns, image), list.categories()), room);
    }

    int[] prompt(Role role, String text, boolean image) {
        return tokenizer.encode(family.render(dialogue(List.of(Turn.of(role, text)), image), list.categories()));
    }

    private static Dialogue dialogue(List<Turn> turns, boolean image) {
        Conversation conversation = new Conversation(turns);
        return image ? Dialogue.about(conversation) : Dialogue.of(conversation);
    }

    @Override
    public void close() {
        tokenizer.close();
    }
}
