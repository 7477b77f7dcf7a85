package dev.corral.policies.policy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import dev.corral.policies.assessment.Assessment.Scored;
import dev.corral.policies.assessment.Coverage;
import dev.corral.policies.assessment.Probability;
import dev.corral.policies.policy.Decision.Outcome;
import dev.corral.policies.taxonomy.CustomHazard;
import dev.corral.policies.taxonomy.Hazard;
import dev.corral.policies.taxonomy.StandardHazard;
import dev.corral.policies.taxonomy.Taxonomy;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PoliciesTests {

    private static final Probability HALF = new Probability(0.5);
    private static final GuardSight SIGHT = new GuardSight(Taxonomy.LLAMA_GUARD_3, HALF, 0);

    @TempDir
    Path folder;

    @Test
    void loadDefaultWhenAnyHazardIsPresentBlocksInBothDirections() {
        CompiledPolicy policy =
                Policies.loadDefault(new GuardSight(Taxonomy.LLAMA_GUARD_3_8B, new Probability(0.6), 0));

        assertThat(policy.warnings()).isEmpty();
        assertThat(policy.defaultThreshold()).isEqualTo(new Probability(0.6));
        for (Hazard hazard : Taxonomy.LLAMA_GUARD_3_8B.hazards()) {
            Scored scored = new Scored(new Probability(0.6), Map.of(hazard, new Probability(0.6)), Coverage.ofText(1));
            for (Direction direction : Direction.values()) {
                Decision decision = policy.decide(List.of(scored), new Facts(direction));
                assertThat(decision.outcome()).isEqualTo(Outcome.BLOCK);
                assertThat(decision.ruleIds()).containsExactly("everything");
            }
        }
    }

    @Test
    void loadDefaultWhenItsExamplesAreTakenCompiles() {
        String text = Policies.defaultText()
                .replace("#   thresholds:", "thresholds:")
                .replaceAll("(?m)^  # (- id: crisis|  )", "  $1");

        CompiledPolicy policy = Policies.compile(text, "default.yaml", Beside.NOTHING, SIGHT);

        assertThat(policy.policy().rules()).extracting(Policy.Rule::id).containsExactly("crisis", "everything");
        assertThat(policy.policy().thresholds()).hasSize(1);
        assertThat(policy.warnings()).isEmpty();
    }

    @Test
    void loadWhenFileIsGoodNamesIt() throws IOException {
        Path file = Files.writeString(folder.resolve("good.yaml"), "policy: good\nversion: 2\n");

        CompiledPolicy policy = Policies.load(file, SIGHT);

        assertThat(policy.revision()).startsWith("good@2+");
        assertThat(policy.policy().source().origin()).isEqualTo(file.toString());
    }

    @Test
    void loadWhenFileIsMissingSaysSo() {
        Path file = folder.resolve("missing.yaml");

        assertThatExceptionOfType(PolicyException.class)
                .isThrownBy(() -> Policies.load(file, SIGHT))
                .withMessage("policy " + file + " has 1 error:\nERROR POL001 " + file
                        + ": there is no such file\n   Check the path, and the folder it is relative to.");
    }

    @Test
    void loadWhenFileIsNotTextSaysSo() throws IOException {
        Path file = Files.write(folder.resolve("latin.yaml"), "owner: Zoë".getBytes(StandardCharsets.ISO_8859_1));

        assertThatExceptionOfType(PolicyException.class)
                .isThrownBy(() -> Policies.load(file, SIGHT))
                .withMessageContaining("the file is not UTF-8");
        assertThatExceptionOfType(PolicyException.class)
                .isThrownBy(() -> Policies.load(folder, SIGHT))
                .withMessageContaining("the file cannot be read");
    }

    @Test
    void compileWhenFileHasMistakesThrowsThemAllRendered() throws IOException {
        Path folder = Path.of("src/test/resources/policies/five-mistakes");
        String text = Files.readString(folder.resolve("policy.yaml"));
        String expected = Files.readString(folder.resolve("expected-issues.txt"));

        assertThatExceptionOfType(PolicyException.class)
                .isThrownBy(() -> Policies.compile(text, "policy.yaml", Beside.NOTHING, SIGHT))
                .withMessage("policy policy.yaml has 5 errors:\n" + expected.stripTrailing())
                .satisfies(e -> assertThat(e.issues()).hasSize(5));
    }

    @Test
    void compileWhenMistakesAreVeryManyShowsTheFirst() {
        String text = "policy: p\nversion: 1\n" + "x: 1\n".repeat(70);

        assertThatExceptionOfType(PolicyException.class)
                .isThrownBy(() -> Policies.compile(text, "p.yaml", Beside.NOTHING, SIGHT))
                .withMessageEndingWith("(and 20 more)");
    }

    @Test
    void compileWhenFileIsNestedVeryDeeplyIsRefusedWithoutStackOverflow() {
        String text = "policy: p\nversion: 1\nrules: " + "[".repeat(200_000);

        assertThat(PolicyParser.parse(text, "p.yaml").issues())
                .extracting(PolicyIssue::code)
                .containsExactly("POL005");
    }

    @Test
    void compileWhenFileIsTooLargeIsRefused() {
        String text = "policy: p\nversion: 1\ndescription: " + "x".repeat(2 << 20);

        assertThat(PolicyParser.parse(text, "p.yaml").issues())
                .extracting(PolicyIssue::code)
                .containsExactly("POL002");
    }

    @Test
    void compileWhenTaxonomyHasCustomHazardsTakesThem() {
        Hazard leak = new CustomHazard("Leak", "Trade Secrets");
        Taxonomy taxonomy = new Taxonomy("house", List.of(StandardHazard.S1, leak));
        String text = "policy: p\nversion: 1\nrules: [{ id: leaks, when: { hazard: Leak }, then: flag }]\n";

        CompiledPolicy policy = Policies.compile(text, "p.yaml", Beside.NOTHING, new GuardSight(taxonomy, HALF, 0));

        Scored scored = new Scored(HALF, Map.of(leak, HALF), Coverage.ofText(1));
        assertThat(policy.decide(List.of(scored), new Facts(Direction.PROMPT)).ruleIds())
                .containsExactly("leaks");
    }

    @Test
    void parseWhenThereAreErrorsHasNoPolicyToCompile() {
        ParsedPolicy good = PolicyParser.parse("policy: p\nversion: 1\n", "p.yaml");
        ParsedPolicy bad = PolicyParser.parse("policy: p\n", "p.yaml");

        assertThat(good.policy()).isPresent();
        assertThat(good.issues()).isEmpty();
        assertThat(PolicyCompiler.compile(good.policy().orElseThrow(), SIGHT).name())
                .isEqualTo("p");
        assertThat(bad.policy()).isEmpty();
        assertThat(bad.issues()).extracting(PolicyIssue::code).containsExactly("POL008");
    }

    @Test
    void renderWhenLineHasTabulatorsKeepsTheCaretInPlace() {
        PolicyIssue issue =
                new PolicyIssue(Severity.WARNING, "POL999", new SourceLocation("p.yaml", 1, 4), "no", "Do.");

        assertThat(issue.render("a:\t\u001bb"))
                .isEqualTo("WARNING POL999 p.yaml:1:4: no\n | a:\t\uFFFDb\n |   \t^\n   Do.");
    }

    @Test
    void streamingWindowsWhenEmptyThrows() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> new StreamingWindows(0, 200))
                .withMessage("windows must be at least 1 character: first 0, later 200");
    }

    @Test
    void compileWhenGuardsAreNamedChecksThatTheyExist() {
        String text = """
                policy: p
                version: 1
                guards:
                  text: { use: startr, timeout: 2s, unavailable: block }
                  vision: { use: eyes, unavailable: flag }
                """;
        GuardSight sight = sight(Set.of("starter", "other"), Set.of("eyes"));

        assertThatExceptionOfType(PolicyException.class)
                .isThrownBy(() -> Policies.compile(text, "p.yaml", Beside.NOTHING, sight))
                .satisfies(e -> assertThat(e.issues()).singleElement().satisfies(issue -> {
                    assertThat(issue.code()).isEqualTo("POL046");
                    assertThat(issue.location().line()).isEqualTo(4);
                    assertThat(issue.location().column()).isEqualTo(16);
                    assertThat(issue.message()).isEqualTo("the gateway has no guard 'startr'; it has other, starter");
                    assertThat(issue.advice()).isEqualTo("Did you mean 'starter'?");
                }));

        Policy.Guards guards = Policies.compile(text.replace("startr", "starter"), "p.yaml", Beside.NOTHING, sight)
                .guards();
        assertThat(guards.text().use().orElseThrow().name()).isEqualTo("starter");
        assertThat(guards.text().timeout()).contains(Duration.ofSeconds(2));
        assertThat(guards.text().unavailable()).isEqualTo(GuardUse.Unavailable.BLOCK);
        assertThat(guards.vision().use().orElseThrow().name()).isEqualTo("eyes");
        assertThat(guards.vision().timeout()).isEmpty();
        assertThat(guards.vision().unavailable()).isEqualTo(GuardUse.Unavailable.FLAG);
    }

    private static GuardSight sight(Set<String> text, Set<String> vision) {
        return new GuardSight(Taxonomy.LLAMA_GUARD_3, HALF, 0, Optional.of(new GuardSight.GuardNames(text, vision)));
    }

    @Test
    void compileWhenGuardForImagesIsUnknownSaysWhichThereAre() {
        String text = "policy: p\nversion: 1\nguards: { vision: { use: starter } }\n";

        assertUnknown(text, sight(Set.of("starter"), Set.of()), "'starter'; it has none", "corral.guard.vision");
        assertUnknown(text, sight(Set.of("starter"), Set.of("eyes")), "'starter'; it has eyes", "Correct it");
        assertThat(Policies.compile(text, "p.yaml", Beside.NOTHING, new GuardSight(Taxonomy.LLAMA_GUARD_3, HALF, 0))
                        .warnings())
                .isEmpty();
    }

    private static void assertUnknown(String text, GuardSight sight, String message, String advice) {
        assertThatExceptionOfType(PolicyException.class)
                .isThrownBy(() -> Policies.compile(text, "p.yaml", Beside.NOTHING, sight))
                .satisfies(e -> assertThat(e.issues()).singleElement().satisfies(issue -> {
                    assertThat(issue.code()).isEqualTo("POL046");
                    assertThat(issue.message()).isEqualTo("the gateway has no guard for images " + message);
                    assertThat(issue.advice()).contains(advice);
                }));
    }
}
