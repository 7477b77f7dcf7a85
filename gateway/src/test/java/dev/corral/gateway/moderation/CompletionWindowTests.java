package dev.corral.gateway.moderation;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import dev.corral.gateway.dialect.FrameContent;
import dev.corral.gateway.moderation.CompletionWindow.Reason;
import dev.corral.gateway.moderation.CompletionWindow.Step;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class CompletionWindowTests {

    private final CompletionWindow window = new CompletionWindow(5, 10);

    @Test
    void offerWhenNothingIsHeldLetsAnEmptyFramePass() {
        assertThat(sent(window.offer(frame("role"), FrameContent.of(0)))).containsExactly("role");
    }

    @Test
    void offerWhenTheFirstWindowFillsUpAsksForAJudgement() {
        assertThat(window.offer(frame("a"), FrameContent.of(4))).isEqualTo(new Step.Hold());
        assertThat(window.offer(frame("b"), FrameContent.of(1))).isEqualTo(new Step.Judge(Reason.FIRST_WINDOW));
        assertThat(sent(window.release())).containsExactly("a", "b");
    }

    @Test
    void offerWhenTheFirstWindowIsOutHoldsTheLargerOne() {
        window.offer(frame("a"), FrameContent.of(5));
        window.release();

        assertThat(window.offer(frame("b"), FrameContent.of(9))).isEqualTo(new Step.Hold());
        assertThat(window.offer(frame("c"), FrameContent.of(1))).isEqualTo(new Step.Judge(Reason.WINDOW));
        assertThat(sent(window.release())).containsExactly("b", "c");
    }

    @Test
    void offerWhenVoicesComeByTurnsAsksWhenOneOfThemFillsItsWindow() {
        assertThat(window.offer(frame("a"), FrameContent.of(4))).isEqualTo(new Step.Hold());
        assertThat(window.offer(frame("b"), FrameContent.of("choices[1]", 4))).isEqualTo(new Step.Hold());
        assertThat(window.offer(frame("c"), FrameContent.of("call", 4))).isEqualTo(new Step.Hold());
        assertThat(window.offer(frame("d"), FrameContent.of("choices[1]", 1)))
                .isEqualTo(new Step.Judge(Reason.FIRST_WINDOW));
        assertThat(sent(window.release())).containsExactly("a", "b", "c", "d");
        assertThat(window.mostHeldCharacters()).isEqualTo(13);
        assertThat(window.offer(frame("e"), FrameContent.of(9))).isEqualTo(new Step.Hold());
    }

    @Test
    void elapsedWhenSomethingOfThatWindowIsHeldAsksForAJudgement() {
        int number = window.windows();
        assertThat(window.elapsed(number)).isEqualTo(new Step.Hold());
        window.offer(frame("a"), FrameContent.of(1));
        assertThat(window.elapsed(number)).isEqualTo(new Step.Judge(Reason.TIME));
        window.release();

        window.offer(frame("b"), FrameContent.of(1));
        assertThat(window.elapsed(number)).isEqualTo(new Step.Hold());
        window.drop();
        assertThat(window.elapsed(window.windows())).isEqualTo(new Step.Hold());
    }

    @Test
    void offerWhenSomethingIsHeldKeepsAnEmptyFrameBehindIt() {
        window.offer(frame("a"), FrameContent.of(1));

        assertThat(window.offer(frame("ping"), FrameContent.of(0))).isEqualTo(new Step.Hold());
        assertThat(window.end()).isEqualTo(new Step.Judge(Reason.END));
        assertThat(sent(window.release())).containsExactly("a", "ping");
    }

    @Test
    void offerWhenTheAnswerEndsAsksForAJudgementOfWhatIsHeld() {
        window.offer(frame("a"), FrameContent.of(1));

        assertThat(window.offer(frame("done"), FrameContent.last())).isEqualTo(new Step.Judge(Reason.END));
        assertThat(sent(window.release())).containsExactly("a", "done");
        assertThat(window.end()).isEqualTo(new Step.Release(List.of()));
    }

    @Test
    void offerWhenEverythingWasJudgedLetsTheLastFramePass() {
        window.offer(frame("a"), FrameContent.of(5));
        window.release();

        assertThat(sent(window.offer(frame("done"), FrameContent.last()))).containsExactly("done");
    }

    @Test
    void dropWhenAFrameComesAfterwardsWithholdsItToo() {
        window.offer(frame("a"), FrameContent.of(5));

        window.drop();

        assertThat(window.release()).isEmpty();
        assertThat(window.offer(frame("b"), FrameContent.of(7))).isEqualTo(new Step.Hold());
        assertThat(window.end()).isEqualTo(new Step.Hold());
        assertThat(window.withheldCharacters()).isEqualTo(12);
    }

    @Test
    void dropWhenAnotherThreadOffersAtThatMomentLosesCountOfNothing() throws InterruptedException {
        for (int round = 0; round < 200; round++) {
            CompletionWindow raced = new CompletionWindow(5, 10);
            Thread leaver = Thread.ofPlatform().start(raced::drop);
            for (int i = 0; i < 50; i++) {
                if (raced.offer(frame("a"), FrameContent.of(1)) instanceof Step.Judge) {
                    raced.release();
                }
            }
            leaver.join();
            assertThat(raced.releasedCharacters() + raced.withheldCharacters()).isEqualTo(50);
        }
    }

    @Test
    void endWhenTheConnectionEndsWithoutALastFrameAsksForAJudgement() {
        window.offer(frame("a"), FrameContent.of(1));

        assertThat(window.end()).isEqualTo(new Step.Judge(Reason.END));
    }

    @Test
    void offerWhenEmptyFramesPileUpAsksForAJudgement() {
        window.offer(frame("a"), FrameContent.of(1));
        for (int i = 1; i < CompletionWindow.MAX_HELD_EMPTY_FRAMES; i++) {
            assertThat(window.offer(frame("ping"), FrameContent.of(0))).isEqualTo(new Step.Hold());
        }

        assertThat(window.offer(frame("ping"), FrameContent.of(0))).isEqualTo(new Step.Judge(Reason.BACKLOG));
    }

    @Test
    void offerWhenBytesPileUpAsksForAJudgement() {
        assertThat(window.offer(new byte[CompletionWindow.MAX_HELD_BYTES], FrameContent.of(1)))
                .isEqualTo(new Step.Judge(Reason.BACKLOG));
    }

    @Test
    void dropWhenBlockedLeavesNothingToSend() {
        window.offer(frame("a"), FrameContent.of(5));
        window.release();
        window.offer(frame("b"), FrameContent.of(3));
        window.offer(frame("c"), FrameContent.of(7));

        window.drop();

        assertThat(window.releasedCharacters()).isEqualTo(5);
        assertThat(window.withheldCharacters()).isEqualTo(10);
        assertThat(window.heldCharacters()).isZero();
        assertThat(window.release()).isEmpty();
    }

    @Test
    void offerWhenAJudgementIsDueThrows() {
        window.offer(frame("a"), FrameContent.of(5));

        assertThatExceptionOfType(IllegalStateException.class)
                .isThrownBy(() -> window.offer(frame("b"), FrameContent.of(1)))
                .withMessageContaining("JUDGING");
        assertThatExceptionOfType(IllegalStateException.class).isThrownBy(window::end);
    }

    @Test
    void releaseWhenNoJudgementIsDueThrows() {
        window.offer(frame("a"), FrameContent.of(1));

        assertThatExceptionOfType(IllegalStateException.class).isThrownBy(window::release);
    }

    @Test
    void newWindowWhenItHasNoCharactersThrows() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> new CompletionWindow(0, 1))
                .withMessageContaining("first window 0, window 1");
        assertThatIllegalArgumentException().isThrownBy(() -> new CompletionWindow(1, 0));
    }

    @Test
    void offerWhenFramesComeAtRandomReleasesOnlyWhatWasJudgedInOrderAndLosesNothing() {
        for (int seed = 0; seed < 2_000; seed++) {
            Random random = new Random(seed);
            CompletionWindow window = new CompletionWindow(1 + random.nextInt(20), 1 + random.nextInt(60));
            boolean isBlocked = random.nextInt(4) == 0;
            int frames = random.nextInt(60);
            int blockAt = random.nextInt(frames + 1);
            List<String> offered = new ArrayList<>();
            List<String> released = new ArrayList<>();
            long judgedCharacters = 0;
            long offeredCharacters = 0;
            Step step = new Step.Hold();
            boolean blocked = false;
            for (int i = 0; i <= frames && !blocked; i++) {
                if (i == frames) {
                    step = window.end();
                } else {
                    int characters = random.nextInt(3) == 0 ? 0 : random.nextInt(15);
                    offered.add("frame " + i);
                    offeredCharacters += characters;
                    step = window.offer(frame("frame " + i), FrameContent.of(characters));
                }
                switch (step) {
                    case Step.Release release -> released.addAll(sent(release));
                    case Step.Hold hold -> {}
                    case Step.Judge judge -> {
                        if (isBlocked && i >= blockAt) {
                            window.drop();
                            blocked = true;
                        } else {
                            judgedCharacters = offeredCharacters;
                            released.addAll(sent(window.release()));
                        }
                    }
                }
                assertThat(window.releasedCharacters())
                        .as("seed %d: released is judged", seed)
                        .isLessThanOrEqualTo(judgedCharacters);
                assertThat(released).as("seed %d: order", seed).isEqualTo(offered.subList(0, released.size()));
            }
            assertThat(window.releasedCharacters() + window.withheldCharacters())
                    .as("seed %d: accounts", seed)
                    .isEqualTo(offeredCharacters);
            if (!blocked) {
                assertThat(released).as("seed %d: nothing lost", seed).isEqualTo(offered);
            }
        }
    }

    private static byte[] frame(String text) {
        return text.getBytes(UTF_8);
    }

    private static List<String> sent(Step step) {
        assertThat(step).isInstanceOf(Step.Release.class);
        return sent(((Step.Release) step).frames());
    }

    private static List<String> sent(List<byte[]> frames) {
        return frames.stream().map(frame -> new String(frame, UTF_8)).toList();
    }
}
