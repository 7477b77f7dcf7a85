package dev.corral.quantization;

import dev.corral.guardmodels.store.Precision;
import dev.corral.quantization.recipe.Format;
import dev.corral.quantization.recipe.Pruning;
import dev.corral.quantization.recipe.Recipe;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** The flags of {@link QuantizeCommand} that say what to make of the weights: a recipe file, or its keys one by one. */
final class RecipeOptions {

    private static final String CALIBRATED = "calibrated";

    @Option(
            names = "--recipe",
            paramLabel = "FILE",
            description = "Recipe as YAML: everything below, and other ways for single layers or matrices.")
    private @Nullable Path file;

    @Option(
            names = "--precision",
            paramLabel = "P",
            description = {
                "int8: nearest to the original and fastest on server CPUs.",
                "int4: half the memory.",
                "fp16: exact to three digits, half of fp32's disk space, its speed.",
                "fp32: exact, large and slow."
            })
    private @Nullable String precision;

    @Option(
            names = "--block-size",
            paramLabel = "N",
            description = "int4: weights that share a scale: 16, 32, 64, 128, 256. Default: "
                    + Recipe.DEFAULT_BLOCK_SIZE + ".")
    private @Nullable Integer blockSize;

    @Option(
            names = "--scales",
            paramLabel = "S",
            description = {
                "int4: least-squares searches each scale for the least error; calibrated lets the errors of weights",
                "make up for each other on the texts of --calibration. Default: range."
            })
    private @Nullable String scales;

    @Option(
            names = "--activations",
            paramLabel = "A",
            description = {
                "int4: fp32 is slower and nearer to the original. int8: int16 is as near and costs twice the time;",
                "calibrated is faster, by steps that the texts of --calibration decide on. Default: int8."
            })
    private @Nullable String activations;

    @Option(
            names = "--fine-layers",
            paramLabel = "N",
            description =
                    "int8: first layers that get 16-bit activations. Default: " + Recipe.DEFAULT_FINE_LAYERS + ".")
    private @Nullable Integer fineLayers;

    @Option(
            names = "--embedding",
            paramLabel = "P",
            description = "Precision of the token embedding. Default: as --precision; int4 in blocks of "
                    + Recipe.DEFAULT_BLOCK_SIZE + ".")
    private @Nullable String embedding;

    @Option(
            names = "--vision",
            paramLabel = "P",
            description =
                    "Precision of the encoder of images, where the model has one. Default: as --precision; int8 for"
                            + " int4.")
    private @Nullable String vision;

    @Option(
            names = "--keep-layers",
            paramLabel = "N",
            description = "Drop all but N layers: those that change their input least, by --calibration.")
    private @Nullable Integer keepLayers;

    @Option(
            names = "--keep-mlp",
            paramLabel = "N",
            description = "Drop all but N neurons of each MLP: those that fire least, by --calibration.")
    private @Nullable Integer keepMlp;

    @Option(
            names = "--calibration",
            paramLabel = "FILE",
            description = "JSON lines of conversations, as for 'corral evaluate', to choose by what to drop, or for"
                    + " what is calibrated.")
    private @Nullable Path calibration;

    @Option(
            names = "--context",
            paramLabel = "TOKENS",
            description =
                    "Longest prompt that the guard takes at once. Default: " + Recipe.DEFAULT_CONTEXT_TOKENS + ".")
    private @Nullable Integer contextTokens;

    /**
     * What the flags say.
     *
     * @throws IllegalArgumentException if they contradict each other, or a value is wrong
     * @throws dev.corral.quantization.recipe.RecipeException if the recipe file cannot be followed
     */
    Recipe recipe() {
        require(precision != null || file != null, "--precision or --recipe must be given");
        return recipe(new Format.Fp32());
    }

    /**
     * What the flags say.
     *
     * @param unlessSaid what is made of all matrices and the embedding where no flag names a precision
     * @throws IllegalArgumentException if they contradict each other, or a value is wrong
     * @throws dev.corral.quantization.recipe.RecipeException if the recipe file cannot be followed
     */
    Recipe recipe(Format unlessSaid) {
        Path named = file;
        if (named != null) {
            List<String> others = Stream.of(
                            flag("--precision", precision),
                            flag("--block-size", blockSize),
                            flag("--scales", scales),
                            flag("--activations", activations),
                            flag("--fine-layers", fineLayers),
                            flag("--embedding", embedding),
                            flag("--vision", vision),
                            flag("--keep-layers", keepLayers),
                            flag("--keep-mlp", keepMlp),
                            flag("--calibration", calibration),
                            flag("--context", contextTokens))
                    .flatMap(Optional::stream)
                    .toList();
            require(others.isEmpty(), "--recipe says it all: leave " + others + " out, or write it into the file");
            return Recipe.read(named);
        }
        if (precision == null) {
            require(
                    Stream.of(blockSize, scales, activations, fineLayers, embedding, vision)
                            .allMatch(Objects::isNull),
                    "--block-size, --scales, --activations, --fine-layers, --embedding and --vision need --precision");
            return new Recipe(unlessSaid, List.of(), unlessSaid, pruning(), Optional.empty(), contextTokens());
        }
        Precision chosen = choice("--precision", precision, Precision.values(), Precision::label);
        Format matrices = matrices(chosen);
        require(
                fineLayers == null || (chosen == Precision.INT8 && fineLayers >= 0),
                "--fine-layers must be a number of at least 0, and is for int8 only: " + fineLayers);
        require(
                calibration == null || calibrated() || keepLayers != null || keepMlp != null,
                "--calibration is for --keep-layers, --keep-mlp, --scales calibrated and --activations calibrated only");
        require(
                !calibrated() || calibration != null,
                (CALIBRATED.equals(scales) ? "--scales" : "--activations")
                        + " calibrated needs --calibration: texts to read");
        Recipe recipe = new Recipe(
                matrices,
                List.of(),
                embedding(),
                pruning(),
                calibrated() ? Optional.ofNullable(calibration) : Optional.empty(),
                contextTokens());
        Recipe fine = chosen == Precision.INT8
                ? recipe.withFineLayers(Objects.requireNonNullElse(fineLayers, Recipe.DEFAULT_FINE_LAYERS))
                : recipe;
        return vision == null
                ? fine
                : fine.withVision(Recipe.of(choice("--vision", vision, Precision.values(), Precision::label)));
    }

    private int contextTokens() {
        return Objects.requireNonNullElse(contextTokens, Recipe.DEFAULT_CONTEXT_TOKENS);
    }

    private Format matrices(Precision chosen) {
        if (chosen != Precision.INT4) {
            require(
                    blockSize == null && scales == null,
                    "--block-size and --scales are for int4 only, not for " + chosen.label());
            require(
                    activations == null || chosen == Precision.INT8,
                    "--activations is for int4 and int8 only, not for " + chosen.label());
            return activations == null
                    ? Recipe.of(chosen).matrices()
                    : new Format.Int8(choice(
                            "--activations", activations, Format.Activations.values(), Format.Activations::label));
        }
        require(
                activations == null || List.of("int8", "fp32").contains(activations),
                "--activations must be int8 or fp32: '" + activations + "'");
        return new Format.Int4(
                Objects.requireNonNullElse(blockSize, Recipe.DEFAULT_BLOCK_SIZE), scales(), "fp32".equals(activations));
    }

    private Format.Scales scales() {
        return scales == null
                ? Format.Scales.RANGE
                : choice("--scales", scales, Format.Scales.values(), Format.Scales::label);
    }

    private boolean calibrated() {
        return CALIBRATED.equals(scales) || CALIBRATED.equals(activations);
    }

    private Format embedding() {
        Precision chosen = embedding == null
                ? choice("--precision", precision, Precision.values(), Precision::label)
                : choice("--embedding", embedding, Precision.values(), Precision::label);
        return chosen == Precision.INT4
                ? new Format.Int4(
                        Recipe.DEFAULT_BLOCK_SIZE, CALIBRATED.equals(scales) ? Format.Scales.RANGE : scales(), false)
                : Recipe.of(chosen).embedding();
    }

    private Optional<Pruning> pruning() {
        if (keepLayers == null && keepMlp == null) {
            return Optional.empty();
        }
        Path data = calibration;
        if (data == null) {
            throw new IllegalArgumentException(
                    "--keep-layers and --keep-mlp need --calibration: what to drop is chosen by it");
        }
        return Optional.of(new Pruning(number(keepLayers), number(keepMlp), data));
    }

    private static OptionalInt number(@Nullable Integer value) {
        return value == null ? OptionalInt.empty() : OptionalInt.of(value);
    }

    private static Optional<String> flag(String name, @Nullable Object value) {
        return value == null ? Optional.empty() : Optional.of(name);
    }

    private static <T> T choice(String flag, @Nullable String word, T[] values, Function<T, String> label) {
        return Arrays.stream(values)
                .filter(value -> label.apply(value).equals(word))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException("%s must be one of %s: '%s'"
                        .formatted(flag, Arrays.stream(values).map(label).collect(Collectors.joining(", ")), word)));
    }

    private static void require(boolean holds, String message) {
        if (!holds) {
            throw new IllegalArgumentException(message);
        }
    }
}
