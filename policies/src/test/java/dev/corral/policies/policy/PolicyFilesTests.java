package dev.corral.policies.policy;

import static org.assertj.core.api.Assertions.assertThat;

import dev.corral.policies.assessment.Probability;
import dev.corral.policies.policy.Policy.Source;
import dev.corral.policies.taxonomy.Taxonomy;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** Every folder of {@code policies} is a case: a policy, and the issues it must give, as they are printed. */
class PolicyFilesTests {

    private static final Path CASES = Path.of("src/test/resources/policies");

    @TestFactory
    Stream<DynamicTest> compileWhenFileHasMistakesReportsThemAll() throws IOException {
        return cases().map(folder ->
                DynamicTest.dynamicTest(folder.getFileName().toString(), () -> {
                    String issues = issues(folder);

                    if (Boolean.getBoolean("golden.write")) {
                        Files.writeString(folder.resolve("expected-issues.txt"), issues);
                    }
                    assertThat(issues).isEqualTo(Files.readString(folder.resolve("expected-issues.txt")));
                }));
    }

    @Test
    void problemsWhenListedHaveDistinctCodesAndEachItsCase() throws IOException {
        List<String> expected = new ArrayList<>();
        for (Path folder : cases().toList()) {
            expected.add(Files.readString(folder.resolve("expected-issues.txt")));
        }
        String all = String.join("\n", expected);
        SourceLocation anywhere = SourceLocation.wholeOf("file");

        assertThat(Problem.values())
                .extracting(problem -> problem.at(anywhere, "", "").code())
                .doesNotHaveDuplicates();
        assertThat(Arrays.stream(Problem.values()).filter(problem -> problem != Problem.UNREADABLE))
                .allSatisfy(problem ->
                        assertThat(all).contains(problem.at(anywhere, "", "").code()));
    }

    private static Stream<Path> cases() throws IOException {
        try (Stream<Path> folders = Files.list(CASES)) {
            return folders.sorted().toList().stream();
        }
    }

    /** A folder whose name says so is read for a guard that takes a policy's own hazards. */
    private static String issues(Path folder) throws IOException {
        Path file = folder.resolve("policy.yaml");
        int places = folder.getFileName().toString().endsWith("-custom-guard") ? 13 : 0;
        List<Source> sources = new ArrayList<>();
        try (Stream<Path> files = Files.list(folder)) {
            for (Path each : files.toList()) {
                sources.add(new Source(each.getFileName().toString(), Files.readString(each)));
            }
        }
        List<PolicyIssue> issues;
        try {
            issues = Policies.compile(
                            Files.readString(file),
                            "policy.yaml",
                            Policies.beside(file),
                            new GuardSight(
                                    Taxonomy.LLAMA_GUARD_3,
                                    new Probability(0.5),
                                    places,
                                    Optional.of(new GuardSight.GuardNames(
                                            Set.of("starter"), Set.of("llama-guard-3-11b-vision")))))
                    .warnings();
        } catch (PolicyException e) {
            issues = e.issues();
        }
        return issues.stream().map(issue -> issue.render(sources) + "\n").collect(Collectors.joining());
    }
}
