package dev.corral.gateway.policy;

import static org.assertj.core.api.Assertions.assertThat;

import dev.corral.gateway.testing.Document;
import dev.corral.gateway.testing.Document.Example;
import dev.corral.gateway.testing.GuardFolder;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Every example of the pages about policies and audits: files are checked and their tests run, commands print what is said. */
class PolicyDocumentTests {

    @TempDir
    private Path folder;

    @ParameterizedTest
    @CsvSource({"policies.md, 8", "audit.md, 2"})
    void filesWhenCheckedAndTestedAreGood(String page, int files, @TempDir Path guard) throws IOException {
        GuardFolder.write(guard);
        Map<String, String> policies = Document.of(page).write(folder);

        assertThat(policies).hasSize(files);
        policies.forEach((name, mark) -> {
            List<String> options = mark.equals("llama-guard") ? List.of("--guard", guard.toString()) : List.of();
            if (!mark.equals("broken")) {
                assertThat(run("lint", name, options)).isEqualTo("1 policy, 0 errors, 0 warnings\n");
                assertThat(run("test", name, options)).endsWith(" tests, 0 failed\n");
            }
        });
    }

    @Test
    void lintWhenTheGuardHasNoListRefusesHazardsInWords() throws IOException {
        assertThat(Document.of("policies.md").write(folder)).containsEntry("secrets.yaml", "llama-guard");
        assertThat(run("lint", "secrets.yaml", List.of())).contains("POL016", "the guard cannot be asked for a hazard");
    }

    @ParameterizedTest
    @CsvSource({"policies.md, 6", "audit.md, 1"})
    void commandsWhenRunPrintWhatIsSaid(String page, int commands) throws IOException {
        Document document = Document.of(page);
        document.write(folder);

        List<Example> examples = document.examples("policy");
        assertThat(examples)
                .hasSize(commands)
                .allSatisfy(example -> assertThat(Document.run(PolicyCommand.commandLine(), example.words(), folder))
                        .isEqualTo(example.printed()));
    }

    private String run(String command, String file, List<String> options) {
        List<String> words = new ArrayList<>(List.of(command, file));
        words.addAll(options);
        return Document.run(PolicyCommand.commandLine(), words, folder);
    }
}
