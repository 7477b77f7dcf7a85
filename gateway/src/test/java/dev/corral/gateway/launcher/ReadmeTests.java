package dev.corral.gateway.launcher;

import static org.assertj.core.api.Assertions.assertThat;

import dev.corral.policies.policy.PolicyParser;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.json.JsonMapper;

/**
 * Runs the first screen of the README, word for word, in a folder that holds the built checkout under the name of
 * {@code corral}. Where port 8080 is taken, a free one takes its place; ids and times are not compared.
 */
class ReadmeTests {

    private static final Path CHECKOUT = Path.of("").toAbsolutePath().getParent();

    private static final Pattern BLOCK = Pattern.compile("^```(\\w+)\n(.*?)^```$", Pattern.MULTILINE | Pattern.DOTALL);

    private static final Duration PATIENCE = Duration.ofMinutes(1);

    @TempDir
    private Path folder;

    private final List<Process> started = new ArrayList<>();

    @AfterEach
    void stop() throws InterruptedException {
        for (Process process : started) {
            process.destroy();
            assertThat(process.waitFor(PATIENCE.toSeconds(), TimeUnit.SECONDS)).isTrue();
        }
    }

    @Test
    void firstScreenWhenFollowedAnswersAsItSays() throws Exception {
        String readme = Files.readString(CHECKOUT.resolve("README.md"));
        int port = isFree(8080) ? 8080 : freePort();
        Iterator<Block> blocks =
                blocks(readme.substring(0, readme.indexOf("\n## "))).iterator();
        Block install = blocks.next();
        assertThat(install.text).isEqualTo("cd corral\n./corral demo\n");
        Files.createSymbolicLink(folder.resolve("corral"), CHECKOUT);
        String demo =
                port == 8080 ? install.text : install.text.replace("./corral demo", "./corral demo --port " + port);
        Process gateway = sh("cd corral\nexec " + demo.substring("cd corral\n".length()), "demo.log");
        awaitListening(port, gateway);
        int compared = 0;
        while (blocks.hasNext()) {
            Block command = blocks.next();
            Block expected = blocks.next();
            assertThat(command.language).isEqualTo("sh");
            String answer = output(command.text.replace("localhost:8080", "localhost:" + port));
            assertThat(comparable(expected.language, answer))
                    .as(command.text)
                    .isEqualTo(comparable(expected.language, expected.text));
            compared++;
        }
        assertThat(compared).isEqualTo(3);
    }

    @Test
    void policyWhenShownIsValid() throws IOException {
        List<Block> policies = blocks(Files.readString(CHECKOUT.resolve("README.md"))).stream()
                .filter(block -> block.language.equals("yaml"))
                .toList();
        assertThat(policies)
                .hasSize(1)
                .allSatisfy(policy -> assertThat(
                                PolicyParser.parse(policy.text, "README.md").issues())
                        .isEmpty());
    }

    private static List<Block> blocks(String markdown) {
        return BLOCK.matcher(markdown)
                .results()
                .map(found -> new Block(found.group(1), found.group(2)))
                .toList();
    }

    /** JSON may be broken into lines anywhere; of other texts only the ends of lines and the end may differ. */
    private static Object comparable(String language, String text) {
        String plain = Pattern.compile("\"created\":\\d+")
                .matcher(Pattern.compile("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
                        .matcher(text)
                        .replaceAll("ID"))
                .replaceAll(Matcher.quoteReplacement("\"created\":0"));
        return language.equals("json") ? new JsonMapper().readTree(plain) : plain.stripTrailing();
    }

    private String output(String command) throws IOException, InterruptedException {
        Process process = sh(command, "answer");
        assertThat(process.waitFor(PATIENCE.toSeconds(), TimeUnit.SECONDS))
                .as(command)
                .isTrue();
        String answer = Files.readString(folder.resolve("answer"));
        assertThat(process.exitValue()).as(command + answer).isZero();
        return answer;
    }

    private Process sh(String command, String output) throws IOException {
        ProcessBuilder builder = new ProcessBuilder("sh", "-c", command)
                .directory(folder.toFile())
                .redirectErrorStream(true)
                .redirectOutput(folder.resolve(output).toFile());
        builder.environment().put("CORRAL_JAVA_HOME", System.getProperty("java.home"));
        builder.environment().put("CORRAL_BUILD", "never");
        Process process = builder.start();
        started.add(process);
        return process;
    }

    private void awaitListening(int port, Process gateway) throws Exception {
        Instant end = Instant.now().plus(PATIENCE);
        while (isFree(port)) {
            boolean ended = gateway.waitFor(50, TimeUnit.MILLISECONDS);
            assertThat(!ended && Instant.now().isBefore(end))
                    .as(() -> read(folder.resolve("demo.log")))
                    .isTrue();
        }
    }

    private static String read(Path file) {
        try {
            return Files.readString(file);
        } catch (IOException e) {
            return e.toString();
        }
    }

    private static boolean isFree(int port) {
        try (Socket socket = new Socket()) {
            socket.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), 1_000);
            return false;
        } catch (IOException _) {
            return true;
        }
    }

    private static int freePort() throws IOException {
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return socket.getLocalPort();
        }
    }

    private record Block(String language, String text) {}
}
