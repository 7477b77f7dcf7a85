package dev.corral.quantization;

import dev.corral.guardmodels.prompt.GuardFamily;
import dev.corral.guardmodels.store.OwnHazards;
import dev.corral.policies.assessment.Probability;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** The flags that say of a new guard what no weights can tell. */
final class DescriptionOptions {

    private static final String UNMEASURED = "Not measured; try: corral evaluate --guard DIR --data FILE.jsonl";

    @Option(
            names = "--family",
            paramLabel = "F",
            description = "llama-guard-3, llama-guard-3-8b or corral-starter. Default: by the weights.")
    private @Nullable String family;

    @Option(
            names = "--hazards",
            paramLabel = "FILE",
            description = {
                "YAML file with the hazards that the model was fine-tuned for: 'name', and 'hazards' of 'code', 'name'",
                "and optionally 'prompt'; see docs/guards.md. Default: those of the family."
            })
    private @Nullable Path hazards;

    @Option(names = "--id", paramLabel = "ID", description = "Name of the guard. Default: the name of its folder.")
    private @Nullable String id;

    @Option(
            names = "--licence",
            paramLabel = "TEXT",
            description = "Licence of the weights. Default: what they say, or by the family.")
    private @Nullable String licence;

    @Option(names = "--quality", paramLabel = "TEXT", description = "One sentence of measured quality, for the log.")
    private @Nullable String quality;

    @Option(
            names = "--threshold",
            paramLabel = "P",
            defaultValue = "0.5",
            description = "P(unsafe) that policies without a threshold use. Default: ${DEFAULT-VALUE}.")
    private double threshold;

    /** The name that was asked for. */
    Optional<String> id() {
        return Optional.ofNullable(id);
    }

    /**
     * The family that was asked for, or that of the weights.
     *
     * @throws IllegalArgumentException if there is no such family
     */
    GuardFamily family(Original original) {
        if (family == null) {
            return original.family();
        }
        String named = family;
        return GuardFamily.byId(named)
                .orElseThrow(() -> new IllegalArgumentException(
                        "--family must be llama-guard-3, llama-guard-3-8b or corral-starter: '" + named + "'"));
    }

    /**
     * What is said of a guard.
     *
     * @throws IllegalArgumentException if a value is wrong
     */
    Converter.Description description(Original original, Path to) throws IOException {
        GuardFamily guardFamily = family(original);
        String name = id == null ? String.valueOf(to.toAbsolutePath().getFileName()) : id;
        if (!name.matches("[A-Za-z0-9.-]+")) {
            throw new IllegalArgumentException("--id must be letters, digits, dots and hyphens: '" + name + "'");
        }
        if (!(threshold > 0 && threshold <= 1)) {
            throw new IllegalArgumentException("--threshold must be above 0 and at most 1: " + threshold);
        }
        String byFamily = switch (guardFamily) {
            case LLAMA_GUARD_3 -> "Llama 3.2 Community License";
            case LLAMA_GUARD_3_8B -> "Llama 3.1 Community License";
            case CORRAL_STARTER -> "Apache-2.0";
        };
        return new Converter.Description(
                name,
                Optional.ofNullable(licence).or(original::licence).orElse(byFamily),
                Optional.ofNullable(quality).orElse(UNMEASURED),
                new Probability(threshold),
                hazards == null
                        ? Optional.empty()
                        : Optional.of(OwnHazards.parse(Files.readString(hazards), hazards.toString(), guardFamily)));
    }
}
