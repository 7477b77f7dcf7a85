package dev.corral.quantization;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.corral.guardmodels.guard.OnnxGuard;
import dev.corral.guardmodels.onnx.ModelException;
import dev.corral.guardmodels.onnx.Resources;
import dev.corral.guardmodels.prompt.GuardFamily;
import dev.corral.guardmodels.prompt.VerdictTokens;
import dev.corral.guardmodels.store.GuardManifest;
import dev.corral.guardmodels.store.GuardStore;
import dev.corral.guardmodels.store.HazardCatalogue;
import dev.corral.guardmodels.store.OwnHazards;
import dev.corral.guardmodels.store.Precision;
import dev.corral.guardmodels.tokenizer.GuardTokenizer;
import dev.corral.policies.taxonomy.Hazard;
import dev.corral.quantization.checkpoint.Checkpoint;
import dev.corral.quantization.checkpoint.CheckpointException;
import dev.corral.quantization.checkpoint.Tensor;
import dev.corral.quantization.graph.LlamaConfig;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/**
 * An ONNX model that others made, as Optimum and onnx-community lay it out: {@code config.json} and {@code tokenizer.json}
 * in a folder, the model there or in {@code onnx} below it, its weights in the file or beside it. It becomes a guard as it
 * is.
 *
 * @param folder with the configuration and the tokenizer
 * @param data files of weights beside the model
 */
record PublishedOnnx(Path folder, Path model, List<Path> data) {

    private static final String ENDING = ".onnx";
    private static final String CONFIG = "config.json";
    private static final int CHUNKS_OVERLAP_BY = 8;

    PublishedOnnx {
        data = List.copyOf(data);
    }

    /**
     * The model that a folder or a file is.
     *
     * @throws CheckpointException if it is none, if there are several, or if something is missing, saying what
     */
    static PublishedOnnx find(Path source) throws IOException {
        Path model = Files.isDirectory(source) ? only(source) : source;
        Path beside = model.toAbsolutePath().resolveSibling("");
        Path folder =
                Files.exists(beside.resolve(CONFIG)) || !beside.endsWith("onnx") ? beside : beside.resolveSibling("");
        for (String needed : List.of(CONFIG, Original.TOKENIZER)) {
            if (!Files.isRegularFile(folder.resolve(needed))) {
                throw new CheckpointException(
                        "%s has no %s, which a guard of %s needs: download it from where the model is"
                                .formatted(folder, needed, model));
            }
        }
        String name = model.getFileName().toString();
        try (Stream<Path> files = Files.list(beside)) {
            return new PublishedOnnx(
                    folder,
                    model,
                    files.filter(file -> file.getFileName().toString().startsWith(name + "_data")
                                    || file.getFileName().toString().startsWith(name + ".data"))
                            .sorted()
                            .toList());
        }
    }

    private static Path only(Path folder) throws IOException {
        List<Path> models = new ArrayList<>(models(folder));
        if (models.isEmpty() && Files.isDirectory(folder.resolve("onnx"))) {
            models.addAll(models(folder.resolve("onnx")));
        }
        if (models.isEmpty()) {
            throw new CheckpointException(
                    "%s has no ONNX model, neither itself nor in a folder 'onnx'; a Hugging Face folder of safetensors is for 'corral quantize'"
                            .formatted(folder));
        }
        if (models.size() > 1) {
            throw new CheckpointException("%s has several ONNX models: name one of them, such as %s, out of %s"
                    .formatted(
                            folder,
                            models.getFirst(),
                            models.stream().map(Path::getFileName).toList()));
        }
        return models.getFirst();
    }

    private static List<Path> models(Path folder) throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.filter(file -> file.toString().endsWith(ENDING))
                    .sorted()
                    .toList();
        }
    }

    /** The model's geometry and tokenizer; it has no weights that could be read. */
    Original original() throws IOException {
        List<Path> sources =
                new ArrayList<>(List.of(folder.resolve(CONFIG), folder.resolve(Original.TOKENIZER), model));
        sources.addAll(data);
        return new Original(
                model.toString(),
                LlamaConfig.read(folder),
                Files.readString(folder.resolve(Original.TOKENIZER)),
                new NoWeights(),
                sources,
                Optional.empty());
    }

    /**
     * Makes a guard directory, and loads it once: what cannot give a verdict in one pass is refused.
     *
     * @param to folder that must not exist yet; it appears only when it is complete
     * @throws CheckpointException if it cannot be run, saying why
     */
    GuardManifest makeGuard(
            Original original, Path to, GuardFamily family, Converter.Description description, int contextTokens)
            throws IOException {
        GuardManifest manifest = manifest(original, family, description, contextTokens);
        Path target = to.toAbsolutePath();
        List<Path> files = new ArrayList<>(List.of(model));
        files.addAll(data);
        long bytes = 0;
        for (Path file : files) {
            bytes += Files.size(file);
        }
        new DiskSpace().add(target, bytes).require();
        Files.createDirectories(target.getParent());
        Path unfinished = Files.createDirectory(target.resolveSibling("." + target.getFileName() + ".unfinished-"
                + ProcessHandle.current().pid()));
        try {
            for (Path file : files) {
                Path name = file.equals(model) ? Path.of("model.onnx") : file.getFileName();
                Files.copy(file, unfinished.resolve(name));
            }
            Files.writeString(unfinished.resolve(Original.TOKENIZER), original.tokenizerJson());
            Files.writeString(unfinished.resolve("guard.yaml"), manifest.toYaml());
            GuardStore.seal(unfinished);
            OnnxGuard.load(GuardStore.open(unfinished), Resources.oneLane(1)).close();
            Files.move(unfinished, to);
            return manifest;
        } catch (ModelException e) {
            Converter.deleteTree(unfinished);
            throw new CheckpointException(
                    String.valueOf(e.getMessage())
                            .replace(unfinished.resolve("model.onnx").toString(), model.toString()),
                    e);
        } catch (IOException | RuntimeException e) {
            Converter.deleteTree(unfinished);
            throw e;
        }
    }

    private GuardManifest manifest(
            Original original, GuardFamily family, Converter.Description description, int contextTokens)
            throws IOException {
        LlamaConfig config = original.config();
        OwnHazards own = description.hazards().orElseGet(() -> OwnHazards.of(family));
        HazardCatalogue catalogue = own.catalogue();
        VerdictTokens verdict = verdict(original, family, own);
        List<Integer> rows = verdict.headRows();
        Map<String, Integer> hazards = new LinkedHashMap<>();
        Map<String, List<Integer>> names = new LinkedHashMap<>();
        for (Hazard hazard : catalogue.taxonomy().hazards()) {
            verdict.listing()
                    .ifPresent(
                            listing -> names.put(hazard.code(), listing.names().get(names.size())));
            hazards.put(hazard.code(), rows.get(2 + hazards.size()));
        }
        int context = Math.min(contextTokens, config.maxPositions());
        Map<String, String> sources = new LinkedHashMap<>();
        for (Path file : original.sources()) {
            sources.put(file.getFileName().toString(), GuardStore.digest(file));
        }
        return new GuardManifest(
                description.id(),
                family,
                precision(),
                description.licence(),
                description.quality(),
                description.recommendedThreshold(),
                new GuardManifest.Context(context, context / CHUNKS_OVERLAP_BY),
                new GuardManifest.Model(config.layers(), config.kvHeads(), config.headSize(), config.vocabulary()),
                catalogue,
                new GuardManifest.Verdict(
                        verdict.lead(),
                        verdict.continuation(),
                        rows.get(0),
                        rows.get(1),
                        hazards,
                        List.of(),
                        verdict.listing()
                                .map(listing -> new GuardManifest.Listing(
                                        names, listing.another(), rows.get(listing.more()), rows.get(listing.end())))),
                Optional.empty(),
                new GuardManifest.Made(
                        Tool.nameAndVersion(),
                        "as published, " + precision().label(),
                        Optional.of("ONNX model " + model.getFileName() + " in Optimum's layout"),
                        sources));
    }

    private static VerdictTokens verdict(Original original, GuardFamily family, OwnHazards hazards) {
        try (GuardTokenizer tokenizer =
                GuardTokenizer.load(original.tokenizerJson().getBytes(UTF_8), "the tokenizer of " + original.place())) {
            VerdictTokens verdict =
                    family.verdictTokens(hazards.catalogue().taxonomy(), hazards.words(), tokenizer::encode);
            if (verdict.headRows().isEmpty()) {
                throw new CheckpointException(
                        "%s cannot be a guard of family %s, which has a head for its verdict, not for its vocabulary: leave --family out"
                                .formatted(original.place(), family.id()));
            }
            return verdict;
        } catch (IllegalArgumentException e) {
            throw new CheckpointException("the tokenizer of " + original.place() + ": " + e.getMessage(), e);
        }
    }

    /** By the endings that Optimum and onnx-community give their files. */
    private Precision precision() {
        String name = model.getFileName().toString().toLowerCase(Locale.ROOT);
        if (name.contains("q4") || name.contains("bnb4") || name.contains("int4")) {
            return Precision.INT4;
        }
        if (name.contains("int8") || name.contains("quantized")) {
            return Precision.INT8;
        }
        return name.contains("fp16") ? Precision.FP16 : Precision.FP32;
    }

    private record NoWeights() implements Checkpoint {

        @Override
        public List<Path> files() {
            return List.of();
        }

        @Override
        public Set<String> names() {
            return Set.of();
        }

        @Override
        public Optional<Tensor> find(String name) {
            return Optional.empty();
        }

        @Override
        public void close() {}
    }
}
