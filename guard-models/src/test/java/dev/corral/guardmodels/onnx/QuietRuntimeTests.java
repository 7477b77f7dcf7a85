package dev.corral.guardmodels.onnx;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
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

    /** The exit code of a process with no sign of a test or of continuous integration, where events are never sent. */
    private int initialise(String argument) throws IOException, InterruptedException {
        ProcessBuilder builder = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "--enable-native-access=ALL-UNNAMED",
                        Initialise.class.getName(),
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
}
