package dev.corral.clients;

import static org.assertj.core.api.Assertions.assertThat;

import dev.corral.clients.LanguageServer.Diagnostic;
import dev.corral.policies.policy.Policies;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What an editor with the YAML language server makes of policies: it knows the schema from the first line. */
@Tag("slow")
class EditorTests {

    /** The last version that runs on Node 20. */
    private static final String SERVER = "yaml-language-server@1.25.0";

    private static final Path CASES = Path.of("../policies/src/test/resources/policies");
    private static final Path DOCUMENT = Path.of("../docs/policies.md");
    private static final Pattern EXAMPLE = Pattern.compile("(?ms)^```yaml( broken)?[^\\n]*\\n(.*?)^```$");
    /** But YAML 1.1's key to merge mappings, which an editor takes for one. */
    private static final Pattern UNKNOWN_KEY =
            Pattern.compile("(?m)^ERROR POL007 policy\\.yaml:(\\d+):.* has no key '[^<]");

    @TempDir
    static Path folder;

    private static LanguageServer server;
    private static int opened;

    @BeforeAll
    static void start() throws IOException {
        Path modules = Installation.node(folder.resolve("node"), List.of(SERVER));
        Files.writeString(folder.resolve("policy.schema.json"), Policies.schema());
        server = LanguageServer.start(modules, folder);
    }

    @AfterAll
    static void stop() {
        if (server != null) {
            server.close();
        }
    }

    @Test
    void openWhenPolicyIsGoodUnderlinesNothing() throws IOException {
        List<String> policies = new ArrayList<>(
                Policies.templates().stream().map(Policies::template).toList());
        policies.add(Policies.defaultText());
        Matcher examples = EXAMPLE.matcher(Files.readString(DOCUMENT));
        while (examples.find()) {
            if (examples.group(1) == null) {
                policies.add(examples.group(2));
            }
        }
        for (Path folder : cases()) {
            if (!issues(folder).contains("ERROR")) {
                policies.add(Files.readString(folder.resolve("policy.yaml")));
            }
        }

        assertThat(policies).hasSizeGreaterThan(25);
        for (String policy : policies) {
            assertThat(server.open(next(), known(policy))).as(policy).isEmpty();
        }
    }

    @Test
    void openWhenAKeyIsUnknownUnderlinesItWhereLintDoes() throws IOException {
        int found = 0;
        for (Path folder : cases()) {
            Matcher unknown = UNKNOWN_KEY.matcher(issues(folder));
            if (unknown.find()) {
                List<Diagnostic> diagnostics =
                        server.open(next(), known(Files.readString(folder.resolve("policy.yaml"))));
                do {
                    int line = Integer.parseInt(unknown.group(1)) + 1;
                    assertThat(diagnostics)
                            .as(folder.toString())
                            .anySatisfy(
                                    diagnostic -> assertThat(diagnostic.line()).isEqualTo(line));
                    found++;
                } while (unknown.find());
            }
        }
        assertThat(found).isGreaterThan(10);
    }

    @Test
    void openWhenThresholdsAreMisspeltSaysSo() throws IOException {
        String misspelt = "policy: p\nversion: 1\ntresholds: { S4: 0.1 }\n";

        assertThat(server.open(next(), known(misspelt)))
                .containsExactly(new Diagnostic(4, "Property tresholds is not allowed."));
        assertThat(server.open(next(), "$schema: policy.schema.json\n" + misspelt))
                .containsExactly(new Diagnostic(4, "Property tresholds is not allowed."));
    }

    @Test
    void completeWhenARuleIsWrittenOffersItsKeysAndWords() throws IOException {
        URI file = next();
        server.open(file, known("policy: p\nversion: 1\nrules:\n  - id: a\n    \n"));
        assertThat(server.complete(file, 6, 5)).contains("when", "then", "message", "audit", "override");

        URI words = next();
        server.open(words, known("policy: p\nversion: 1\nrules:\n  - id: a\n    then: \n"));
        assertThat(server.complete(words, 6, 11)).contains("allow", "flag", "redact", "respond", "block");
    }

    private static URI next() {
        return folder.resolve("policy-" + opened++ + ".yaml").toUri();
    }

    private static String known(String policy) {
        return "# yaml-language-server: $schema=policy.schema.json\n" + policy;
    }

    private static String issues(Path folder) throws IOException {
        return Files.readString(folder.resolve("expected-issues.txt"));
    }

    private static List<Path> cases() throws IOException {
        try (Stream<Path> folders = Files.list(CASES)) {
            return folders.sorted().toList();
        }
    }
}
