package dev.corral.gateway.audit;

import static org.assertj.core.api.Assertions.assertThat;

import dev.corral.gateway.configuration.CorralProperties.Audit.OnFailure;
import dev.corral.gateway.testing.Document;
import dev.corral.gateway.testing.Document.Example;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The audit that {@code docs/audit.md} shows, and its commands. */
class AuditDocumentTests {

    @TempDir
    private Path folder;

    private Document document;

    @BeforeEach
    void write() throws IOException {
        document = Document.of("audit.md");
        document.write(folder);
    }

    @Test
    void fileWhenItsEventsAreRecordedIsWhatASinkWrites() throws IOException {
        Path written = folder.resolve("written.jsonl");
        try (AuditFile shown = AuditFile.open(folder.resolve("audit.jsonl"));
                FileAuditSink sink = new FileAuditSink(
                        written, 1_000_000, OnFailure.BLOCK, 10, () -> AuditEvents.TIME, new SimpleMeterRegistry())) {
            for (AuditFile.Entry entry = shown.next(); entry != null; entry = shown.next()) {
                sink.record(Objects.requireNonNull(entry.event()));
            }
        }

        assertThat(written).hasSameTextualContentAs(folder.resolve("audit.jsonl"));
    }

    @Test
    void commandsWhenRunPrintWhatIsSaid() {
        List<Example> examples = document.examples("audit");

        assertThat(examples)
                .hasSize(3)
                .allSatisfy(example -> assertThat(Document.run(AuditCommand.commandLine(), example.words(), folder))
                        .isEqualTo(example.printed()));
    }

    /** What may be kept of a text is what its rule says: the text of one, and of the other what proves it. */
    @Test
    void fileWhenReadHasNoWordThatTheRuleDoesNotLetBeKept() throws IOException {
        assertThat(Files.readString(folder.resolve("audit.jsonl")))
                .contains("Fools!")
                .doesNotContain("bomb");
    }
}
