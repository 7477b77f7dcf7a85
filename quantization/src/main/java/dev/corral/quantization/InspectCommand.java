package dev.corral.quantization;

import dev.corral.guardmodels.store.GuardManifest;
import dev.corral.policies.taxonomy.Hazard;
import dev.corral.quantization.checkpoint.Checkpoint;
import dev.corral.quantization.checkpoint.CheckpointException;
import dev.corral.quantization.checkpoint.Tensor;
import dev.corral.quantization.graph.LlamaConfig;
import dev.corral.quantization.graph.MllamaConfig;
import dev.corral.quantization.hub.DownloadRecord;
import dev.corral.quantization.safetensors.SafetensorsCheckpoint;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import picocli.CommandLine.Command;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/** {@code corral model inspect}: what a directory says of its model. */
@Command(
        name = "inspect",
        header = "show what a guard, or weights, say of themselves",
        description = {
            "",
            "Shows what guard.yaml says of a guard, or config.json and the tensors of a Hugging Face model folder, and the"
                    + " files. Checksums are not compared: 'corral model verify' does that.",
            ""
        },
        mixinStandardHelpOptions = true,
        sortOptions = false,
        usageHelpWidth = 100)
final class InspectCommand implements Callable<Integer> {

    private static final String MANIFEST = "guard.yaml";

    @Spec
    private CommandSpec spec;

    @Mixin
    private final ModelsOption models;

    @Option(names = "--json", description = "Print JSON, sizes in bytes.")
    private boolean json;

    @Parameters(paramLabel = "DIR", description = "A directory, or the id of a guard that 'corral model list' shows.")
    private String model;

    @SuppressWarnings({"NullAway.Init", "initialization"}) // picocli sets the fields
    InspectCommand(Environment environment) {
        this.models = new ModelsOption(environment);
    }

    @Override
    public Integer call() throws IOException {
        Path directory = models.directory(model);
        ObjectNode facts = JsonMapper.shared().createObjectNode();
        if (Files.exists(directory.resolve(MANIFEST))) {
            guard(directory, facts);
        } else if (Files.exists(directory.resolve("config.json"))) {
            weights(directory, facts);
        } else {
            throw new CheckpointException("%s holds neither a guard (guard.yaml) nor a Hugging Face model (config.json)"
                    .formatted(directory));
        }
        files(directory, facts);
        PrintWriter out = spec.commandLine().getOut();
        if (json) {
            out.println(facts.toPrettyString());
        } else {
            print(facts, "");
        }
        out.flush();
        return ExitCode.OK;
    }

    private static void guard(Path directory, ObjectNode facts) throws IOException {
        Path yaml = directory.resolve(MANIFEST);
        GuardManifest manifest = GuardManifest.parse(Files.readString(yaml), yaml.toString());
        GuardManifest.Model model = manifest.model();
        facts.put("guard", manifest.id())
                .put("family", manifest.family().id())
                .put("licence", manifest.licence())
                .put("quality", manifest.quality())
                .put("recommendedThreshold", manifest.recommendedThreshold().value())
                .put("precision", manifest.precision().label())
                .put("recipe", manifest.made().recipe())
                .put("madeBy", manifest.made().tool());
        manifest.made().original().ifPresent(original -> facts.put("original", original));
        facts.putObject("context")
                .put("tokens", manifest.context().tokens())
                .put("chunkOverlap", manifest.context().overlap());
        facts.putObject("shape")
                .put("layers", model.layers())
                .put("keyValueHeads", model.kvHeads())
                .put("headSize", model.headSize())
                .put("headRows", model.headRows())
                .put("float32CacheBytesPerToken", 2L * model.layers() * model.kvHeads() * model.headSize() * 4);
        manifest.vision()
                .ifPresent(vision -> facts.putObject("vision")
                        .put("precision", vision.precision().label())
                        .put("tileSize", vision.shape().tileSize())
                        .put("tiles", vision.shape().tiles())
                        .put("tokensOfATile", vision.shape().tileTokens())
                        .put("layersThatLook", vision.shape().layers())
                        .put("imageToken", vision.shape().imageToken())
                        .put(
                                "float32BytesPerImage",
                                2L
                                        * vision.shape().layers()
                                        * vision.shape().tiles()
                                        * vision.shape().tileTokens()
                                        * model.kvHeads()
                                        * model.headSize()
                                        * 4));
        ObjectNode verdict = facts.putObject("verdict");
        ids(verdict.putArray("leadTokens"), manifest.verdict().lead());
        ids(verdict.putArray("continuationTokens"), manifest.verdict().continuation());
        ObjectNode hazards = facts.putObject("hazards");
        for (Hazard hazard : manifest.taxonomy().hazards()) {
            hazards.put(hazard.code(), hazard.displayName());
        }
        ObjectNode source = facts.putObject("sourceSha256");
        manifest.made().source().forEach(source::put);
    }

    private static void ids(ArrayNode array, List<Integer> ids) {
        ids.forEach(array::add);
    }

    private static void weights(Path directory, ObjectNode facts) throws IOException {
        Optional<MllamaConfig> eyes = MllamaConfig.find(directory);
        LlamaConfig config = eyes.map(MllamaConfig::text).orElseGet(() -> LlamaConfig.read(directory));
        try (Checkpoint checkpoint = SafetensorsCheckpoint.open(directory)) {
            List<Tensor> tensors =
                    checkpoint.names().stream().map(checkpoint::require).toList();
            long parameters = tensors.stream()
                    .mapToLong(tensor -> tensor.shape().stream().reduce(1L, Math::multiplyExact))
                    .sum();
            List<String> types = tensors.stream()
                    .map(tensor -> tensor.storage())
                    .distinct()
                    .sorted()
                    .toList();
            facts.put(
                            "weights",
                            directory.getFileName() == null
                                    ? ""
                                    : directory.getFileName().toString())
                    .put("family", Original.family(config, eyes, checkpoint).id())
                    .put("parameters", parameters)
                    .put("tensors", tensors.size())
                    .put("types", String.join(", ", types));
        }
        DownloadRecord.read(directory)
                .ifPresent(origin -> facts.putObject("downloaded")
                        .put("repository", origin.repository())
                        .put("hub", origin.hub())
                        .put("revision", origin.revision())
                        .put("commit", origin.commit()));
        ObjectNode shape = facts.putObject("shape")
                .put("layers", config.layers())
                .put("hidden", config.hidden())
                .put("intermediate", config.intermediate())
                .put("queryHeads", config.heads())
                .put("keyValueHeads", config.kvHeads())
                .put("headSize", config.headSize())
                .put("vocabulary", config.vocabulary())
                .put("longestSequence", config.maxPositions())
                .put("embeddingIsHead", config.tied())
                .put("rotaryBase", config.ropeTheta());
        config.ropeScaling()
                .ifPresent(scaling -> shape.put(
                        "rotaryScaling",
                        switch (scaling) {
                            case LlamaConfig.RopeScaling.Llama3 llama3 -> "llama3, factor " + llama3.factor();
                            case LlamaConfig.RopeScaling.Divisors _ -> "a divisor for each frequency";
                        }));
        eyes.ifPresent(found -> {
            MllamaConfig.Vision vision = found.vision();
            shape.put("layersThatLookAtTheImage", found.crossLayers().size());
            facts.putObject("vision")
                    .put("layers", vision.layers())
                    .put("globalLayers", vision.globalLayers())
                    .put("hidden", vision.hidden())
                    .put("intermediate", vision.intermediate())
                    .put("heads", vision.heads())
                    .put("tileSize", vision.imageSize())
                    .put("patchSize", vision.patchSize())
                    .put("tiles", vision.tiles());
        });
    }

    private static void files(Path directory, ObjectNode facts) throws IOException {
        ObjectNode sizes = facts.putObject("fileBytes");
        long total = 0;
        try (Stream<Path> files = Files.list(directory)) {
            for (Path file : files.filter(Files::isRegularFile).sorted().toList()) {
                String name = file.getFileName().toString();
                if (!name.startsWith(".")) {
                    sizes.put(name, Files.size(file));
                    total += Files.size(file);
                }
            }
        }
        facts.put("totalBytes", total);
    }

    /** The same facts for people: a line each, sections indented. */
    private void print(ObjectNode facts, String indent) {
        PrintWriter out = spec.commandLine().getOut();
        int width = facts.properties().stream()
                .filter(entry -> !entry.getValue().isObject())
                .mapToInt(entry -> words(entry.getKey()).length())
                .max()
                .orElse(1);
        for (Map.Entry<String, JsonNode> entry : facts.properties()) {
            String name = words(entry.getKey());
            if (entry.getValue() instanceof ObjectNode section) {
                out.println(indent + name);
                print(section, indent + "  ");
            } else {
                String gap = " ".repeat(width - name.length() + 2);
                out.println((indent + name + gap + text(entry.getValue())).stripTrailing());
            }
        }
    }

    /** {@code madeBy} as {@code made by}. */
    private static String words(String key) {
        return Pattern.compile("(?<=[a-z])[A-Z](?=[a-z])")
                .matcher(key)
                .replaceAll(capital -> " " + capital.group().toLowerCase(Locale.ROOT));
    }

    private static String text(JsonNode value) {
        return value.isArray()
                ? String.join(" ", value.valueStream().map(JsonNode::asString).toList())
                : value.asString();
    }
}
