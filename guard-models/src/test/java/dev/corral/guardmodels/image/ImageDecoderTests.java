package dev.corral.guardmodels.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import dev.corral.guardmodels.Fixtures;
import dev.corral.guardmodels.image.DecodedImage.Frames;
import dev.corral.guardmodels.image.DecodedImage.Reason;
import dev.corral.guardmodels.image.DecodedImage.Refused;
import java.awt.Color;
import java.awt.image.BufferedImage;
import java.awt.image.IndexColorModel;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.stream.Stream;
import java.util.zip.CRC32;
import java.util.zip.DeflaterOutputStream;
import javax.imageio.IIOImage;
import javax.imageio.ImageIO;
import javax.imageio.ImageTypeSpecifier;
import javax.imageio.ImageWriter;
import javax.imageio.stream.MemoryCacheImageOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;

class ImageDecoderTests {

    private static final ImageDecoder DECODER = new ImageDecoder(ImageLimits.DEFAULT);
    private static final String FORMATS = "/fixtures/image-formats/";
    /** Readings of a file that are not ours: as it is stored, without its transparency, clipped to white. */
    private static final Set<String> OTHER_READINGS = Set.of("exif6_as_stored", "rgba_alpha_dropped", "gray16");

    /** A file and what Pillow decodes it to. */
    private record Golden(String name, byte[] file, List<String> frames) {

        @Override
        public String toString() {
            return name;
        }
    }

    static Stream<Golden> goldens() {
        Stream<Golden> shared = GoldenImages.cases("/fixtures/images/images.json").stream()
                .map(json -> new Golden(
                        json.get("id").asString(),
                        GoldenImages.file(json.get("file").asString()),
                        List.of(json.get("rgb_sha256").asString())))
                .filter(golden -> !OTHER_READINGS.contains(golden.name()));
        Stream<Golden> own = GoldenImages.cases(FORMATS + "cases.json").stream()
                .map(json -> new Golden(
                        json.get("file").asString(),
                        Fixtures.bytes(FORMATS + json.get("file").asString()),
                        json.get("frames_sha256")
                                .valueStream()
                                .map(JsonNode::asString)
                                .toList()));
        return Stream.concat(shared, own);
    }

    @ParameterizedTest
    @MethodSource("goldens")
    void decodeWhenPillowDecodesItMakesTheSamePixels(Golden golden) {
        List<String> frames = frames(golden.file()).stream()
                .map(frame -> GoldenImages.sha256(frame.rgb()))
                .toList();

        // of the shared animation only the first frame is known
        assertThat(frames.subList(0, golden.frames().size())).isEqualTo(golden.frames());
        assertThat(frames.size())
                .isEqualTo(golden.name().equals("gif") ? 2 : golden.frames().size());
    }

    @ParameterizedTest
    @MethodSource("goldens")
    void decodeWhenFileIsTruncatedIsRefused(Golden golden) {
        byte[] file = golden.file();
        // a GIF that is cut after a whole frame, or before its trailer, has nothing that is missing
        boolean gif = ImageFormat.of(file).orElseThrow() == ImageFormat.GIF;
        List<RgbImage> whole = frames(file);
        int step = Math.max(1, file.length / 40);
        for (int length = 0; length < file.length; length += step) {
            DecodedImage cut = DECODER.decode(Arrays.copyOf(file, length));
            if (gif && cut instanceof Frames some) {
                for (int i = 0; i < some.frames().size(); i++) {
                    assertThat(some.frames().get(i).rgb())
                            .isEqualTo(whole.get(i).rgb());
                }
            } else {
                assertThat(cut)
                        .as("%d of %d bytes", length, file.length)
                        .isInstanceOfSatisfying(
                                Refused.class,
                                refused -> assertThat(refused.reason()).isIn(Reason.CORRUPT, Reason.UNSUPPORTED));
            }
        }
    }

    @ParameterizedTest
    @MethodSource("goldens")
    void decodeWhenBytesAreChangedNeverFails(Golden golden) {
        Random random = new Random(20260);
        for (int round = 0; round < 30; round++) {
            byte[] file = golden.file().clone();
            for (int change = 0; change <= round / 5; change++) {
                file[random.nextInt(file.length)] = (byte) random.nextInt(256);
            }
            DecodedImage decoded = new ImageDecoder(new ImageLimits(400_000, 8)).decode(file);
            assertThat(decoded).isInstanceOfAny(Frames.class, Refused.class);
        }
    }

    static Stream<Golden> bombs() {
        return Stream.of(
                new Golden("png", png(chunk("IHDR", ints(50_000, 50_000), new byte[] {8, 2, 0, 0, 0})), List.of()),
                new Golden("jpeg", hex("ffd8 ffc0 0011 08 ffff ffff 03 012200 021101 031101"), List.of()),
                new Golden(
                        "gif",
                        joined(ascii("GIF89a"), hex("0100 0100 00 00 00 2c 0000 0000 ffff ffff 00 02 00 3b")),
                        List.of()),
                new Golden(
                        "webp",
                        joined(
                                ascii("RIFF"),
                                hex("16000000"),
                                ascii("WEBPVP8X"),
                                hex("0a000000 00000000 ffffff ffffff")),
                        List.of()),
                new Golden("bmp", bmpHeader(50_000, -50_000), List.of()));
    }

    @ParameterizedTest
    @MethodSource("bombs")
    void decodeWhenHeaderPromisesTooManyPixelsIsRefusedByTheHeaderAlone(Golden bomb) {
        assertThat(DECODER.decode(bomb.file())).isInstanceOfSatisfying(Refused.class, refused -> {
            assertThat(refused.reason()).isEqualTo(Reason.TOO_LARGE);
            assertThat(refused.detail()).contains("pixels, and at most 25000000 are decoded");
        });
    }

    @Test
    void decodeWhenPngHidesATextBombDoesNotUnpackIt() throws IOException {
        ByteArrayOutputStream zipped = new ByteArrayOutputStream();
        try (DeflaterOutputStream deflater = new DeflaterOutputStream(zipped)) {
            byte[] zeros = new byte[1 << 20];
            for (int i = 0; i < 256; i++) {
                deflater.write(zeros);
            }
        }
        byte[] plain = Fixtures.bytes(FORMATS + "palette-2bit.png");
        int afterHeader = 8 + 12 + 13;
        byte[] bomb = joined(
                Arrays.copyOf(plain, afterHeader),
                chunk("zTXt", ascii("note\0\0"), zipped.toByteArray()),
                chunk("iCCP", ascii("profile\0\0"), zipped.toByteArray()),
                Arrays.copyOfRange(plain, afterHeader, plain.length));

        assertThat(frames(bomb).getFirst().rgb())
                .isEqualTo(frames(plain).getFirst().rgb());
    }

    @Test
    void decodeWhenAnimationHasTooManyFramesIsRefusedAsAWhole() throws IOException {
        ImageDecoder two = new ImageDecoder(new ImageLimits(1_000_000, 2));

        assertRefused(
                two.decode(gif(Color.WHITE, Color.RED, Color.BLUE)),
                Reason.TOO_LARGE,
                "it has more than 2 frames, and at most 2 are judged");
        assertRefused(
                two.decode(Fixtures.bytes(FORMATS + "animated.png")),
                Reason.TOO_LARGE,
                "it has more than 2 frames, and at most 2 are judged");
        assertRefused(
                two.decode(Fixtures.bytes(FORMATS + "animated-alpha.webp")),
                Reason.TOO_LARGE,
                "it has more than 2 frames, and at most 2 are judged");
    }

    @Test
    void decodeWhenFramesTogetherHaveTooManyPixelsIsRefused() throws IOException {
        assertRefused(
                new ImageDecoder(new ImageLimits(500, 10)).decode(gif(Color.WHITE, Color.RED)),
                Reason.TOO_LARGE,
                "it has 16 by 16 pixels in 2 frames, and at most 500 are decoded");
    }

    @Test
    void decodeWhenSecondFrameIsTheHarmfulOneShowsIt() throws IOException {
        List<RgbImage> frames = frames(gif(Color.WHITE, Color.RED));

        assertThat(frames).hasSize(2);
        assertThat(frames.get(0).rgb()).containsOnly(0xff);
        assertThat(Arrays.copyOf(frames.get(1).rgb(), 3)).containsExactly(0xff, 0, 0);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>",
                "<?xml version='1.0'?><svg/>",
                "%PDF-1.7",
                "\0\0\0\u0020ftypavif",
                "II*\0",
                "",
                "hello"
            })
    void decodeWhenFormatIsNotKnownIsRefused(String file) {
        assertRefused(
                DECODER.decode(ascii(file)),
                Reason.UNSUPPORTED,
                "it is none of PNG, JPEG, WebP, GIF and BMP by its first bytes");
    }

    @ParameterizedTest
    @ValueSource(strings = {"small_30x40.png", "exif6_90x60.jpg", "animated_70x90.gif", "odd_113x57.webp"})
    void decodeWhenAnotherFileFollowsShowsTheImage(String name) {
        byte[] image = GoldenImages.file(name);
        byte[] polyglot = joined(image, ascii("PK\3\4<html><script>"), GoldenImages.file("big_300x300.png"));

        assertThat(frames(polyglot).getFirst().rgb())
                .isEqualTo(frames(image).getFirst().rgb());
        assertThat(frames(polyglot)).hasSameSizeAs(frames(image));
    }

    @Test
    void decodeWhenAGifIsAScriptIsWhatTheImageShows() {
        // GIF89a=1/*...*/: the script's comment begins in the screen's size, and ends in a comment block
        byte[] plain = GoldenImages.file("animated_70x90.gif");
        byte[] comment = joined(hex("21fe 0c"), ascii("*/;alert(1)//"), hex("00"));
        comment[2] = (byte) (comment.length - 4);
        int end = plain.length - 1;
        byte[] polyglot = joined(Arrays.copyOf(plain, end), comment, new byte[] {plain[end]});

        assertThat(frames(polyglot)).hasSize(2);
    }

    @Test
    void decodeWhenImageHasOnePixelIsThatPixel() {
        assertThat(frames(GoldenImages.file("one_1x1.png")).getFirst())
                .satisfies(image -> assertThat(image.rgb()).containsExactly(200, 100, 50));
    }

    @Test
    void decodeWhenJpegHasHundredsOfScansIsRefused() {
        byte[] file = Fixtures.bytes(FORMATS + "progressive.jpg");
        int end = file.length - 2;
        byte[] scan = hex("ffda 0008 01 01 00 01 3f 00");
        ByteArrayOutputStream bomb = new ByteArrayOutputStream();
        bomb.write(file, 0, end);
        for (int i = 0; i < 300; i++) {
            bomb.writeBytes(scan);
        }
        bomb.write(file, end, 2);

        assertRefused(DECODER.decode(bomb.toByteArray()), Reason.TOO_LARGE, "it has more than 100 scans");
    }

    @Test
    void decodeWhenBmpWrapsAnotherFormatIsRefused() {
        byte[] bmp = bmpHeader(10, 10);
        bmp[30] = 5;

        assertRefused(DECODER.decode(bmp), Reason.UNSUPPORTED, "it is a BMP with compression 5");
    }

    @ParameterizedTest
    @ValueSource(strings = {"big_300x300.png", "cmyk_40x30.jpg", "animated_70x90.gif", "lossy_120x80.webp"})
    void decodeWhenThreadIsInterruptedStops(String name) {
        Thread.currentThread().interrupt();

        DecodedImage decoded = DECODER.decode(GoldenImages.file(name));

        assertThat(Thread.interrupted()).isTrue();
        assertRefused(decoded, Reason.INTERRUPTED, "there was no time to decode it");
    }

    @Test
    void limitsWhenTheyMakeNoSenseAreRefused() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> new ImageLimits(0, 1))
                .withMessage("the limit of pixels must be between 1 and 500000000: 0");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> new ImageLimits(1, 0))
                .withMessage("the limit of frames must be at least 1: 0");
    }

    private static List<RgbImage> frames(byte[] file) {
        DecodedImage decoded = DECODER.decode(file);
        assertThat(decoded).isInstanceOf(Frames.class);
        return ((Frames) decoded).frames();
    }

    private static void assertRefused(DecodedImage decoded, Reason reason, String detail) {
        assertThat(decoded).isEqualTo(new Refused(reason, detail));
    }

    /** An animation of whole frames, one colour each. */
    private static byte[] gif(Color... colours) throws IOException {
        ImageWriter writer = ImageIO.getImageWritersByFormatName("gif").next();
        ByteArrayOutputStream file = new ByteArrayOutputStream();
        try (MemoryCacheImageOutputStream out = new MemoryCacheImageOutputStream(file)) {
            writer.setOutput(out);
            writer.prepareWriteSequence(null);
            for (Color colour : colours) {
                byte[] red = {(byte) colour.getRed(), 0};
                byte[] green = {(byte) colour.getGreen(), 0};
                byte[] blue = {(byte) colour.getBlue(), 0};
                BufferedImage frame = new BufferedImage(
                        16, 16, BufferedImage.TYPE_BYTE_INDEXED, new IndexColorModel(8, 2, red, green, blue));
                writer.writeToSequence(
                        new IIOImage(frame, null, writer.getDefaultImageMetadata(new ImageTypeSpecifier(frame), null)),
                        null);
            }
            writer.endWriteSequence();
        }
        writer.dispose();
        return file.toByteArray();
    }

    private static byte[] bmpHeader(int width, int height) {
        return ByteBuffer.allocate(54)
                .order(ByteOrder.LITTLE_ENDIAN)
                .put(ascii("BM"))
                .putInt(54)
                .putInt(0)
                .putInt(54)
                .putInt(40)
                .putInt(width)
                .putInt(height)
                .putShort((short) 1)
                .putShort((short) 24)
                .array();
    }

    private static byte[] png(byte[]... chunks) {
        return joined(joined(hex("89504e470d0a1a0a")), joined(chunks));
    }

    private static byte[] chunk(String type, byte[]... data) {
        byte[] body = joined(ascii(type), joined(data));
        CRC32 sum = new CRC32();
        sum.update(body);
        return joined(ints(body.length - 4), body, ints((int) sum.getValue()));
    }

    private static byte[] ints(int... values) {
        ByteBuffer bytes = ByteBuffer.allocate(values.length * Integer.BYTES);
        Arrays.stream(values).forEach(bytes::putInt);
        return bytes.array();
    }

    private static byte[] ascii(String text) {
        return text.getBytes(StandardCharsets.ISO_8859_1);
    }

    private static byte[] hex(String digits) {
        return java.util.HexFormat.of().parseHex(digits.replace(" ", ""));
    }

    private static byte[] joined(byte[]... parts) {
        ByteArrayOutputStream joined = new ByteArrayOutputStream();
        Arrays.stream(parts).forEach(joined::writeBytes);
        return joined.toByteArray();
    }
}
