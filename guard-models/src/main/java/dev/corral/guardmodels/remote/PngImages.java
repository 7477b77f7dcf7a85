package dev.corral.guardmodels.remote;

import dev.corral.guardmodels.conversation.Part.ImagePart;
import dev.corral.guardmodels.guard.ImageFrames;
import dev.corral.guardmodels.image.ImageLimits;
import dev.corral.guardmodels.image.RgbImage;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import javax.imageio.ImageIO;

/** Images as a server is sent them. */
final class PngImages {

    private final ImageFrames decoded = new ImageFrames(ImageLimits.DEFAULT);

    /**
     * A {@code data:} URI with a PNG for each picture of an image.
     *
     * @throws dev.corral.guardmodels.guard.UnreadableImageException if it cannot be seen as a whole
     */
    List<String> frames(ImagePart part) throws InterruptedException {
        List<String> frames = new ArrayList<>();
        for (RgbImage frame : decoded.of(part)) {
            frames.add("data:image/png;base64," + Base64.getEncoder().encodeToString(png(frame)));
        }
        return frames;
    }

    private static byte[] png(RgbImage image) {
        BufferedImage pixels = new BufferedImage(image.width(), image.height(), BufferedImage.TYPE_INT_RGB);
        byte[] rgb = image.rgb();
        int[] row = new int[image.width()];
        for (int y = 0; y < image.height(); y++) {
            for (int x = 0; x < row.length; x++) {
                int i = 3 * (y * row.length + x);
                row[x] = (rgb[i] & 0xff) << 16 | (rgb[i + 1] & 0xff) << 8 | (rgb[i + 2] & 0xff);
            }
            pixels.setRGB(0, y, row.length, 1, row, 0, row.length);
        }
        try {
            ByteArrayOutputStream out = new ByteArrayOutputStream();
            ImageIO.write(pixels, "png", out);
            return out.toByteArray();
        } catch (IOException e) {
            throw new IllegalStateException("memory can be written to", e);
        }
    }
}
