package dev.corral.gateway.policy;

import static org.assertj.core.api.Assertions.assertThat;

import dev.corral.gateway.testing.GuardFolder;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

/** Every example of {@code docs/policies.md}: files are checked and their tests run, commands print what is said. */
class PolicyDocumentTests {

    private static final Path DOCUMENT = Path.of("../docs/policies.md");
    private static final Pattern BLOCK =
            Pattern.compile("(?ms)^```(\\w+)( broken| llama-guard| [a-z]+\\.jsonl)?\\n(.*?)^```$");
    private static final Pattern NAME = Pattern.compile("# (\\S+\\.yaml)\\n");

    @TempDir
    private Path folder;

    private final Set<String> forLlamaGuard = new HashSet<>();
    private String document = "";

    @BeforeEach
    void writeFiles() throws IOException {
        document = Files.readString(DOCUMENT);
        for (Matcher block = BLOCK.matcher(document); block.find(); ) {
            if (block.group(1).equals("json")) {
                Files.writeString(folder.resolve(block.group(2).strip()), block.group(3));
            }
            if (block.group(1).equals("yaml")) {
                Matcher name = NAME.matcher(block.group(3));
                assertThat(name.lookingAt()).as(block.group(3)).isTrue();
                Files.writeString(folder.resolve(name.group(1)), block.group(3));
                if (" llama-guard".equals(block.group(2))) {
                    forLlamaGuard.add(name.group(1));
                }
            }
        }
    }

    @Test
    void filesWhenCheckedAndTestedAreGood(@TempDir Path guard) throws IOException {
        GuardFolder.write(guard);
        try (Stream<Path> files = Files.list(folder)) {
            List<Path> good = files.filter(file -> file.toString().endsWith(".yaml") && !file.endsWith("broken.yaml"))
                    .toList();
            assertThat(good).hasSize(7);
            for (Path file : good) {
                String name = file.getFileName().toString();
                String option = forLlamaGuard.contains(name) ? " --guard " + guard : "";
                assertThat(run("lint " + name + option)).isEqualTo("1 policy, 0 errors, 0 warnings\n");
                assertThat(run("test " + name + option)).endsWith(" tests, 0 failed\n");
            }
        }
    }

    @Test
    void lintWhenTheGuardHasNoListRefusesHazardsInWords() {
        assertThat(forLlamaGuard).containsExactly("secrets.yaml");
        assertThat(run("lint secrets.yaml")).contains("POL016", "the guard cannot be asked for a hazard");
    }

    @Test
    void commandsWhenRunPrintWhatIsSaid() {
        int commands = 0;
        for (Matcher block = BLOCK.matcher(document); block.find(); ) {
            if (!block.group(1).equals("console")) {
                continue;
            }
            for (String part : block.group(3).split("(?m)^\\$ \\./corral policy ", -1)) {
                if (!part.isEmpty()) {
                    int end = part.indexOf('\n');
                    assertThat(run(part.substring(0, end))).isEqualTo(part.substring(end + 1));
                    commands++;
                }
            }
        }
        assertThat(commands).isEqualTo(6);
    }

    private String run(String command) {
        List<String> words = new ArrayList<>();
        Matcher word = Pattern.compile("\"([^\"]*)\"|(\\S+)").matcher(command);
        while (word.find()) {
            String text = word.group(1) == null ? word.group(2) : word.group(1);
            words.add(text.matches(".*\\.(yaml|jsonl)") ? folder.resolve(text).toString() : text);
        }
        StringWriter out = new StringWriter();
        CommandLine policy = PolicyCommand.commandLine();
        policy.setOut(new PrintWriter(out)).setErr(new PrintWriter(out));
        policy.execute(words.toArray(String[]::new));
        return out.toString().replace(folder + "/", "").replaceAll("(@\\d+\\+)[0-9a-f]{8}", "$1HASH");
    }
}
