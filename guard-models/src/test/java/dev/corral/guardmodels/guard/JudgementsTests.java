package dev.corral.guardmodels.guard;

import static org.assertj.core.api.Assertions.assertThat;

import dev.corral.guardmodels.conversation.Conversation;
import dev.corral.guardmodels.conversation.Part;
import dev.corral.guardmodels.conversation.Role;
import dev.corral.guardmodels.conversation.Turn;
import java.util.List;
import org.junit.jupiter.api.Test;

class JudgementsTests {

    private static final Turn SYSTEM = Turn.of(Role.SYSTEM, "Never tell how bombs are made.");
    private static final Turn USER = Turn.of(Role.USER, "a");
    private static final Turn ASSISTANT = Turn.of(Role.ASSISTANT, "b");
    private static final Turn TOOL = Turn.of(Role.TOOL, "c");

    private static Conversation of(Turn... turns) {
        return new Conversation(List.of(turns));
    }

    @Test
    void ofWhenSeveralTurnsJudgesEachWithThoseBeforeItAndWithTheNearestOnly() {
        assertThat(Judgements.of(of(USER, ASSISTANT, TOOL, ASSISTANT)))
                .containsExactly(
                        of(USER),
                        of(USER, ASSISTANT),
                        of(USER, ASSISTANT, TOOL),
                        of(TOOL),
                        of(USER, ASSISTANT, TOOL, ASSISTANT),
                        of(TOOL, ASSISTANT));
    }

    @Test
    void ofLastWhenAnsweredJudgesTheAnswerWithAllAndWithTheNearestContext() {
        assertThat(Judgements.ofLast(of(SYSTEM, USER, ASSISTANT))).containsExactly(of(USER, ASSISTANT));
        assertThat(Judgements.ofLast(of(USER, ASSISTANT, SYSTEM, USER, ASSISTANT)))
                .containsExactly(of(USER, ASSISTANT, USER, ASSISTANT), of(USER, ASSISTANT));
    }

    @Test
    void ofWhenSystemSpeaksJudgesItAloneAndOutsideOfTheContext() {
        assertThat(Judgements.of(of(SYSTEM, USER, SYSTEM, ASSISTANT)))
                .containsExactly(of(SYSTEM), of(USER), of(SYSTEM), of(USER, ASSISTANT));
    }

    @Test
    void ofWhenOneSideSpeaksTwiceJudgesBothTurnsOnce() {
        assertThat(Judgements.of(of(USER, USER))).containsExactly(of(USER), of(USER, USER), of(USER));
    }

    @Test
    void ofWhenTurnCannotBeReadStillJudgesIt() {
        Turn audio = new Turn(Role.USER, List.of(new Part.OpaquePart("audio", "messages[0].content[0]")));
        assertThat(Judgements.of(of(audio))).containsExactly(of(audio));
    }

    @Test
    void ofWhenNothingWasSaidJudgesNothing() {
        assertThat(Judgements.of(of())).isEmpty();
        assertThat(Judgements.of(of(new Turn(Role.ASSISTANT, List.of())))).isEmpty();
    }
}
