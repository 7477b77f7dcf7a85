package dev.corral.gateway.image;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.corral.gateway.moderation.Eyes;
import dev.corral.gateway.testing.LeakCheck;
import dev.corral.gateway.testing.ScriptedGuard;
import dev.corral.gateway.testing.ScriptedUpstream;
import dev.corral.gateway.testing.TestGateway;
import dev.corral.guardmodels.conversation.Conversation;
import dev.corral.guardmodels.conversation.Part.ImagePart;
import dev.corral.guardmodels.guard.Guard;
import dev.corral.guardmodels.guard.GuardProfile;
import dev.corral.guardmodels.guard.ImageFrames;
import dev.corral.guardmodels.guard.UnreadableImageException;
import dev.corral.guardmodels.guard.VisionGuard;
import dev.corral.guardmodels.image.ImageLimits;
import dev.corral.guardmodels.image.RgbImage;
import dev.corral.policies.assessment.Assessment;
import dev.corral.policies.assessment.Assessment.Inconclusive;
import dev.corral.policies.assessment.Assessment.Reason;
import dev.corral.policies.assessment.Assessment.Scored;
import dev.corral.policies.assessment.Coverage;
import dev.corral.policies.assessment.Coverage.Extent;
import dev.corral.policies.assessment.Coverage.Unscanned;
import dev.corral.policies.assessment.Probability;
import dev.corral.policies.taxonomy.StandardHazard;
import dev.corral.policies.taxonomy.Taxonomy;
import java.awt.Color;
import java.awt.image.BufferedImage;
import java.awt.image.IndexColorModel;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.http.HttpResponse;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.zip.CRC32;
import javax.imageio.IIOImage;
import javax.imageio.ImageIO;
import javax.imageio.ImageTypeSpecifier;
import javax.imageio.ImageWriter;
import javax.imageio.stream.MemoryCacheImageOutputStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/** Images that are not what they should be, through a whole gateway whose guard sees what is red. */
@ExtendWith(LeakCheck.class)
class BadImageTests {

    private static final byte[] WEBP = Base64.getDecoder()
            .decode(
                    "UklGRkgAAABXRUJQVlA4IDwAAAAQAgCdASoCAAMAAUAmJagCdLoAAwj3kHoAAP74Rvl9v/jF/2FfOyt//6Tyf/E8n/wSfun/H5K05Ts8wAA=");

    private static final ScriptedUpstream upstream = new ScriptedUpstream();
    private static final ScriptedUpstream images = new ScriptedUpstream();
    private static TestGateway gateway;

    /** Decodes images as every guard here does; one with a red pixel is S9. */
    private static final class RedSeeingGuard implements Guard {

        private final ImageFrames frames = new ImageFrames(ImageLimits.DEFAULT);

        @Override
        public GuardProfile profile() {
            return new GuardProfile(
                    "red",
                    "01",
                    "scripted",
                    Taxonomy.LLAMA_GUARD_3,
                    "fp32",
                    8192,
                    new Probability(0.5),
                    "Apache-2.0",
                    "sees red");
        }

        @Override
        public Assessment assess(Conversation conversation) {
            List<ImagePart> parts = VisionGuard.imagesOf(conversation);
            List<Unscanned> unscanned = new ArrayList<>();
            boolean red = false;
            for (ImagePart part : parts) {
                try {
                    red |= frames.of(part).stream().anyMatch(RedSeeingGuard::isRed);
                } catch (UnreadableImageException e) {
                    unscanned.add(new Unscanned("image", part.where(), String.valueOf(e.getMessage())));
                } catch (InterruptedException e) {
                    return new Inconclusive(Reason.TIMEOUT, "interrupted", Coverage.NOTHING);
                }
            }
            Probability unsafe = new Probability(red ? 0.9 : 0.01);
            return new Scored(
                    unsafe,
                    Map.of(StandardHazard.S9, unsafe),
                    new Coverage(Extent.NONE, new Extent(parts.size() - unscanned.size(), parts.size()), unscanned));
        }

        private static boolean isRed(RgbImage image) {
            byte[] rgb = image.rgb();
            for (int i = 0; i < rgb.length; i += 3) {
                if ((rgb[i] & 0xff) > 200 && (rgb[i + 1] & 0xff) < 50 && (rgb[i + 2] & 0xff) < 50) {
                    return true;
                }
            }
            return false;
        }

        @Override
        public void close() {}
    }

    @BeforeAll
    static void start(@TempDir Path folder) throws IOException {
        Path policy = Files.writeString(folder.resolve("p.yaml"), "policy: p\nversion: 1\nimages: { fetch: https }\n");
        gateway = TestGateway.start(
                new ScriptedGuard(),
                Map.of("corral.upstream.url", upstream.url(), "corral.policy.file", policy.toString()),
                context -> {
                    context.registerBean("imageFetcher", ImageFetcher.class, BadImageTests::fetcher);
                    context.registerBean(
                            "eyes", Eyes.class, () -> new Eyes(Optional.of(new RedSeeingGuard()), Map.of()));
                });
    }

    private static ImageFetcher fetcher() {
        InetAddress here = InetAddress.ofLiteral("127.0.0.1");
        return new ImageFetcher(
                new FetchLimits(10_000, Duration.ofMillis(500), 3),
                new ImageFetcher.Rules("http", images.port(), here::equals, Optional.empty()),
                new ScriptedNames().answer("images.example", "127.0.0.1"));
    }

    @AfterAll
    static void stop() {
        gateway.close();
        upstream.close();
        images.close();
    }

    @BeforeEach
    void reset() {
        upstream.reset();
        images.reset();
        upstream.says("Fine.");
    }

    private static byte[] file(String format, Color colour) throws IOException {
        BufferedImage image = new BufferedImage(32, 24, BufferedImage.TYPE_INT_RGB);
        for (int i = 0; i < 32 * 24; i++) {
            image.setRGB(i % 32, i / 32, colour.getRGB());
        }
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        assertThat(ImageIO.write(image, format, out)).isTrue();
        return out.toByteArray();
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
                        new IIOImage(
                                frame,
                                null,
                                writer.getDefaultImageMetadata(
                                        ImageTypeSpecifier.createFromRenderedImage(frame), null)),
                        null);
            }
            writer.endWriteSequence();
        } finally {
            writer.dispose();
        }
        return file.toByteArray();
    }

    private static byte[] joined(byte[]... pieces) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        for (byte[] piece : pieces) {
            out.writeBytes(piece);
        }
        return out.toByteArray();
    }

    private static String picture(byte[] file) {
        return picture("data:image/png;base64," + Base64.getEncoder().encodeToString(file));
    }

    private static String picture(String url) {
        return "{\"type\":\"image_url\",\"image_url\":{\"url\":\"" + url + "\"}}";
    }

    private static String user(String... parts) {
        return "{\"role\":\"user\",\"content\":[" + String.join(",", parts) + "]}";
    }

    private static HttpResponse<String> send(String... messages) {
        return gateway.chat("{\"model\":\"m\",\"messages\":[" + String.join(",", messages) + "]}");
    }

    private static void assertPasses(HttpResponse<String> answer) {
        assertThat(answer.statusCode()).isEqualTo(200);
        assertThat(answer.body()).contains("Fine.");
    }

    /** By what is shown, not because it could not be seen. */
    private static void assertBlockedAsHarmful(HttpResponse<String> answer) {
        assertThat(answer.statusCode()).isEqualTo(200);
        assertThat(answer.body()).contains("content_filter").doesNotContain("cannot be checked");
        assertThat(upstream.received).isEmpty();
    }

    private static void assertUnseen(HttpResponse<String> answer, String why) {
        assertThat(answer.statusCode()).isEqualTo(200);
        assertThat(answer.body()).contains("content_filter", "cannot be checked", why);
        assertThat(upstream.received).isEmpty();
    }

    @Test
    void chatWhenSecondFrameOfAnAnimationIsTheHarmfulOneBlocks() throws IOException {
        assertPasses(send(user(picture(gif(Color.WHITE, Color.BLUE)))));
        upstream.reset();
        assertBlockedAsHarmful(send(user(picture(gif(Color.WHITE, Color.RED)))));
    }

    @Test
    void chatWhenThereAreTwentyImagesBlocksBecauseOfThoseThatNobodySaw() throws IOException {
        String[] sixteen =
                Collections.nCopies(16, picture(file("png", Color.BLUE))).toArray(String[]::new);
        String[] twenty =
                Collections.nCopies(20, picture(file("png", Color.BLUE))).toArray(String[]::new);

        assertPasses(send(user(sixteen)));
        upstream.reset();
        assertUnseen(send(user(twenty)), "the request has more than 16 images");
    }

    @Test
    void chatWhenHarmfulImageIsInAnOldTurnOnlyBlocks() throws IOException {
        assertBlockedAsHarmful(send(
                user(picture(file("png", Color.RED))),
                "{\"role\":\"assistant\",\"content\":\"I see.\"}",
                "{\"role\":\"user\",\"content\":\"Go on.\"}"));
    }

    @Test
    void chatWhenHarmfulImageIsInAToolsResultBlocks() throws IOException {
        assertBlockedAsHarmful(send(
                "{\"role\":\"user\",\"content\":\"Draw.\"}",
                "{\"role\":\"assistant\",\"content\":null,\"tool_calls\":[{\"id\":\"1\",\"type\":\"function\","
                        + "\"function\":{\"name\":\"draw\",\"arguments\":\"{}\"}}]}",
                "{\"role\":\"tool\",\"tool_call_id\":\"1\",\"content\":[" + picture(file("png", Color.RED)) + "]}"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"png", "jpg", "bmp", "gif"})
    void chatWhenFileIsAnotherOneAtItsEndJudgesWhatItShows(String format) throws IOException {
        byte[] other = joined("PK\3\4<html><script>".getBytes(UTF_8), file("png", Color.BLUE));

        assertPasses(send(user(picture(joined(file(format, Color.BLUE), other)))));
        upstream.reset();
        assertBlockedAsHarmful(send(user(picture(joined(file(format, Color.RED), other)))));
    }

    @ParameterizedTest
    @ValueSource(strings = {"png", "jpg", "bmp", "gif", "webp"})
    void chatWhenFileIsTruncatedOrCorruptBlocks(String format) throws IOException {
        byte[] whole = format.equals("webp") ? WEBP : file(format, Color.BLUE);
        assertPasses(send(user(picture(whole))));
        upstream.reset();

        assertUnseen(
                send(user(picture(Arrays.copyOf(whole, whole.length * 2 / 3)))), "image at messages[0].content[0]");
        byte[] corrupt = whole.clone();
        Arrays.fill(corrupt, 14, Math.min(30, corrupt.length), (byte) 0xff);
        assertUnseen(send(user(picture(corrupt))), "image at messages[0].content[0]");
    }

    @Test
    void chatWhenHeaderPromisesFiftyThousandSquaredPixelsBlocksWithoutDecoding() {
        byte[] header = ByteBuffer.allocate(17)
                .put("IHDR".getBytes(UTF_8))
                .putInt(50_000)
                .putInt(50_000)
                .put(new byte[] {8, 2, 0, 0, 0})
                .array();
        CRC32 sum = new CRC32();
        sum.update(header);
        byte[] bomb = ByteBuffer.allocate(8 + 4 + 17 + 4)
                .put(new byte[] {(byte) 0x89, 'P', 'N', 'G', 13, 10, 26, 10})
                .putInt(13)
                .put(header)
                .putInt((int) sum.getValue())
                .array();

        assertUnseen(send(user(picture(bomb))), "it has 50000 by 50000 pixels, and at most 25000000 are decoded");
    }

    @Test
    void chatWhenImageHasOnePixelJudgesIt() {
        assertPasses(send(user(picture(ImageFetcherTests.PNG))));
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            data:image/svg+xml;base64,PHN2Zy8+      | it is none of PNG, JPEG, WebP, GIF and BMP
            data:image/svg+xml,<svg/>               | is not in base64
            data:image/png;base64,iVBO Rw0          | no white space
            data:image/png;base64,iVBORw0           | its length is no multiple of four
            data:text/html;base64,PGh0bWw+          | does not say that it is an image
            file:///etc/passwd                      | not file:
            ftp://images.example/cat.png            | not ftp:
            http://169.254.169.254/latest/meta-data | its host is not on the public internet
            http://[::ffff:127.0.0.1]:9/            | has port 9
            """)
    void chatWhenAddressIsNoneOfAnImageSaysWhy(String url, String why) {
        assertUnseen(
                send(user(picture(url.replace("http://169.254.169.254", "http://169.254.169.254:" + images.port())))),
                why);
        assertThat(images.received).isEmpty();
    }

    private static String fetched() {
        return picture("http://images.example:" + images.port() + "/cat.png");
    }

    @Test
    void chatWhenServerDripsBlocksInTime() {
        images.answer((_, response) -> response.header("Content-Type", "image/png")
                .sendByteArray(Flux.interval(Duration.ofMillis(20))
                        .onBackpressureDrop()
                        .map(_ -> new byte[] {1})));

        assertUnseen(send(user(fetched())), "did not answer in full within 500 ms");
    }

    @Test
    void chatWhenServerSendsAnotherTypeBlocks() throws IOException {
        images.answers(200, "text/html", file("png", Color.BLUE));

        assertUnseen(send(user(fetched())), "does not call itself an image");
    }

    @Test
    void chatWhenServerRedirectsToThisMachineBlocks() {
        images.answer((_, response) -> response.status(302)
                .header("Location", "http://127.0.0.2:" + images.port() + "/")
                .send());

        assertUnseen(send(user(fetched())), "its host is not on the public internet");
    }

    @Test
    void chatWhenFetchedImageIsHarmfulBlocks() throws IOException {
        byte[] red = file("png", Color.RED);
        images.answer(
                (_, response) -> response.header("Content-Type", "image/png").sendByteArray(Mono.just(red)));

        assertBlockedAsHarmful(send(user(fetched())));
    }
}
