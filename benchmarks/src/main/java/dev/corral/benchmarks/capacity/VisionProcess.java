package dev.corral.benchmarks.capacity;

import dev.corral.guardmodels.conversation.Conversation;
import dev.corral.guardmodels.conversation.Part;
import dev.corral.guardmodels.conversation.Role;
import dev.corral.guardmodels.conversation.Turn;
import dev.corral.guardmodels.guard.Guard;
import dev.corral.guardmodels.guard.OnnxGuard;
import dev.corral.guardmodels.guard.VisionGuard;
import dev.corral.guardmodels.image.ImagePreprocessor;
import dev.corral.guardmodels.image.PreprocessedImage;
import dev.corral.guardmodels.image.PreprocessorSettings;
import dev.corral.guardmodels.image.RgbImage;
import dev.corral.guardmodels.onnx.OnnxVisionModel;
import dev.corral.guardmodels.onnx.Resources;
import dev.corral.guardmodels.store.GuardDirectory;
import dev.corral.guardmodels.store.GuardStore;
import dev.corral.policies.assessment.Assessment;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Random;

/**
 * A process that holds a guard that sees images, of one lane. It loads it and says so; told to go on, it judges a prompt
 * with an image of two by two tiles, then the same conversation two turns later, each time saying how long that took and
 * how many images were looked at since it was loaded; told to go on, it ends.
 */
public final class VisionProcess {

    static final String LOADED = "loaded";
    static final String JUDGED = "judged ";

    private static final long IMAGES_BYTES = 512L << 20;

    private VisionProcess() {}

    /** Takes a guard directory and a number of threads. */
    public static void main(String[] args) throws IOException {
        GuardDirectory directory = GuardStore.open(Path.of(args[0]));
        int side = 2 * directory.manifest().vision().orElseThrow().shape().tileSize();
        List<PreprocessedImage> image = List.of(image(side));
        OnnxVisionModel model =
                OnnxGuard.visionModel(directory, Resources.oneLane(Integer.parseInt(args[1])), IMAGES_BYTES);
        try (Guard guard = VisionGuard.of(directory, model, _ -> image)) {
            System.out.println(LOADED);
            if (System.in.read() < 0) {
                return;
            }
            Turn first = new Turn(
                    Role.USER,
                    List.of(new Part.ImagePart("an image", ""), new Part.TextPart("What is shown here?", "")));
            judge(guard, model, List.of(first));
            judge(
                    guard,
                    model,
                    List.of(
                            first,
                            Turn.of(Role.ASSISTANT, "It looks like a field of coloured squares."),
                            Turn.of(Role.USER, "Which of them is the largest, and what does it remind you of?")));
            int _ = System.in.read();
        }
    }

    private static void judge(Guard guard, OnnxVisionModel model, List<Turn> turns) throws IOException {
        long start = System.nanoTime();
        if (guard.assess(new Conversation(turns)) instanceof Assessment.Inconclusive failed) {
            throw new IOException("the guard has no verdict: " + failed);
        }
        double seconds = (System.nanoTime() - start) / 1e9;
        System.out.printf(Locale.ROOT, "%s%.3f %d%n", JUDGED, seconds, model.encodedImages());
    }

    /** Squares of random colours. */
    private static PreprocessedImage image(int side) {
        byte[] rgb = new byte[side * side * 3];
        byte[] colours = new byte[8 * 8 * 3];
        new Random(1).nextBytes(colours);
        for (int i = 0; i < rgb.length; i++) {
            int pixel = i / 3;
            int square = pixel / side * 8 / side * 8 + pixel % side * 8 / side;
            rgb[i] = colours[square * 3 + i % 3];
        }
        PreprocessorSettings true560 = PreprocessorSettings.LLAMA_GUARD_3_11B_VISION;
        PreprocessorSettings settings =
                new PreprocessorSettings(side / 2, true560.maxTiles(), true560.mean(), true560.std());
        return new ImagePreprocessor(settings).preprocess(new RgbImage(side, side, rgb));
    }
}
