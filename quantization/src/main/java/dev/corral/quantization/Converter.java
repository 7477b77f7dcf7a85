package dev.corral.quantization;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.corral.guardmodels.onnx.VisionShape;
import dev.corral.guardmodels.prompt.GuardFamily;
import dev.corral.guardmodels.prompt.VerdictTokens;
import dev.corral.guardmodels.store.GuardManifest;
import dev.corral.guardmodels.store.GuardStore;
import dev.corral.guardmodels.store.HazardCatalogue;
import dev.corral.guardmodels.store.OwnHazards;
import dev.corral.guardmodels.tokenizer.GuardTokenizer;
import dev.corral.policies.assessment.Probability;
import dev.corral.policies.taxonomy.Hazard;
import dev.corral.policies.taxonomy.Taxonomy;
import dev.corral.quantization.checkpoint.Checkpoint;
import dev.corral.quantization.checkpoint.CheckpointException;
import dev.corral.quantization.checkpoint.Tensor;
import dev.corral.quantization.graph.Calibrated;
import dev.corral.quantization.graph.Kept;
import dev.corral.quantization.graph.LlamaConfig;
import dev.corral.quantization.graph.LlamaGraph;
import dev.corral.quantization.graph.Matrix;
import dev.corral.quantization.graph.MllamaConfig;
import dev.corral.quantization.graph.OnnxGraph;
import dev.corral.quantization.graph.OnnxWriter;
import dev.corral.quantization.graph.VisionGraph;
import dev.corral.quantization.pruning.Calibration;
import dev.corral.quantization.recipe.Pruning;
import dev.corral.quantization.recipe.Recipe;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;

/** Makes a guard directory of a model. */
public final class Converter {

    private static final int CHUNKS_OVERLAP_BY = 8;

    private final String tool;

    /**
     * A converter.
     *
     * @param tool its name and version, for {@code guard.yaml}
     */
    public Converter(String tool) {
        this.tool = tool;
    }

    /**
     * What people are told about a guard, which no weights can tell.
     *
     * @param id letters, digits, dots and hyphens
     * @param hazards what it was trained to tell apart, where that is not what its family does
     */
    public record Description(
            String id, String licence, String quality, Probability recommendedThreshold, Optional<OwnHazards> hazards) {

        public Description(String id, String licence, String quality, Probability recommendedThreshold) {
            this(id, licence, quality, recommendedThreshold, Optional.empty());
        }
    }

    /** Is told how far a conversion is. */
    public interface Progress {

        /** Called once, before anything is written. */
        void total(long bytes);

        /** Called again and again with the bytes written so far. */
        void written(long bytes);

        /** Called, where a recipe prunes, with the conversations that the model has read to find out by what. */
        default void calibrated(int conversations, int all) {}
    }

    /**
     * Converts a Hugging Face model folder; see {@link #convert(Original, Path, GuardFamily, Recipe, Description,
     * Progress)}.
     *
     * @param from folder with {@code config.json}, {@code tokenizer.json} and safetensors weights
     */
    public GuardManifest convert(
            Path from, Path to, GuardFamily family, Recipe recipe, Description description, Progress progress)
            throws IOException {
        try (Original original = Original.huggingFace(from)) {
            return convert(original, to, family, recipe, description, progress);
        }
    }

    /**
     * Converts.
     *
     * @param to folder that must not exist yet; it appears only when it is complete
     * @return what the new guard says of itself
     * @throws CheckpointException if the source is not supported, saying what and why
     */
    public GuardManifest convert(
            Original original, Path to, GuardFamily family, Recipe recipe, Description description, Progress progress)
            throws IOException {
        if (Files.exists(to)) {
            throw new CheckpointException("%s exists already: name a folder that does not, or delete it".formatted(to));
        }
        LlamaConfig config = original.config();
        Optional<MllamaConfig> eyes = original.eyes();
        Checkpoint weights = original.weights();
        if (eyes.isPresent()) {
            recipe.requireNoTexts();
        } else {
            recipe.requireNoVision();
        }
        OwnHazards hazards = description.hazards().orElseGet(() -> OwnHazards.of(family));
        VerdictTokens verdict = verdict(family, hazards, original);
        Path target = to.toAbsolutePath();
        Files.createDirectories(target.getParent());
        Path unfinished = Files.createDirectory(target.resolveSibling("." + target.getFileName() + ".unfinished-"
                + ProcessHandle.current().pid()));
        try {
            HazardCatalogue catalogue = hazards.catalogue();
            Matrix head = head(original, verdict, family, catalogue.taxonomy());
            Kept kept = Kept.all(config);
            if (recipe.pruning().isPresent()) {
                Pruning pruning = recipe.pruning().get();
                Calibration calibration =
                        calibration(pruning.calibration(), config, family, catalogue, verdict, original);
                kept = calibration.keep(pruning, weights, head, unfinished, progress::calibrated);
            }
            recipe.requireFits(kept.layers().size(), config.hidden());
            GuardManifest manifest = manifest(
                    family,
                    catalogue,
                    recipe,
                    description,
                    original,
                    verdict,
                    head.rows(),
                    kept,
                    sources(original, recipe));
            Calibrated calibrated = Calibrated.NOTHING;
            if (recipe.calibration().isPresent()) {
                calibrated = calibration(recipe.calibration().get(), config, family, catalogue, verdict, original)
                        .calibrate(recipe, weights, head, kept, unfinished, progress::calibrated);
            }
            Map<String, OnnxGraph> graphs = new LinkedHashMap<>();
            if (eyes.isPresent()) {
                graphs.put("model.onnx", LlamaGraph.build(eyes.get(), weights, recipe, head));
                graphs.put("vision.onnx", VisionGraph.build(eyes.get(), weights, recipe.ofVision()));
            } else {
                graphs.put("model.onnx", LlamaGraph.build(config, weights, recipe, head, kept, calibrated));
            }
            write(graphs, unfinished, progress);
            Files.writeString(unfinished.resolve(Original.TOKENIZER), original.tokenizerJson());
            Files.writeString(unfinished.resolve("guard.yaml"), manifest.toYaml());
            GuardStore.seal(unfinished);
            Files.move(unfinished, to);
            return manifest;
        } catch (IOException | RuntimeException e) {
            deleteTree(unfinished);
            throw e;
        }
    }

    private void write(Map<String, OnnxGraph> graphs, Path folder, Progress progress) throws IOException {
        progress.total(
                graphs.values().stream().mapToLong(OnnxGraph::constantBytes).sum());
        long before = 0;
        for (Map.Entry<String, OnnxGraph> graph : graphs.entrySet()) {
            long done = before;
            new OnnxWriter(tool)
                    .write(graph.getValue(), folder.resolve(graph.getKey()), bytes -> progress.written(done + bytes));
            before += graph.getValue().constantBytes();
        }
    }

    private static VerdictTokens verdict(GuardFamily family, OwnHazards hazards, Original original) {
        try (GuardTokenizer tokenizer = tokenizer(original)) {
            Taxonomy taxonomy = hazards.catalogue().taxonomy();
            VerdictTokens verdict = family.verdictTokens(taxonomy, hazards.words(), tokenizer::encode);
            return original.prunedHead()
                    .map(head ->
                            verdict.within(head.tokens(), taxonomy.hazards().size()))
                    .orElse(verdict);
        } catch (IllegalArgumentException e) {
            throw new CheckpointException("the tokenizer of " + original.place() + ": " + e.getMessage(), e);
        }
    }

    private static Calibration calibration(
            Path data,
            LlamaConfig config,
            GuardFamily family,
            HazardCatalogue catalogue,
            VerdictTokens verdict,
            Original original) {
        try (GuardTokenizer tokenizer = tokenizer(original)) {
            return Calibration.read(data, config, family, catalogue.categories(), verdict, tokenizer);
        }
    }

    private static GuardTokenizer tokenizer(Original original) {
        return GuardTokenizer.load(original.tokenizerJson().getBytes(UTF_8), "the tokenizer of " + original.place());
    }

    private static Matrix head(Original original, VerdictTokens verdict, GuardFamily family, Taxonomy taxonomy) {
        LlamaConfig config = original.config();
        Checkpoint weights = original.weights();
        Optional<Tensor> cut = Original.verdictHead(weights);
        if (cut.isPresent()) {
            if (!verdict.headRows().isEmpty()) {
                throw new CheckpointException(
                        "the weights have a %s, which a guard of family %s has not: leave --family out"
                                .formatted(cut.get().name(), family.id()));
            }
            long rows = 2L + taxonomy.hazards().size();
            return Matrix.of(cut.get().requireShape(rows, config.hidden()));
        }
        if (verdict.headRows().isEmpty()) {
            throw new CheckpointException("a guard of family %s needs the tensor %s, which is missing"
                    .formatted(family.id(), Checkpoint.VERDICT_HEAD));
        }
        if (original.prunedHead().isPresent()) {
            Original.PrunedHead pruned = original.prunedHead().get();
            return Matrix.of(pruned.matrix().requireShape(pruned.tokens().size(), config.hidden()))
                    .select(verdict.headRows().stream()
                            .map(pruned.tokens()::indexOf)
                            .toList());
        }
        if (original.eyes().isPresent()) {
            Tensor rows = weights.require(MllamaConfig.Names.of(weights).head() + ".weight")
                    .requireShape(original.eyes().get().headRows(), config.hidden());
            return Matrix.of(rows).select(verdict.headRows());
        }
        Tensor vocabulary = weights.find("lm_head.weight")
                .or(() -> config.tied() ? weights.find("model.embed_tokens.weight") : Optional.empty())
                .orElseThrow(() -> new CheckpointException(
                        "tensor 'lm_head.weight' is missing, and the configuration does not tie it to the embedding"));
        return Matrix.of(vocabulary.requireShape(config.vocabulary(), config.hidden()))
                .select(verdict.headRows());
    }

    private GuardManifest manifest(
            GuardFamily family,
            HazardCatalogue catalogue,
            Recipe recipe,
            Description description,
            Original original,
            VerdictTokens verdict,
            int headRows,
            Kept kept,
            Map<String, String> sources) {
        LlamaConfig config = original.config();
        int contextTokens = Math.min(recipe.contextTokens(), config.maxPositions());
        Map<String, Integer> hazards = new LinkedHashMap<>();
        for (Hazard hazard : catalogue.taxonomy().hazards()) {
            hazards.put(hazard.code(), 2 + hazards.size());
        }
        Optional<GuardManifest.Listing> listing = verdict.listing()
                .map(list -> new GuardManifest.Listing(
                        names(catalogue.taxonomy(), list), list.another(), list.more(), list.end()));
        return new GuardManifest(
                description.id(),
                family,
                recipe.precision(),
                description.licence(),
                description.quality(),
                description.recommendedThreshold(),
                new GuardManifest.Context(contextTokens, contextTokens / CHUNKS_OVERLAP_BY),
                new GuardManifest.Model(
                        original.eyes()
                                .map(MllamaConfig::selfLayers)
                                .orElse(kept.layers().size()),
                        config.kvHeads(),
                        config.headSize(),
                        headRows),
                catalogue,
                new GuardManifest.Verdict(
                        verdict.lead(), verdict.continuation(), 0, 1, hazards, verdict.headRows(), listing),
                original.eyes()
                        .map(eyes -> new GuardManifest.Vision(recipe.ofVision().precision(), shape(eyes))),
                new GuardManifest.Made(tool, made(original, recipe, kept), original.history(), sources));
    }

    private static Map<String, List<Integer>> names(Taxonomy taxonomy, VerdictTokens.Listing listing) {
        Map<String, List<Integer>> names = new LinkedHashMap<>();
        for (Hazard hazard : taxonomy.hazards()) {
            names.put(hazard.code(), listing.names().get(names.size()));
        }
        return names;
    }

    private static VisionShape shape(MllamaConfig config) {
        MllamaConfig.Vision vision = config.vision();
        return new VisionShape(
                vision.imageSize(),
                vision.tiles(),
                vision.imageTokens() / vision.tiles(),
                config.crossLayers().size(),
                config.imageToken());
    }

    /** The recipe, and what came of it where that cannot be told from the sources alone. */
    private static String made(Original original, Recipe recipe, Kept kept) {
        if (original.eyes().isPresent()) {
            return recipe.label() + "; vision " + recipe.ofVision().label();
        }
        if (kept.layers().size() == original.config().layers()) {
            return recipe.label();
        }
        return recipe.label()
                + kept.layers().stream()
                        .map(String::valueOf)
                        .collect(Collectors.joining(" ", "; kept of the layers: ", ""));
    }

    private static Map<String, String> sources(Original original, Recipe recipe) throws IOException {
        List<Path> files = new ArrayList<>(original.sources());
        recipe.pruning().ifPresent(pruning -> files.add(pruning.calibration()));
        recipe.calibration().filter(file -> !files.contains(file)).ifPresent(files::add);
        Map<String, String> sources = new LinkedHashMap<>();
        for (Path file : files) {
            sources.put(file.getFileName().toString(), GuardStore.digest(file));
        }
        return sources;
    }

    /** Deletes a folder and all that is in it. */
    static void deleteTree(Path folder) throws IOException {
        try (var files = Files.walk(folder)) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(file);
            }
        }
    }
}
