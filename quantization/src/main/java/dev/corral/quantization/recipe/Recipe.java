package dev.corral.quantization.recipe;

import dev.corral.guardmodels.store.Precision;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * What to make of a checkpoint. The verdict head always stays fp32.
 *
 * @param matrices of all layers, where nothing deviates
 * @param deviations the last one that fits a matrix counts
 * @param embedding of the token embedding
 * @param pruning what is left out before
 * @param calibration JSON lines of conversations that {@link Format.Scales#CALIBRATED} matrices and {@link
 *     Format.Activations#CALIBRATED} activations are made for
 * @param contextTokens longest prompt that the guard will take
 * @param vision what to make of an encoder of images, where there is one; empty for what {@link #ofVision} says
 */
public record Recipe(
        Format matrices,
        List<Deviation> deviations,
        Format embedding,
        Optional<Pruning> pruning,
        Optional<Path> calibration,
        int contextTokens,
        Optional<Recipe> vision) {

    public static final int DEFAULT_BLOCK_SIZE = 32;

    public static final int DEFAULT_FINE_LAYERS = 2;

    public static final int DEFAULT_CONTEXT_TOKENS = 8192;

    public static final int LEAST_CONTEXT_TOKENS = 128;

    /** Without a word on images. */
    public Recipe(
            Format matrices,
            List<Deviation> deviations,
            Format embedding,
            Optional<Pruning> pruning,
            Optional<Path> calibration,
            int contextTokens) {
        this(matrices, deviations, embedding, pruning, calibration, contextTokens, Optional.empty());
    }

    public Recipe {
        deviations = List.copyOf(deviations);
        if (contextTokens < LEAST_CONTEXT_TOKENS) {
            throw new IllegalArgumentException(
                    "the context must be at least %d tokens: %d".formatted(LEAST_CONTEXT_TOKENS, contextTokens));
        }
    }

    /**
     * Matrices that are kept in another way.
     *
     * @param layers from 0; below 0 they count from the end, -1 is the last one; empty for all
     * @param projections empty for all
     */
    public record Deviation(List<Integer> layers, Set<Projection> projections, Format format) {

        public Deviation {
            layers = List.copyOf(layers);
            projections = Set.copyOf(projections);
        }

        boolean fits(int layer, int layerCount, Projection projection) {
            return (layers.isEmpty() || layers.contains(layer) || layers.contains(layer - layerCount))
                    && (projections.isEmpty() || projections.contains(projection));
        }

        String label() {
            String where = layers.isEmpty()
                    ? "all layers"
                    : (layers.size() == 1 ? "layer " : "layers ")
                            + layers.stream().map(String::valueOf).collect(Collectors.joining(" "));
            String what = projections.isEmpty()
                    ? ""
                    : projections.stream()
                            .sorted()
                            .map(Projection::label)
                            .collect(Collectors.joining(" and ", " ", ""));
            return where + what + " " + format.label();
        }
    }

    /** The recipe of a precision with the defaults for the rest. */
    public static Recipe of(Precision precision) {
        Format.Int4 int4 = new Format.Int4(DEFAULT_BLOCK_SIZE, Format.Scales.RANGE, false);
        return switch (precision) {
            case FP32 -> plain(new Format.Fp32());
            case FP16 -> plain(new Format.Fp16());
            case INT8 -> plain(new Format.Int8(Format.Activations.INT8)).withFineLayers(DEFAULT_FINE_LAYERS);
            case INT4 -> plain(int4);
        };
    }

    /** Reads a recipe from a file; see {@code docs/quantization.md}. */
    public static Recipe read(Path file) {
        return RecipeYaml.read(file);
    }

    private static Recipe plain(Format format) {
        return new Recipe(format, List.of(), format, Optional.empty(), Optional.empty(), DEFAULT_CONTEXT_TOKENS);
    }

    /** The same, but for the first layers, which are int8 with 16-bit activations. */
    public Recipe withFineLayers(int count) {
        List<Integer> first = IntStream.range(0, count).boxed().toList();
        List<Deviation> fine = count == 0
                ? List.of()
                : List.of(new Deviation(first, Set.of(), new Format.Int8(Format.Activations.INT16)));
        return new Recipe(matrices, fine, embedding, pruning, calibration, contextTokens, vision);
    }

    /** The same, with a recipe for the encoder of images. */
    public Recipe withVision(Recipe encoder) {
        return new Recipe(matrices, deviations, embedding, pruning, calibration, contextTokens, Optional.of(encoder));
    }

    /**
     * What to make of an encoder of images: as of the decoder, but not below 8 bits where nothing else is said. An
     * encoder is a tenth of the model, and what it loses no later layer can find again.
     */
    public Recipe ofVision() {
        return vision.orElseGet(() -> of(precision() == Precision.INT4 ? Precision.INT8 : precision()));
    }

    /**
     * Checks that it can be followed for a model that sees images.
     *
     * @throws RecipeException if it prunes or calibrates, which is done by texts alone
     */
    public void requireNoTexts() {
        if (pruning.isPresent()
                || calibrated()
                || ofVision().pruning.isPresent()
                || ofVision().calibrated()) {
            throw new RecipeException(
                    "a model that sees images is neither pruned nor calibrated: that is decided by what"
                            + " it reads of texts alone; leave 'prune' and whatever is 'calibrated' out");
        }
    }

    /**
     * Checks that it can be followed for a model that reads text only.
     *
     * @throws RecipeException if it says what to make of an encoder of images
     */
    public void requireNoVision() {
        if (vision.isPresent()) {
            throw new RecipeException(
                    "the recipe says what to make of an encoder of images, and this model reads text only:"
                            + " leave 'vision' (--vision) out, or take a model that sees images");
        }
    }

    /** How one matrix is kept. */
    public Format format(int layer, int layerCount, Projection projection) {
        return deviations.reversed().stream()
                .filter(deviation -> deviation.fits(layer, layerCount, projection))
                .findFirst()
                .map(Deviation::format)
                .orElse(matrices);
    }

    /**
     * Checks that it can be followed for a decoder of this shape.
     *
     * @throws RecipeException if not
     */
    public void requireFits(int layerCount, int hidden) {
        for (Deviation deviation : deviations) {
            for (int layer : deviation.layers) {
                if (layer >= layerCount || layer < -layerCount) {
                    throw new RecipeException(
                            "the recipe names layer %d, but there are only %d layers, from 0 on (-1 is the last)"
                                    .formatted(layer, layerCount));
                }
            }
        }
        Format made = embedding instanceof Format.Stored stored ? stored.otherwise() : embedding;
        if (made instanceof Format.Int4 int4 && hidden % int4.blockSize() != 0) {
            throw new RecipeException(
                    "blocks of %d do not divide the %d weights of a token's embedding: take smaller ones"
                            .formatted(int4.blockSize(), hidden));
        }
    }

    /** Whether calibration data decide on the numbers of some matrix. */
    public boolean calibrated() {
        return Stream.concat(Stream.of(matrices), deviations.stream().map(Deviation::format))
                .anyMatch(format -> switch (format) {
                    case Format.Int8 int8 -> int8.calibrated();
                    case Format.Int4 int4 -> int4.calibrated();
                    case Format.Fp16 _, Format.Fp32 _, Format.Stored _ -> false;
                });
    }

    /** The precision of most of the guard. */
    public Precision precision() {
        return matrices.precision();
    }

    /** The whole recipe in one line, such as {@code int4 in blocks of 32; embedding int8}. */
    public String label() {
        List<String> parts = new ArrayList<>();
        pruning.ifPresent(cut -> parts.add(cut.label()));
        parts.add(matrices.label());
        deviations.forEach(deviation -> parts.add(deviation.label()));
        if (!embedding.equals(matrices)) {
            parts.add("embedding " + embedding.label());
        }
        return String.join("; ", parts);
    }
}
