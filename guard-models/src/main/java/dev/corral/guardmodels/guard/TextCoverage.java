package dev.corral.guardmodels.guard;

import dev.corral.guardmodels.conversation.Image;
import dev.corral.guardmodels.conversation.Part;
import dev.corral.guardmodels.conversation.Turn;
import dev.corral.guardmodels.prompt.Dialogue;
import dev.corral.policies.assessment.Assessment;
import dev.corral.policies.assessment.Coverage;
import dev.corral.policies.assessment.Coverage.Extent;
import dev.corral.policies.assessment.Coverage.Unscanned;
import java.util.List;
import java.util.Optional;

/** What a guard that reads text only sees of a turn. */
public final class TextCoverage {

    static final String IMAGE = "image";
    private static final String BLIND =
            "the guard here reads text only; whoever runs Corral can add one that sees images"
                    + " with corral.guard.vision.directory";

    private TextCoverage() {}

    /**
     * The coverage of a turn; what is no text is named, whether the text was read or not.
     *
     * @param scanned characters that were read
     */
    public static Coverage of(Turn turn, long scanned) {
        long images =
                turn.parts().stream().filter(Part.ImagePart.class::isInstance).count();
        List<Unscanned> unscanned = turn.parts().stream()
                .map(TextCoverage::unscanned)
                .flatMap(Optional::stream)
                .toList();
        return new Coverage(new Extent(scanned, characters(turn)), new Extent(0, images), unscanned);
    }

    /** The same assessment without a word on images: they are another guard's. */
    public static Assessment withoutImages(Assessment assessment) {
        return switch (assessment) {
            case Assessment.Scored scored ->
                new Assessment.Scored(
                        scored.unsafe(),
                        scored.hazards(),
                        scored.unnamed(),
                        scored.meaning(),
                        withoutImages(scored.coverage()));
            case Assessment.Inconclusive inconclusive ->
                new Assessment.Inconclusive(
                        inconclusive.reason(), inconclusive.detail(), withoutImages(inconclusive.coverage()));
        };
    }

    private static Coverage withoutImages(Coverage coverage) {
        List<Unscanned> unscanned = coverage.unscanned().stream()
                .filter(part -> !part.what().equals(IMAGE))
                .toList();
        return new Coverage(coverage.characters(), Extent.NONE, unscanned);
    }

    /** Characters of a turn's texts, as the guard reads them. */
    static long characters(Turn turn) {
        return Dialogue.texts(turn).stream().mapToLong(String::length).sum();
    }

    static String unseen(Image image) {
        return image instanceof Image.Unavailable unavailable ? unavailable.why() : BLIND;
    }

    private static Optional<Unscanned> unscanned(Part any) {
        return switch (any) {
            case Part.ImagePart image -> Optional.of(new Unscanned(IMAGE, image.where(), unseen(image.image())));
            case Part.OpaquePart part -> Optional.of(new Unscanned(part.what(), part.where(), "no guard can read it"));
            case Part.TextPart _, Part.ToolCallPart _, Part.ToolResultPart _, Part.ToolDefinitionPart _ ->
                Optional.empty();
        };
    }
}
