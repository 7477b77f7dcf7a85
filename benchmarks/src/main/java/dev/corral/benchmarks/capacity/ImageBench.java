package dev.corral.benchmarks.capacity;

import dev.corral.benchmarks.figures.Report;
import dev.corral.benchmarks.figures.Times;
import dev.corral.guardmodels.image.DecodedImage;
import dev.corral.guardmodels.image.DecodedImage.Frames;
import dev.corral.guardmodels.image.ImageDecoder;
import dev.corral.guardmodels.image.ImageLimits;
import dev.corral.guardmodels.image.ImagePreprocessor;
import dev.corral.guardmodels.image.PreprocessorSettings;
import dev.corral.guardmodels.image.RgbImage;
import java.awt.image.BufferedImage;
import java.awt.image.WritableRaster;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;
import java.util.concurrent.Callable;
import javax.imageio.ImageIO;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code corral bench image}: from a photo's file to what a vision guard takes. */
@Command(
        name = "image",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description = {
            "The time from a photo's file to the input of Llama Guard 3 11B Vision: decoding, and preprocessing. Without",
            "--file, a JPEG of 4000 by 3000 pixels is drawn: waves, with some noise."
        })
public final class ImageBench implements Callable<Integer> {

    private static final int WIDTH = 4000;
    private static final int HEIGHT = 3000;
    private static final double LIMIT_MILLIS = 150;

    @Option(names = "--file", paramLabel = "FILE", description = "an image of your own; it has no limit")
    @Nullable
    Path file;

    @Option(names = "--rounds", paramLabel = "N", description = "to measure (default: ${DEFAULT-VALUE})")
    int rounds = 40;

    @Spec
    @Nullable
    CommandSpec spec;

    @Override
    public Integer call() throws IOException {
        Report report = Report.of(spec);
        byte[] image = file == null ? photo() : Files.readAllBytes(file);
        ImageDecoder decoder = new ImageDecoder(ImageLimits.DEFAULT);
        ImagePreprocessor preprocessor = new ImagePreprocessor(PreprocessorSettings.LLAMA_GUARD_3_11B_VISION);
        RgbImage pixels = decoded(decoder, image);
        report.say("%d by %d pixels, %d bytes, %d cores, %d rounds"
                .formatted(
                        pixels.width(),
                        pixels.height(),
                        image.length,
                        Runtime.getRuntime().availableProcessors(),
                        rounds));
        measure(decoder, preprocessor, image, rounds / 2, new Times(rounds), new Times(rounds), new Times(rounds));
        Times decoding = new Times(rounds);
        Times preprocessing = new Times(rounds);
        Times both = new Times(rounds);
        measure(decoder, preprocessor, image, rounds, decoding, preprocessing, both);
        report.times("decoding", decoding);
        report.times("preprocessing", preprocessing);
        if (file == null) {
            report.times("both", both, LIMIT_MILLIS);
        } else {
            report.times("both", both);
        }
        return report.exitCode();
    }

    private static void measure(
            ImageDecoder decoder,
            ImagePreprocessor preprocessor,
            byte[] image,
            int rounds,
            Times decoding,
            Times preprocessing,
            Times both) {
        for (int i = 0; i < rounds; i++) {
            long start = System.nanoTime();
            RgbImage pixels = decoded(decoder, image);
            decoding.addSince(start);
            long decoded = System.nanoTime();
            preprocessor.preprocess(pixels);
            preprocessing.addSince(decoded);
            both.addSince(start);
        }
    }

    /** The first frame. */
    private static RgbImage decoded(ImageDecoder decoder, byte[] image) {
        DecodedImage decoded = decoder.decode(image);
        if (decoded instanceof Frames seen) {
            return seen.frames().getFirst();
        }
        throw new IllegalArgumentException("this image cannot be decoded: " + decoded);
    }

    private static byte[] photo() throws IOException {
        BufferedImage image = new BufferedImage(WIDTH, HEIGHT, BufferedImage.TYPE_INT_RGB);
        WritableRaster raster = image.getRaster();
        Random random = new Random(20260);
        int[] row = new int[WIDTH * 3];
        for (int y = 0; y < HEIGHT; y++) {
            for (int x = 0; x < WIDTH; x++) {
                int wave = (int) (128 + 60 * Math.sin(x / 37.0) + 50 * Math.cos(y / 23.0 + x / 91.0));
                int noise = random.nextInt(24);
                row[x * 3] = Math.clamp(wave + noise, 0, 255);
                row[x * 3 + 1] = Math.clamp(255 - wave + noise / 2, 0, 255);
                row[x * 3 + 2] = Math.clamp((x * y / 9000) % 256 + noise, 0, 255);
            }
            raster.setPixels(0, y, WIDTH, 1, row);
        }
        ByteArrayOutputStream jpeg = new ByteArrayOutputStream();
        ImageIO.write(image, "jpeg", jpeg);
        return jpeg.toByteArray();
    }
}
