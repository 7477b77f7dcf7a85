package dev.corral.guardmodels.prompt;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import dev.corral.guardmodels.conversation.Conversation;
import dev.corral.guardmodels.conversation.Part;
import dev.corral.guardmodels.conversation.Role;
import dev.corral.guardmodels.conversation.Turn;
import dev.corral.guardmodels.prompt.Dialogue.Utterance;
import java.util.List;
import org.junit.jupiter.api.Test;

class DialogueTests {

    private static Dialogue of(Turn... turns) {
        return Dialogue.of(new Conversation(List.of(turns)));
    }

    @Test
    void ofWhenRolesAlternateKeepsThem() {
        assertThat(of(Turn.of(Role.USER, "a"), Turn.of(Role.ASSISTANT, "b")).utterances())
                .containsExactly(new Utterance(Speaker.USER, List.of("a")), new Utterance(Speaker.AGENT, List.of("b")));
    }

    @Test
    void ofWhenOneSideSpeaksTwiceMakesOneUtteranceOfIt() {
        Dialogue dialogue = of(
                Turn.of(Role.SYSTEM, "s"),
                Turn.of(Role.USER, "u"),
                Turn.of(Role.ASSISTANT, "a"),
                Turn.of(Role.ASSISTANT, "b"),
                Turn.of(Role.TOOL, "t"),
                Turn.of(Role.USER, "v"));
        assertThat(dialogue.utterances())
                .containsExactly(
                        new Utterance(Speaker.USER, List.of("s", "u")),
                        new Utterance(Speaker.AGENT, List.of("a", "b")),
                        new Utterance(Speaker.USER, List.of("t", "v")));
        assertThat(dialogue.judged()).isEqualTo(Speaker.USER);
    }

    @Test
    void ofWhenAgentSpeaksFirstLetsTheUserSayNothing() {
        Dialogue dialogue = of(Turn.of(Role.ASSISTANT, "a"));
        assertThat(dialogue.utterances())
                .containsExactly(new Utterance(Speaker.USER, List.of("")), new Utterance(Speaker.AGENT, List.of("a")));
        assertThat(dialogue.judged()).isEqualTo(Speaker.AGENT);
        assertThat(GuardFamily.LLAMA_GUARD_3.render(dialogue, List.of()))
                .anySatisfy(segment -> assertThat(segment)
                        .isInstanceOfSatisfying(
                                Segment.Text.class,
                                text -> assertThat(text.text()).isEqualTo("User: \n\nAgent: a\n\n")));
    }

    @Test
    void textsWhenPartsAreMixedReadsAllThatIsText() {
        Turn turn = new Turn(
                Role.ASSISTANT,
                List.of(
                        new Part.TextPart("t", "0"),
                        new Part.ImagePart("data:", "1"),
                        new Part.ToolCallPart("search", "{\"q\": 1}", "2"),
                        new Part.ToolResultPart("found", "3"),
                        new Part.OpaquePart("audio", "4")));
        assertThat(Dialogue.texts(turn)).containsExactly("t", "search({\"q\": 1})", "found");
    }

    @Test
    void aboutWhenTurnHasImagesAloneIsAnUtteranceWithoutText() {
        Turn image = new Turn(Role.USER, List.of(new Part.ImagePart("data:", "0")));
        Dialogue dialogue = Dialogue.about(new Conversation(List.of(image, Turn.of(Role.ASSISTANT, "a"))));
        assertThat(dialogue.image()).isTrue();
        assertThat(dialogue.utterances())
                .containsExactly(new Utterance(Speaker.USER, List.of()), new Utterance(Speaker.AGENT, List.of("a")));
    }

    @Test
    void dialogueWhenEmptyIsRefused() {
        assertThatIllegalArgumentException().isThrownBy(() -> new Dialogue(List.of()));
        assertThatIllegalArgumentException()
                .isThrownBy(() -> new Dialogue(List.of(new Utterance(Speaker.USER, List.of()))));
    }
}
