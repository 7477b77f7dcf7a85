package dev.corral.quantization;

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
import dev.corral.quantization.safetensors.Checkpoint;
import dev.corral.quantization.safetensors.CheckpointException;
import dev.corral.quantization.safetensors.Tensor;
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

/** Makes a guard directory of a Hugging Face model directory. */
public final class Converter {

    private static final String TOKENIZER = "tokenizer.json";
    private static final String VERDICT_HEAD = "verdict_head.weight";
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

    /** The family that the weights of a directory are made for, as far as they show it. */
    public static GuardFamily family(Path from) {
        try (Checkpoint weights = Checkpoint.open(from)) {
            if (weights.find(VERDICT_HEAD).isPresent()) {
                return GuardFamily.CORRAL_STARTER;
            }
        }
        if (MllamaConfig.describes(from)) {
            return GuardFamily.LLAMA_GUARD_3;
        }
        return LlamaConfig.read(from).layers() == 32 ? GuardFamily.LLAMA_GUARD_3_8B : GuardFamily.LLAMA_GUARD_3;
    }

    /**
     * Converts.
     *
     * @param from folder with {@code config.json}, {@code tokenizer.json} and safetensors weights
     * @param to folder that must not exist yet; it appears only when it is complete
     * @return what the new guard says of itself
     * @throws CheckpointException if the source is not supported, saying what and why
     */
    public GuardManifest convert(
            Path from, Path to, GuardFamily family, Recipe recipe, Description description, Progress progress)
            throws IOException {
        Path tokenizerFile = from.resolve(TOKENIZER);
        if (!Files.isRegularFile(tokenizerFile)) {
            throw new CheckpointException(
                    "%s has no %s: download it from the model's repository".formatted(from, TOKENIZER));
        }
        if (Files.exists(to)) {
            throw new CheckpointException("%s exists already: name a folder that does not, or delete it".formatted(to));
        }
        Optional<MllamaConfig> eyes =
                MllamaConfig.describes(from) ? Optional.of(MllamaConfig.read(from)) : Optional.empty();
        LlamaConfig config = eyes.map(MllamaConfig::text).orElseGet(() -> LlamaConfig.read(from));
        if (eyes.isPresent()) {
            recipe.requireNoTexts();
            ImageFiles.require(from, eyes.get(), tokenizerFile);
        }
        OwnHazards hazards = description.hazards().orElseGet(() -> OwnHazards.of(family));
        VerdictTokens verdict = verdict(family, hazards, tokenizerFile);
        Path target = to.toAbsolutePath();
        Files.createDirectories(target.getParent());
        Path unfinished = Files.createDirectory(target.resolveSibling("." + target.getFileName() + ".unfinished-"
                + ProcessHandle.current().pid()));
        try (Checkpoint weights = Checkpoint.open(from)) {
            HazardCatalogue catalogue = hazards.catalogue();
            Matrix head = head(config, eyes, weights, verdict, family, catalogue.taxonomy());
            Kept kept = Kept.all(config);
            if (recipe.pruning().isPresent()) {
                Pruning pruning = recipe.pruning().get();
                Calibration calibration =
                        calibration(pruning.calibration(), config, family, catalogue, verdict, tokenizerFile);
                kept = calibration.keep(pruning, weights, head, unfinished, progress::calibrated);
            }
            recipe.requireFits(kept.layers().size(), config.hidden());
            GuardManifest manifest = manifest(
                    family,
                    catalogue,
                    recipe,
                    description,
                    config,
                    eyes,
                    verdict,
                    head.rows(),
                    kept,
                    sources(from, weights, recipe));
            Calibrated calibrated = Calibrated.NOTHING;
            if (recipe.calibration().isPresent()) {
                calibrated = calibration(recipe.calibration().get(), config, family, catalogue, verdict, tokenizerFile)
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
            Files.copy(tokenizerFile, unfinished.resolve(TOKENIZER));
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

    private static VerdictTokens verdict(GuardFamily family, OwnHazards hazards, Path tokenizerFile)
            throws IOException {
        try (GuardTokenizer tokenizer = tokenizer(tokenizerFile)) {
            return family.verdictTokens(hazards.catalogue().taxonomy(), hazards.words(), tokenizer::encode);
        } catch (IllegalArgumentException e) {
            throw new CheckpointException(tokenizerFile + ": " + e.getMessage(), e);
        }
    }

    private static Calibration calibration(
            Path data,
            LlamaConfig config,
            GuardFamily family,
            HazardCatalogue catalogue,
            VerdictTokens verdict,
            Path tokenizerFile)
            throws IOException {
        try (GuardTokenizer tokenizer = tokenizer(tokenizerFile)) {
            return Calibration.read(data, config, family, catalogue.categories(), verdict, tokenizer);
        }
    }

    private static GuardTokenizer tokenizer(Path file) throws IOException {
        return GuardTokenizer.load(Files.readAllBytes(file), file.toString());
    }

    private static Matrix head(
            LlamaConfig config,
            Optional<MllamaConfig> eyes,
            Checkpoint weights,
            VerdictTokens verdict,
            GuardFamily family,
            Taxonomy taxonomy) {
        Optional<Tensor> cut = weights.find(VERDICT_HEAD);
        if (cut.isPresent()) {
            if (!verdict.headRows().isEmpty()) {
                throw new CheckpointException(
                        "the weights have a %s, which a guard of family %s has not: leave --family out"
                                .formatted(VERDICT_HEAD, family.id()));
            }
            long rows = 2L + taxonomy.hazards().size();
            return Matrix.of(cut.get().requireShape(rows, config.hidden()));
        }
        if (verdict.headRows().isEmpty()) {
            throw new CheckpointException(
                    "a guard of family %s needs the tensor %s, which is missing".formatted(family.id(), VERDICT_HEAD));
        }
        if (eyes.isPresent()) {
            Tensor rows = weights.require(MllamaConfig.Names.of(weights).head() + ".weight")
                    .requireShape(eyes.get().headRows(), config.hidden());
            return Matrix.of(rows).select(verdict.headRows());
        }
        Tensor vocabulary = weights.find("lm_head.weight")
                .or(() -> config.tied() ? weights.find("model.embed_tokens.weight") : Optional.empty())
                .orElseThrow(() -> new CheckpointException(
                        "tensor 'lm_head.weight' is missing, and config.json does not tie it to the embedding"));
        return Matrix.of(vocabulary.requireShape(config.vocabulary(), config.hidden()))
                .select(verdict.headRows());
    }

    private GuardManifest manifest(
            GuardFamily family,
            HazardCatalogue catalogue,
            Recipe recipe,
            Description description,
            LlamaConfig config,
            Optional<MllamaConfig> eyes,
            VerdictTokens verdict,
            int headRows,
            Kept kept,
            Map<String, String> sources) {
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
                        eyes.map(MllamaConfig::selfLayers).orElse(kept.layers().size()),
                        config.kvHeads(),
                        config.headSize(),
                        headRows),
                catalogue,
                new GuardManifest.Verdict(verdict.lead(), verdict.continuation(), 0, 1, hazards, listing),
                eyes.map(found -> new GuardManifest.Vision(recipe.ofVision().precision(), shape(found))),
                new GuardManifest.Made(
                        tool,
                        made(recipe, config, kept)
                                + (eyes.isPresent()
                                        ? "; vision " + recipe.ofVision().label()
                                        : ""),
                        sources));
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
    private static String made(Recipe recipe, LlamaConfig config, Kept kept) {
        if (kept.layers().size() == config.layers()) {
            return recipe.label();
        }
        return recipe.label()
                + kept.layers().stream()
                        .map(String::valueOf)
                        .collect(Collectors.joining(" ", "; kept of the layers: ", ""));
    }

    private static Map<String, String> sources(Path from, Checkpoint weights, Recipe recipe) throws IOException {
        List<Path> files = new ArrayList<>(List.of(from.resolve("config.json"), from.resolve(TOKENIZER)));
        files.addAll(weights.files());
        recipe.pruning().ifPresent(pruning -> files.add(pruning.calibration()));
        recipe.calibration().filter(file -> !files.contains(file)).ifPresent(files::add);
        Map<String, String> sources = new LinkedHashMap<>();
        for (Path file : files) {
            sources.put(file.getFileName().toString(), GuardStore.digest(file));
        }
        return sources;
    }

    private static void deleteTree(Path folder) throws IOException {
        try (var files = Files.walk(folder)) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(file);
            }
        }
    }
}
