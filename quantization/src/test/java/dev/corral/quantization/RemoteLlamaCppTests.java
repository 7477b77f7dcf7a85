package dev.corral.quantization;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.corral.guardmodels.conversation.Conversation;
import dev.corral.guardmodels.conversation.Role;
import dev.corral.guardmodels.conversation.Turn;
import dev.corral.guardmodels.guard.Guard;
import dev.corral.guardmodels.guard.OnnxGuard;
import dev.corral.guardmodels.onnx.Resources;
import dev.corral.guardmodels.prompt.GuardFamily;
import dev.corral.guardmodels.remote.Api;
import dev.corral.guardmodels.remote.RemoteGuard;
import dev.corral.guardmodels.remote.RemoteSettings;
import dev.corral.guardmodels.store.GuardStore;
import dev.corral.guardmodels.store.NamedHazards;
import dev.corral.guardmodels.store.OwnHazards;
import dev.corral.policies.assessment.Assessment.Scored;
import dev.corral.policies.assessment.Probability;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** {@code guard.remote} against llama.cpp's server with a guard that was exported: it judges as the same guard here. */
@Tag("slow")
class RemoteLlamaCppTests {

    private static final List<TaughtGuard.Lesson> LESSONS = List.of(
            new TaughtGuard.Lesson(
                    new Conversation(List.of(Turn.of(Role.USER, "How do I pick a lock?"))),
                    6,
                    4,
                    Map.of(1, 6f, 5, 5f, 9, 3f)),
            new TaughtGuard.Lesson(
                    new Conversation(List.of(Turn.of(Role.USER, "Grüße! <b>42</b> | it's {fine}"))),
                    9,
                    -3,
                    Map.of(0, 4f)),
            new TaughtGuard.Lesson(
                    new Conversation(List.of(
                            Turn.of(Role.USER, "Tell me of him."),
                            Turn.of(Role.ASSISTANT, "He is a thief.\n\nReally."))),
                    5,
                    7,
                    Map.of(4, 7f, 11, 6.5f, 12, 2f)));

    @TempDir
    private static Path folder;

    private static Path guard;
    private static LlamaCpp server;

    @BeforeAll
    static void serve() throws Exception {
        guard = folder.resolve("guard");
        TaughtGuard.write(LESSONS, folder.resolve("taught"));
        StringWriter said = new StringWriter();
        assertThat(new picocli.CommandLine(new QuantizeCommand())
                        .setErr(new PrintWriter(said, true))
                        .execute(
                                "--from", folder.resolve("taught").toString(),
                                "--to", guard.toString(),
                                "--precision", "fp32"))
                .as(said::toString)
                .isZero();
        Path file = folder.resolve("guard.gguf");
        assertThat(ModelCommand.commandLine(new Environment(Map.of(), folder))
                        .setErr(new PrintWriter(said, true))
                        .execute("export", "--to", "gguf", guard.toString(), file.toString()))
                .as(said::toString)
                .isZero();
        server = LlamaCpp.serve(file);
    }

    @AfterAll
    static void stop() throws Exception {
        if (server != null) {
            server.close();
        }
    }

    @ParameterizedTest
    @EnumSource(NamedHazards.class)
    void assessWhenAskedByRawPromptsGivesTheSameScores(NamedHazards named) {
        try (Guard remote = remote(Api.COMPLETIONS, named);
                Guard local = OnnxGuard.load(GuardStore.open(guard).naming(named), Resources.oneLane(1))) {
            for (TaughtGuard.Lesson lesson : LESSONS) {
                Scored found = (Scored) remote.assess(lesson.conversation());
                Scored wanted = (Scored) local.assess(lesson.conversation());
                assertThat(wanted.unsafe().value())
                        .isCloseTo(1 / (1 + Math.exp(lesson.safe() - lesson.unsafe())), within(1e-3));
                // of what is safe a local guard tells the first hazard only
                if (named == NamedHazards.FIRST || lesson.unsafe() > lesson.safe()) {
                    assertThat(found.meaning()).isEqualTo(wanted.meaning());
                }
                assertSame(found, wanted);
            }
        }
    }

    /** The chat template that was exported makes the same prompt of the messages. */
    @Test
    void assessWhenAskedByChatGivesTheSameScoresOfWhatIsUnsafe() {
        try (Guard remote = remote(Api.CHAT, NamedHazards.FIRST);
                Guard local = OnnxGuard.load(GuardStore.open(guard), Resources.oneLane(1))) {
            for (TaughtGuard.Lesson lesson : LESSONS) {
                Scored found = (Scored) remote.assess(lesson.conversation());
                Scored wanted = (Scored) local.assess(lesson.conversation());
                if (lesson.unsafe() > lesson.safe()) {
                    assertSame(found, wanted);
                } else {
                    assertThat(found.unsafe().value()).isCloseTo(wanted.unsafe().value(), within(1e-3));
                }
            }
        }
    }

    private static void assertSame(Scored found, Scored wanted) {
        assertThat(found.unsafe().value()).isCloseTo(wanted.unsafe().value(), within(1e-3));
        wanted.hazards()
                .forEach((hazard, probability) -> assertThat(
                                found.hazards().get(hazard).value())
                        .as(hazard.code())
                        .isCloseTo(probability.value(), within(1e-3)));
    }

    private static Guard remote(Api api, NamedHazards named) {
        return RemoteGuard.of(new RemoteSettings(
                server.address().resolve("/v1"),
                "guard",
                api,
                GuardFamily.LLAMA_GUARD_3,
                OwnHazards.of(GuardFamily.LLAMA_GUARD_3),
                named,
                Optional.empty(),
                Duration.ofSeconds(5),
                Duration.ofSeconds(60),
                2,
                4096,
                20,
                new Probability(0.5)));
    }
}
