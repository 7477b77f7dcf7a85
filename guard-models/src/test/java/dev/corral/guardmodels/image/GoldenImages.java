package dev.corral.guardmodels.image;

import dev.corral.guardmodels.Fixtures;
import java.awt.image.BufferedImage;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;
import java.util.stream.StreamSupport;
import javax.imageio.ImageIO;
import tools.jackson.databind.JsonNode;

/** Images drawn by a program, and what the reference makes of them. */
final class GoldenImages {

    private GoldenImages() {}

    /** Cases of a golden file. */
    static List<JsonNode> cases(String file) {
        return StreamSupport.stream(Fixtures.json(file).get("cases").spliterator(), false)
                .toList();
    }

    static byte[] file(String name) {
        return Fixtures.bytes("/fixtures/images/" + name);
    }

    /** The image of a case: its decoded pixels, or its formula. */
    static RgbImage rgb(JsonNode golden) {
        return golden.has("rgb_png")
                ? rgb("/fixtures/images/" + golden.get("rgb_png").asString())
                : drawn(golden.get("width").intValue(), golden.get("height").intValue());
    }

    /** An 8-bit RGB PNG. */
    static RgbImage rgb(String resource) {
        try {
            BufferedImage image = ImageIO.read(new ByteArrayInputStream(Fixtures.bytes(resource)));
            int width = image.getWidth();
            int height = image.getHeight();
            int[] samples = image.getRaster().getPixels(0, 0, width, height, (int[]) null);
            byte[] rgb = new byte[samples.length];
            for (int i = 0; i < rgb.length; i++) {
                rgb[i] = (byte) samples[i];
            }
            return new RgbImage(width, height, rgb);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** The formula of the golden files. */
    static RgbImage drawn(int width, int height) {
        byte[] rgb = new byte[width * height * 3];
        int i = 0;
        for (int y = 0; y < height; y++) {
            for (int x = 0; x < width; x++) {
                rgb[i++] = (byte) (x * 255 / (width - 1));
                rgb[i++] = (byte) (y * 255 / (height - 1));
                rgb[i++] = (byte) ((x ^ y) * 7 + x * y / 64);
            }
        }
        return new RgbImage(width, height, rgb);
    }

    static String sha256(byte[] bytes) {
        try {
            return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }

    /** Of little-endian floats. */
    static String sha256(float[] floats, int from, int to) {
        ByteBuffer bytes = ByteBuffer.allocate((to - from) * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        bytes.asFloatBuffer().put(floats, from, to - from);
        return sha256(bytes.array());
    }
}
