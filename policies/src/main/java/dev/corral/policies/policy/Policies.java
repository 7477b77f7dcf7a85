package dev.corral.policies.policy;

import dev.corral.policies.policy.Policy.Source;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/** Loads policies: parses and compiles in one go, so that all mistakes of a file are reported together. */
public final class Policies {

    private static final String DEFAULT = "default.yaml";

    private Policies() {}

    /** The policy that Corral ships: every hazard is blocked. */
    public static CompiledPolicy loadDefault(GuardSight sight) {
        return compile(defaultText(), "built-in " + DEFAULT, Beside.NOTHING, sight);
    }

    /**
     * Loads a file, and those beside it that it names.
     *
     * @throws PolicyException if a file cannot be read, or has errors
     */
    public static CompiledPolicy load(Path file, GuardSight sight) {
        return compile(text(file), file.toString(), beside(file), sight);
    }

    /**
     * The text of a file.
     *
     * @throws PolicyException if it cannot be read
     */
    public static String text(Path file) {
        String origin = file.toString();
        try {
            if (Files.size(file) > YamlFile.LONGEST * 4L) {
                throw unreadable(
                        origin,
                        "the file has " + Files.size(file) + " bytes, which is too much for a policy",
                        "A policy is a short text in YAML, at most " + YamlFile.LONGEST + " characters.");
            }
            return Files.readString(file);
        } catch (NoSuchFileException e) {
            throw unreadable(origin, "there is no such file", "Check the path, and the folder it is relative to.");
        } catch (CharacterCodingException e) {
            throw unreadable(origin, "the file is not UTF-8", "Save it as UTF-8.");
        } catch (IOException e) {
            throw unreadable(origin, "the file cannot be read: " + e, "Check that it is a file, and its permissions.");
        }
    }

    /** The files in the folder of this one. */
    public static Beside beside(Path file) {
        return name -> {
            try {
                return Optional.of(text(file.resolveSibling(name)));
            } catch (PolicyException e) {
                return Optional.empty();
            }
        };
    }

    /**
     * Compiles the text of a file.
     *
     * @param origin name of the file, for issues
     * @throws PolicyException if it has errors
     */
    public static CompiledPolicy compile(String text, String origin, Beside beside, GuardSight sight) {
        PolicyParser.Draft draft = PolicyParser.draft(new Source(origin, text), beside);
        return PolicyCompiler.compile(draft.policy(), draft.sources(), sight, draft.problems());
    }

    /** The text of the shipped policy: a start for one's own. */
    public static String defaultText() {
        return resource(DEFAULT);
    }

    /** The JSON Schema (2020-12) of policies, for editors. */
    public static String schema() {
        return resource("policy.schema.json");
    }

    /** The names of the policies to start one's own from. */
    public static List<String> templates() {
        return List.of("strict", "balanced", "children", "research", "healthcare", "eu-ai-act");
    }

    /**
     * A policy to start one's own from.
     *
     * @param name one of {@link #templates}
     */
    public static String template(String name) {
        if (!templates().contains(name)) {
            throw new IllegalArgumentException("there is no template '" + name + "'");
        }
        return resource("template-" + name + ".yaml");
    }

    private static String resource(String name) {
        try (InputStream in = Policies.class.getResourceAsStream(name)) {
            if (in == null) {
                throw new IllegalStateException("the jar of policies lacks " + name);
            }
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static PolicyException unreadable(String origin, String message, String advice) {
        return new PolicyException(
                List.of(Problem.UNREADABLE.at(SourceLocation.wholeOf(origin), message, advice)),
                List.of(new Source(origin, "")));
    }
}
