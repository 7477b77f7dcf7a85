package dev.corral.guardmodels.guard;

import dev.corral.guardmodels.conversation.Conversation;
import dev.corral.guardmodels.conversation.Image;
import dev.corral.guardmodels.conversation.Part;
import dev.corral.guardmodels.conversation.Part.ImagePart;
import dev.corral.guardmodels.conversation.Role;
import dev.corral.guardmodels.conversation.Turn;
import dev.corral.guardmodels.image.PreprocessedImage;
import dev.corral.guardmodels.onnx.VisionModel;
import dev.corral.guardmodels.prompt.Dialogue;
import dev.corral.guardmodels.store.GuardDirectory;
import dev.corral.guardmodels.store.UnusableGuardException;
import dev.corral.policies.assessment.Assessment;
import dev.corral.policies.assessment.Coverage;
import dev.corral.policies.assessment.Coverage.Extent;
import dev.corral.policies.assessment.Coverage.Unscanned;
import dev.corral.policies.taxonomy.Hazard;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;

/**
 * A guard that sees images, read in one pass as {@link TextGuard} is.
 *
 * <p>Its model sees one image at a time. So the last turn is judged once for each image of the whole conversation, beside
 * all that was said, and the highest probability counts; each frame of an animation is an image of its own. Coverage tells
 * of the judged turn's text and of all images. A conversation without images is judged as text.
 */
public final class VisionGuard implements Guard {

    private final Prompts prompts;
    private final VisionModel model;
    private final ImageReader images;

    private VisionGuard(Prompts prompts, VisionModel model, ImageReader images) {
        this.prompts = prompts;
        this.model = model;
        this.images = images;
    }

    /**
     * A guard of a directory's words and a loaded model; it closes the model when it is closed.
     *
     * @param images prepares images as the model takes them
     * @throws UnusableGuardException if the tokenizer cannot be used, or does not fit the model
     */
    public static VisionGuard of(GuardDirectory directory, VisionModel model, ImageReader images) {
        int imageToken = directory
                .manifest()
                .vision()
                .orElseThrow(() -> new UnusableGuardException(
                        directory.origin() + " sees no images: guard.yaml has no" + " 'vision'"))
                .shape()
                .imageToken();
        Prompts prompts = Prompts.of(directory, model.contextTokens(), model.headRows());
        int[] prompt = prompts.prompt(Role.USER, "a", true);
        if (IntStream.of(prompt).noneMatch(token -> token == imageToken)) {
            prompts.close();
            throw new UnusableGuardException("guard.yaml of " + directory.origin() + " says that the image's token is "
                    + imageToken + ", but tokenizer.json has another: take the tokenizer of the model itself");
        }
        return new VisionGuard(prompts, model, images);
    }

    @Override
    public GuardProfile profile() {
        return prompts.profile();
    }

    /** Images that the model looked at since it was loaded; those that it remembered are not among them. */
    public long encodedImages() {
        return model.encodedImages();
    }

    @Override
    public int places() {
        return prompts.places();
    }

    @Override
    public Guard asking(List<Hazard> hazards) {
        Prompts asking = prompts.asking(hazards);
        return asking == prompts ? this : new VisionGuard(asking, model, images);
    }

    @Override
    public Assessment assess(Conversation conversation) {
        List<ImagePart> parts = imagesOf(conversation);
        Turn subject = conversation.turns().getLast();
        Coverage nothing = unjudged(conversation);
        try {
            Seen seen = new Seen(spoken(conversation.turns()));
            for (ImagePart part : parts) {
                seen.look(part);
            }
            VerdictReader.Verdict verdict = seen.verdict();
            Extent images = new Extent(parts.size() - seen.unscanned.size(), parts.size());
            return verdict.scored(coverage(subject, TextCoverage.characters(subject), images, seen.unscanned));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return Failure.interrupted(nothing);
        } catch (RuntimeException e) {
            return Failure.of(e, nothing);
        }
    }

    /**
     * What is known of a conversation that a guard for images came to no verdict on: only what there is no file of is
     * unscanned, whoever looks.
     */
    public static Coverage unjudged(Conversation conversation) {
        List<ImagePart> parts = imagesOf(conversation);
        List<Unscanned> unscanned = parts.stream()
                .filter(part -> part.image() instanceof Image.Unavailable)
                .map(part -> new Unscanned(TextCoverage.IMAGE, part.where(), TextCoverage.unseen(part.image())))
                .toList();
        return coverage(conversation.turns().getLast(), 0, new Extent(0, parts.size()), unscanned);
    }

    /** The images of all turns, oldest first. */
    public static List<ImagePart> imagesOf(Conversation conversation) {
        return conversation.turns().stream()
                .flatMap(turn -> turn.parts().stream())
                .filter(ImagePart.class::isInstance)
                .map(ImagePart.class::cast)
                .toList();
    }

    /**
     * A conversation for each image, oldest first, with all that is said and no other image. Who asks a guard for each of
     * them keeps what it found in one image when it has no verdict on the next.
     */
    public static List<Conversation> oneImageEach(Conversation conversation) {
        return imagesOf(conversation).stream()
                .map(image -> new Conversation(conversation.turns().stream()
                        .map(turn -> without(turn, image))
                        .toList()))
                .toList();
    }

    /** The turn without images but this one; what was a turn of other images says nothing. */
    private static Turn without(Turn turn, ImagePart kept) {
        List<Part> parts = turn.parts().stream()
                .filter(part -> !(part instanceof ImagePart) || part.equals(kept))
                .toList();
        return parts.isEmpty() && !turn.parts().isEmpty() ? Turn.of(turn.role(), "") : new Turn(turn.role(), parts);
    }

    /** The turns up to the last one that a prompt can have. */
    private static List<Turn> spoken(List<Turn> turns) {
        int end = turns.size();
        while (end > 0 && isSilent(turns.get(end - 1))) {
            end--;
        }
        return turns.subList(0, end);
    }

    private static boolean isSilent(Turn turn) {
        return turn.parts().stream().allMatch(Part.OpaquePart.class::isInstance);
    }

    private static Coverage coverage(Turn subject, long characters, Extent images, List<Unscanned> unseen) {
        Coverage text = TextCoverage.of(subject, characters);
        List<Unscanned> unscanned = new ArrayList<>(unseen);
        text.unscanned().stream()
                .filter(part -> !part.what().equals(TextCoverage.IMAGE))
                .forEach(unscanned::add);
        return new Coverage(text.characters(), images, unscanned);
    }

    @Override
    public void close() {
        prompts.close();
        model.close();
    }

    /** What was seen of a conversation so far. */
    private final class Seen {

        private final List<Turn> turns;
        private final List<VerdictReader.Verdict> verdicts = new ArrayList<>();
        private final List<Unscanned> unscanned = new ArrayList<>();

        Seen(List<Turn> turns) {
            this.turns = turns;
        }

        void look(ImagePart part) throws InterruptedException {
            List<PreprocessedImage> pictures;
            try {
                pictures = images.read(part);
            } catch (UnreadableImageException e) {
                unscanned.add(new Unscanned(TextCoverage.IMAGE, part.where(), String.valueOf(e.getMessage())));
                return;
            }
            for (PreprocessedImage picture : pictures) {
                try (VisionModel.Sighted decoder = model.seeing(picture)) {
                    verdicts.add(prompts.verdict(turns, true, decoder));
                }
            }
        }

        /** The highest of all; that of the text where nothing was seen. */
        VerdictReader.Verdict verdict() throws InterruptedException {
            if (!verdicts.isEmpty()) {
                return verdicts.stream().reduce(VerdictReader.Verdict::or).orElseThrow();
            }
            boolean silent =
                    turns.isEmpty() || Dialogue.texts(turns.getLast()).stream().allMatch(String::isBlank);
            return silent ? prompts.harmless() : prompts.verdict(turns, false, model.blind());
        }
    }
}
