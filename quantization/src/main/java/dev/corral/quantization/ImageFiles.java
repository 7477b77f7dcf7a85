package dev.corral.quantization;

import dev.corral.guardmodels.image.PreprocessorSettings;
import dev.corral.guardmodels.prompt.Segment;
import dev.corral.guardmodels.tokenizer.GuardTokenizer;
import dev.corral.quantization.checkpoint.CheckpointException;
import dev.corral.quantization.graph.MllamaConfig;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** What the files beside the weights of a model that sees images say of its images. */
final class ImageFiles {

    private static final String PREPROCESSOR = "preprocessor_config.json";

    private ImageFiles() {}

    /**
     * Checks that images are prepared as guards here do, and that the tokenizer has the image's token.
     *
     * @return the file that says how images are prepared
     * @throws CheckpointException if not
     */
    static Path require(Path from, MllamaConfig config, Path tokenizerFile) throws IOException {
        Path file = from.resolve(PREPROCESSOR);
        if (!Files.isRegularFile(file)) {
            throw new CheckpointException(
                    "%s has no %s: download it from the model's repository".formatted(from, PREPROCESSOR));
        }
        JsonNode settings;
        try {
            settings = JsonMapper.shared().readTree(Files.readAllBytes(file));
        } catch (JacksonException e) {
            throw new CheckpointException("cannot read " + file + ": " + e.getOriginalMessage(), e);
        }
        PreprocessorSettings expected = PreprocessorSettings.LLAMA_GUARD_3_11B_VISION;
        require(file, "image_mean", floats(settings.path("image_mean")), expected.mean());
        require(file, "image_std", floats(settings.path("image_std")), expected.std());
        require(
                file,
                "max_image_tiles",
                settings.path("max_image_tiles").asInt(),
                config.vision().tiles());
        require(
                file,
                "size.height",
                settings.path("size").path("height").asInt(),
                config.vision().imageSize());
        require(
                file,
                "size.width",
                settings.path("size").path("width").asInt(),
                config.vision().imageSize());
        try (GuardTokenizer tokenizer =
                GuardTokenizer.load(Files.readAllBytes(tokenizerFile), tokenizerFile.toString())) {
            int token = tokenizer.encode(List.of(new Segment.Special("<|image|>")))[0];
            require(tokenizerFile, "the id of <|image|>", token, config.imageToken());
        } catch (IllegalArgumentException e) {
            throw new CheckpointException(tokenizerFile + ": " + e.getMessage(), e);
        }
        return file;
    }

    private static List<Float> floats(JsonNode array) {
        List<Float> values = new ArrayList<>();
        array.forEach(value -> values.add(value.asFloat(Float.NaN)));
        return values;
    }

    private static void require(Path file, String what, Object found, Object expected) {
        if (!found.equals(expected)) {
            throw new CheckpointException("%s: %s must be %s, but is %s: take the file of the model itself"
                    .formatted(file, what, expected, found));
        }
    }
}
