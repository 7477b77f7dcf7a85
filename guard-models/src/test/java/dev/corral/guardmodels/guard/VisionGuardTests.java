package dev.corral.guardmodels.guard;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.within;

import dev.corral.guardmodels.Fixtures;
import dev.corral.guardmodels.conversation.Conversation;
import dev.corral.guardmodels.conversation.Image;
import dev.corral.guardmodels.conversation.Part;
import dev.corral.guardmodels.conversation.Role;
import dev.corral.guardmodels.conversation.Turn;
import dev.corral.guardmodels.image.PreprocessedImage;
import dev.corral.guardmodels.image.Tiling;
import dev.corral.guardmodels.onnx.Decoder;
import dev.corral.guardmodels.onnx.VisionModel;
import dev.corral.guardmodels.store.GuardStore;
import dev.corral.guardmodels.store.UnusableGuardException;
import dev.corral.policies.assessment.Assessment.Inconclusive;
import dev.corral.policies.assessment.Assessment.Reason;
import dev.corral.policies.assessment.Assessment.Scored;
import dev.corral.policies.assessment.Coverage.Extent;
import dev.corral.policies.assessment.Coverage.Unscanned;
import dev.corral.policies.taxonomy.StandardHazard;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class VisionGuardTests {

    private static final int IMAGE_TOKEN = 640;

    private static final String MANIFEST = """
            format: 1
            id: tiny-eyes
            family: llama-guard-3
            precision: fp32
            licence: none
            quality: "none: it is random"
            recommended-threshold: 0.5
            context: { tokens: 600, overlap: 32 }
            model: { layers: 4, kv-heads: 2, head-size: 16, head-rows: 5 }
            vision: { precision: int8, tile-size: 56, tiles: 4, tile-tokens: 17, layers: 2, image-token: %d }
            verdict:
              lead: [257]
              continuation: [262, 198, 50]
              safe: 0
              unsafe: 1
              hazards: { S1: 2, S2: 3, S9: 4 }
            made: { tool: test, recipe: fp32, source: { model.safetensors: abc } }
            """;

    @TempDir
    private Path directory;

    private final Eyes eyes = new Eyes();

    /** Finds an image as unsafe as its name says, S9 for the first and S1 for others; text 0.1. */
    private static final class Eyes implements VisionModel {

        private final List<String> seen = new ArrayList<>();
        private final List<int[]> asked = new ArrayList<>();
        private int open;
        private boolean closed;

        @Override
        public Sighted seeing(PreprocessedImage image) throws InterruptedException {
            if (Thread.interrupted()) {
                throw new InterruptedException();
            }
            seen.add(image.sha256());
            open++;
            float logit = Float.parseFloat(image.sha256());
            int hazard = seen.size() == 1 ? 4 : 2;
            return new Sighted() {
                @Override
                public float[][] logits(int[] tokens, int[] rows) {
                    asked.add(tokens);
                    return answer(logit, hazard);
                }

                @Override
                public void close() {
                    open--;
                }
            };
        }

        @Override
        public long encodedImages() {
            return seen.size();
        }

        @Override
        public Decoder blind() {
            return (tokens, _) -> {
                asked.add(tokens);
                return answer(-3, 3);
            };
        }

        private static float[][] answer(float unsafe, int hazard) {
            float[] hazards = {50, 50, 0, 0, 0};
            hazards[hazard] = 5;
            return new float[][] {{0, unsafe, 50, 50, 50}, hazards};
        }

        @Override
        public int contextTokens() {
            return 600;
        }

        @Override
        public int headRows() {
            return 5;
        }

        @Override
        public void close() {
            closed = true;
        }
    }

    private static List<PreprocessedImage> read(Part.ImagePart part) {
        String url = ((Image.Reference) part.image()).url();
        if (url.startsWith("bad")) {
            throw new UnreadableImageException("the file ends too early");
        }
        return List.of(url.split(",", -1)).stream()
                .map(logit -> new PreprocessedImage(new float[0], new Tiling(1, 1, 56, 56, 1, 4), logit))
                .toList();
    }

    private Guard guard(int imageToken) throws IOException {
        Files.writeString(directory.resolve("guard.yaml"), MANIFEST.formatted(imageToken));
        Files.writeString(directory.resolve("model.onnx"), "no model");
        Files.writeString(directory.resolve("vision.onnx"), "no model");
        Files.write(directory.resolve("tokenizer.json"), Fixtures.bytes("/fixtures/tiny-mllama-guard/tokenizer.json"));
        GuardStore.seal(directory);
        return VisionGuard.of(GuardStore.open(directory), eyes, VisionGuardTests::read);
    }

    private Scored scored(Turn... turns) throws IOException {
        try (Guard guard = guard(IMAGE_TOKEN)) {
            return (Scored) guard.assess(new Conversation(List.of(turns)));
        }
    }

    private static Part image(String url, String where) {
        return new Part.ImagePart(url, where);
    }

    private static Part text(String text) {
        return new Part.TextPart(text, "t");
    }

    private static double probability(double logit) {
        return 1 / (1 + Math.exp(-logit));
    }

    @Test
    void assessWhenSeveralTurnsHaveImagesJudgesEachAndTheWorstCounts() throws IOException {
        Scored scored = scored(
                new Turn(Role.USER, List.of(image("2", "m0.0"), text("What is this?"), image("-4", "m0.2"))),
                Turn.of(Role.ASSISTANT, "A cat."),
                new Turn(Role.USER, List.of(text("And this?"), image("-1", "m2.1"))));
        assertThat(eyes.seen).containsExactly("2", "-4", "-1");
        assertThat(eyes.open).isZero();
        assertThat(scored.unsafe().value()).isCloseTo(probability(2), within(1e-9));
        assertThat(scored.hazards().get(StandardHazard.S9).value()).isGreaterThan(0.8);
        assertThat(scored.coverage().images()).isEqualTo(new Extent(3, 3));
        assertThat(scored.coverage().characters()).isEqualTo(new Extent(9, 9));
        assertThat(scored.coverage().unscanned()).isEmpty();
        assertThat(eyes.asked)
                .allSatisfy(tokens -> assertThat(tokens).startsWith(608, 614).contains(IMAGE_TOKEN))
                .hasSize(3);
        assertThat(eyes.asked.getFirst()[5]).isEqualTo(IMAGE_TOKEN);
    }

    @Test
    void assessWhenImageIsAnAnimationJudgesEachFrame() throws IOException {
        Scored scored = scored(new Turn(Role.USER, List.of(image("-5,3,-5", "m0.0"))));
        assertThat(eyes.seen).containsExactly("-5", "3", "-5");
        assertThat(scored.unsafe().value()).isCloseTo(probability(3), within(1e-9));
        assertThat(scored.coverage().images()).isEqualTo(new Extent(1, 1));
    }

    @Test
    void assessWhenAnImageCannotBeReadNamesItAndJudgesTheOthers() throws IOException {
        Scored scored = scored(new Turn(
                Role.USER, List.of(image("bad", "messages[0].content[0]"), image("1", "messages[0].content[1]"))));
        assertThat(scored.unsafe().value()).isCloseTo(probability(1), within(1e-9));
        assertThat(scored.coverage().images()).isEqualTo(new Extent(1, 2));
        assertThat(scored.coverage().unscanned())
                .containsExactly(new Unscanned("image", "messages[0].content[0]", "the file ends too early"));
    }

    @Test
    void assessWhenThereIsNoImageJudgesTheTextBlindly() throws IOException {
        Scored scored = scored(Turn.of(Role.USER, "Hello"));
        assertThat(eyes.seen).isEmpty();
        assertThat(scored.unsafe().value()).isCloseTo(probability(-3), within(1e-9));
        assertThat(eyes.asked.getFirst()).doesNotContain(IMAGE_TOKEN);
        assertThat(scored.coverage().images()).isEqualTo(Extent.NONE);
    }

    @Test
    void assessWhenInterruptedIsInconclusiveAndHasSeenNothing() throws IOException {
        try (Guard guard = guard(IMAGE_TOKEN)) {
            Thread.currentThread().interrupt();
            Inconclusive inconclusive = (Inconclusive) guard.assess(
                    new Conversation(List.of(new Turn(Role.USER, List.of(image("1", "w"))))));
            assertThat(Thread.interrupted()).isTrue();
            assertThat(inconclusive.reason()).isEqualTo(Reason.TIMEOUT);
            assertThat(inconclusive.coverage().images()).isEqualTo(new Extent(0, 1));
        }
        assertThat(eyes.closed).isTrue();
    }

    @Test
    void assessWhenTextIsLongJudgesAllChunksBesideTheImage() throws IOException {
        Scored scored = scored(new Turn(Role.USER, List.of(text("a long word ".repeat(300)), image("0", "w"))));
        assertThat(eyes.asked)
                .hasSizeGreaterThan(2)
                .allSatisfy(tokens -> assertThat(tokens).contains(IMAGE_TOKEN).hasSizeLessThanOrEqualTo(600));
        assertThat(scored.unsafe().value()).isCloseTo(0.5, within(1e-9));
    }

    @Test
    void askingWhenOtherHazardsSharesTheModelAndHasAnotherFingerprint() throws IOException {
        try (Guard guard = guard(IMAGE_TOKEN)) {
            Guard asking = guard.asking(List.of(StandardHazard.S1));
            assertThat(asking.profile().fingerprint())
                    .isNotEqualTo(guard.profile().fingerprint());
            assertThat(asking.assess(new Conversation(List.of(new Turn(Role.USER, List.of(image("1", "w")))))))
                    .isInstanceOfSatisfying(
                            Scored.class, scored -> assertThat(scored.hazards()).containsOnlyKeys(StandardHazard.S1));
        }
    }

    @Test
    void ofWhenTokenizerHasAnotherImageTokenIsRefused() {
        assertThatExceptionOfType(UnusableGuardException.class)
                .isThrownBy(() -> guard(641))
                .withMessageContaining("the image's token is 641")
                .withMessageContaining("tokenizer.json");
    }
}
