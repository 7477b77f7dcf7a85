package dev.corral.quantization.recipe;

import dev.corral.guardmodels.store.Precision;
import dev.corral.guardmodels.store.UnusableGuardException;
import dev.corral.guardmodels.store.YamlSection;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Collectors;

/**
 * A recipe as a file, read strictly: all problems at once, an unknown key is one.
 *
 * <pre>{@code
 * precision: int4              # of all matrices: fp32, fp16, int8, int4
 * block-size: 32               # int4: weights that share a scale
 * scales: least-squares        # int4: range (the default), least-squares or calibrated
 * calibration: some.jsonl      # for scales: calibrated, and activations: calibrated
 * activations: fp32            # int4: int8 (the default) or fp32; int8: int8 (the default), int16 or calibrated
 * embedding: { precision: int8 }
 * context: 8192
 * except:                      # the last one that fits a matrix counts
 *   - { layers: [0, -1], matrices: [down], precision: int8, activations: int16 }
 * vision: { precision: int8 }  # of an encoder of images; takes the keys above, but no context
 * prune: { layers: 12, mlp: 6400, calibration: calibration.jsonl }
 * }</pre>
 */
final class RecipeYaml {

    private static final Map<String, Precision> PRECISIONS = byLabel(Precision.values(), Precision::label);
    private static final Map<String, Projection> PROJECTIONS = byLabel(Projection.values(), Projection::label);
    private static final Map<String, Format.Scales> SCALES = byLabel(Format.Scales.values(), Format.Scales::label);

    private static final Map<String, Format.Activations> ACTIVATIONS =
            byLabel(Format.Activations.values(), Format.Activations::label);
    private static final Map<String, Boolean> EXACT_ACTIVATIONS =
            byLabel(new Boolean[] {false, true}, exact -> exact ? "fp32" : "int8");

    private final Path folder;
    private final YamlSection root;

    private RecipeYaml(Path folder, YamlSection root) {
        this.folder = folder;
        this.root = root;
    }

    /** Reads a file; the calibration data lies relative to it. */
    static Recipe read(Path file) {
        try {
            YamlSection root = YamlSection.parse(Files.readString(file), file.toString());
            Recipe recipe =
                    new RecipeYaml(file.toAbsolutePath().resolveSibling("").normalize(), root).recipe();
            root.finish(file.toString());
            return recipe;
        } catch (UnusableGuardException e) {
            throw new RecipeException(String.valueOf(e.getMessage()), e);
        } catch (IOException e) {
            throw new RecipeException(file + " cannot be read as a recipe: " + e, e);
        }
    }

    private Recipe recipe() {
        Format matrices = format(root);
        List<Recipe.Deviation> deviations = new ArrayList<>();
        if (root.has("except")) {
            root.sections("except").forEach(section -> deviations.add(deviation(section)));
        }
        Format embedding = root.has("embedding")
                ? embedding(root.section("embedding"))
                : Recipe.of(matrices.precision()).embedding();
        int context = root.has("context")
                ? root.integer("context", Recipe.LEAST_CONTEXT_TOKENS)
                : Recipe.DEFAULT_CONTEXT_TOKENS;
        Optional<Pruning> pruning = root.has("prune") ? Optional.of(pruning(root.section("prune"))) : Optional.empty();
        Optional<Path> calibration =
                root.has("calibration") ? Optional.of(folder.resolve(root.text("calibration"))) : Optional.empty();
        Optional<Recipe> vision = root.has("vision") ? Optional.of(vision(root.section("vision"))) : Optional.empty();
        Recipe recipe = new Recipe(matrices, deviations, embedding, pruning, calibration, context, vision);
        if (recipe.calibrated() && calibration.isEmpty()) {
            root.problem("'calibrated' needs 'calibration': a file of JSON lines to read");
        }
        if (!recipe.calibrated() && calibration.isPresent()) {
            root.problem("'calibration' is for 'scales: calibrated' and 'activations: calibrated' only; pruning has its"
                    + " own, 'prune.calibration'");
        }
        return recipe;
    }

    private Recipe vision(YamlSection section) {
        for (String key : List.of("context", "prune", "scales", "vision")) {
            if (section.has(key)) {
                section.problem("'" + key + "' is not for an encoder of images: leave it out");
            }
        }
        return new RecipeYaml(folder, section).recipe();
    }

    private Recipe.Deviation deviation(YamlSection section) {
        List<Integer> layers = new ArrayList<>();
        if (section.has("layers")) {
            for (Object layer : section.list("layers", "a list of layers, from 0, or from the end below 0")) {
                if (layer instanceof Integer number) {
                    layers.add(number);
                } else {
                    section.problem("'layers' must hold whole numbers: '" + layer + "'");
                }
            }
        }
        Set<Projection> projections = EnumSet.noneOf(Projection.class);
        if (section.has("matrices")) {
            for (Object name : section.list("matrices", "a list of " + String.join(", ", PROJECTIONS.keySet()))) {
                Projection projection = PROJECTIONS.get(String.valueOf(name));
                if (projection == null) {
                    section.problem("'matrices' must hold some of " + String.join(", ", PROJECTIONS.keySet()) + ": '"
                            + name + "'");
                } else {
                    projections.add(projection);
                }
            }
        }
        if (!section.has("layers") && !section.has("matrices")) {
            section.problem("it must have 'layers' or 'matrices': otherwise it excepts everything");
        }
        return new Recipe.Deviation(layers, projections, format(section));
    }

    private static Format format(YamlSection section) {
        return switch (section.choice("precision", PRECISIONS)) {
            case FP32 -> new Format.Fp32();
            case FP16 -> new Format.Fp16();
            case INT8 -> new Format.Int8(activations(section));
            case INT4 -> new Format.Int4(blockSize(section), scales(section), exactActivations(section));
        };
    }

    private static Format embedding(YamlSection section) {
        return switch (section.choice("precision", PRECISIONS)) {
            case FP32 -> new Format.Fp32();
            case FP16 -> new Format.Fp16();
            case INT8 -> new Format.Int8(Format.Activations.INT8);
            case INT4 -> {
                Format.Scales scales = scales(section);
                if (scales == Format.Scales.CALIBRATED) {
                    section.problem("'scales' must be range or least-squares: an embedding multiplies nothing");
                }
                yield new Format.Int4(blockSize(section), scales, false);
            }
        };
    }

    private static int blockSize(YamlSection section) {
        if (!section.has("block-size")) {
            return Recipe.DEFAULT_BLOCK_SIZE;
        }
        int size = section.integer("block-size", 1);
        if (!Format.Int4.BLOCK_SIZES.contains(size)) {
            section.problem("'block-size' must be one of " + Format.Int4.BLOCK_SIZES + ": " + size);
            return Recipe.DEFAULT_BLOCK_SIZE;
        }
        return size;
    }

    private static Format.Scales scales(YamlSection section) {
        return section.has("scales") ? section.choice("scales", SCALES) : Format.Scales.RANGE;
    }

    private static Format.Activations activations(YamlSection section) {
        return section.has("activations") ? section.choice("activations", ACTIVATIONS) : Format.Activations.INT8;
    }

    private static boolean exactActivations(YamlSection section) {
        return section.has("activations") && section.choice("activations", EXACT_ACTIVATIONS);
    }

    private Pruning pruning(YamlSection section) {
        OptionalInt layers = section.has("layers") ? OptionalInt.of(section.integer("layers", 1)) : OptionalInt.empty();
        OptionalInt mlp = section.has("mlp") ? OptionalInt.of(section.integer("mlp", 1)) : OptionalInt.empty();
        if (layers.isEmpty() && mlp.isEmpty()) {
            section.problem("it must have 'layers' or 'mlp': how many of them stay");
        }
        return new Pruning(layers, mlp, folder.resolve(section.text("calibration")));
    }

    private static <T> Map<String, T> byLabel(T[] values, Function<T, String> label) {
        return Arrays.stream(values)
                .collect(Collectors.toMap(label, value -> value, (first, _) -> first, LinkedHashMap::new));
    }
}
