package dev.corral.policies.policy;

import dev.corral.policies.assessment.Probability;
import dev.corral.policies.policy.Policy.Source;
import dev.corral.policies.taxonomy.Taxonomy;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;

/** Loads policies: parses and compiles in one go, so that all mistakes of a file are reported together. */
public final class Policies {

    private static final String DEFAULT = "default.yaml";

    private Policies() {}

    /** The policy that Corral ships: every hazard is blocked. */
    public static CompiledPolicy loadDefault(Taxonomy taxonomy, Probability recommendedThreshold) {
        return compile(defaultText(), "built-in " + DEFAULT, taxonomy, recommendedThreshold);
    }

    /**
     * Loads a file.
     *
     * @param taxonomy what the guard tells apart
     * @param recommendedThreshold of the guard; used where the policy names no default threshold
     * @throws PolicyException if the file cannot be read, or has errors
     */
    public static CompiledPolicy load(Path file, Taxonomy taxonomy, Probability recommendedThreshold) {
        String origin = file.toString();
        String text;
        try {
            text = Files.readString(file);
        } catch (NoSuchFileException e) {
            throw unreadable(origin, "there is no such file", "Check the path, and the folder it is relative to.");
        } catch (CharacterCodingException e) {
            throw unreadable(origin, "the file is not UTF-8", "Save it as UTF-8.");
        } catch (IOException e) {
            throw unreadable(origin, "the file cannot be read: " + e, "Check that it is a file, and its permissions.");
        }
        return compile(text, origin, taxonomy, recommendedThreshold);
    }

    /**
     * Compiles the text of a file.
     *
     * @param origin name of the file, for issues
     * @throws PolicyException if it has errors
     */
    public static CompiledPolicy compile(
            String text, String origin, Taxonomy taxonomy, Probability recommendedThreshold) {
        Source source = new Source(origin, text);
        PolicyParser.Draft draft = PolicyParser.draft(source);
        return PolicyCompiler.compile(draft.policy(), source, taxonomy, recommendedThreshold, draft.problems());
    }

    /** The text of the shipped policy: a start for one's own. */
    public static String defaultText() {
        try (InputStream in = Policies.class.getResourceAsStream(DEFAULT)) {
            if (in == null) {
                throw new IllegalStateException("the jar of policies lacks " + DEFAULT);
            }
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static PolicyException unreadable(String origin, String message, String advice) {
        return new PolicyException(
                List.of(Problem.UNREADABLE.at(SourceLocation.wholeOf(origin), message, advice)),
                new Source(origin, ""));
    }
}
