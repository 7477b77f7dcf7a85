package dev.corral.guardmodels.onnx;

import static org.assertj.core.api.Assertions.assertThat;

import dev.corral.guardmodels.conversation.Conversation;
import dev.corral.guardmodels.conversation.Role;
import dev.corral.guardmodels.conversation.Turn;
import dev.corral.guardmodels.guard.Guard;
import dev.corral.guardmodels.guard.OnnxGuard;
import dev.corral.guardmodels.store.GuardStore;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class QuietRuntimeTests {

    private static final int DEADLY_CHARACTERS = 5_000;

    @TempDir
    private Path folder;

    @Test
    void environmentWhenRuntimeWouldSendEventsKeepsNoneOfThem() throws Exception {
        int code = initialise("short");
        assertThat(code).as(log()).isZero();
        try (Stream<Path> files = Files.walk(folder)) {
            assertThat(files.map(Path::toString)).noneMatch(file -> file.contains("onnxruntime.db"));
        }
    }

    @Test
    void environmentWhenCommandLineIsLongDoesNotDie() throws Exception {
        int code = initialise("x".repeat(DEADLY_CHARACTERS));
        assertThat(code).as(log()).isZero();
    }

    @Test
    void environmentWhenItsVendorsHookHasFreedItIsStillThere() throws Exception {
        assertThat(run(Leave.class, "")).as(log()).isZero();
    }

    /** The exit code of a process with no sign of a test or of continuous integration, where events are never sent. */
    private int initialise(String argument) throws IOException, InterruptedException {
        return run(Initialise.class, argument);
    }

    private int run(Class<?> program, String argument) throws IOException, InterruptedException {
        ProcessBuilder builder = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "--enable-native-access=ALL-UNNAMED",
                        program.getName(),
                        argument)
                .redirectErrorStream(true)
                .redirectOutput(folder.resolve("log").toFile());
        builder.environment().keySet().retainAll(List.of("PATH", "LANG", "TMPDIR"));
        builder.environment().put("HOME", folder.toString());
        builder.environment().put("CLASSPATH", System.getProperty("java.class.path"));
        return builder.start().waitFor();
    }

    private String log() throws IOException {
        return Files.readString(folder.resolve("log"));
    }

    /** Does nothing else. */
    static final class Initialise {

        private Initialise() {}

        public static void main(String[] args) {
            assertThat(QuietRuntime.environment()).isNotNull();
        }
    }

    /** Is at work while the process ends, as after a signal: a shutdown hook of ours waits for a few judgements more. */
    static final class Leave {

        private Leave() {}

        public static void main(String[] args) throws InterruptedException {
            Guard guard = OnnxGuard.load(GuardStore.starter(), Resources.oneLane(1));
            CountDownLatch judged = new CountDownLatch(60);
            Thread.ofPlatform().daemon().start(() -> {
                while (true) {
                    guard.assess(new Conversation(
                            List.of(Turn.of(Role.USER, "Tell me about the number " + judged.getCount() + "."))));
                    judged.countDown();
                }
            });
            Runtime.getRuntime().addShutdownHook(new Thread(() -> {
                try {
                    judged.await();
                } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                }
            }));
            System.exit(0);
        }
    }
}
