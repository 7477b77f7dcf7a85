package dev.corral.benchmarks.traffic;

import static org.assertj.core.api.Assertions.assertThat;

import dev.corral.benchmarks.Fixtures;
import dev.corral.guardmodels.store.Precision;
import java.awt.Color;
import java.awt.Graphics2D;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Base64;
import java.util.Map;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A gateway whose guard for images runs on this machine: a small one of random weights. */
class SeeingGatewayTests {

    @TempDir
    private Path folder;

    private final HttpClient client = HttpClient.newHttpClient();
    private BenchGateway gateway;

    @BeforeEach
    void start() throws IOException {
        Path policy = Files.writeString(
                folder.resolve("policy.yaml"),
                "policy: all\nversion: 1\nrules: [{ id: all, when: { hazard: any }, then: flag }]\n");
        gateway = new BenchGateway(Map.of(
                "corral.policy.file",
                policy.toString(),
                "corral.guard.vision.directory",
                Fixtures.seeingGuard(folder, Precision.INT4).toString()));
    }

    @AfterEach
    void stop() {
        gateway.close();
        client.close();
    }

    private static String message(Color colour, String text) throws IOException {
        BufferedImage image = new BufferedImage(40, 30, BufferedImage.TYPE_INT_RGB);
        Graphics2D graphics = image.createGraphics();
        graphics.setColor(colour);
        graphics.fillRect(5, 5, 20, 20);
        graphics.dispose();
        ByteArrayOutputStream png = new ByteArrayOutputStream();
        ImageIO.write(image, "png", png);
        return "{\"role\":\"user\",\"content\":[{\"type\":\"image_url\",\"image_url\":{\"url\":\"data:image/png;base64,"
                + Base64.getEncoder().encodeToString(png.toByteArray()) + "\"}},{\"type\":\"text\",\"text\":\"" + text
                + "\"}]}";
    }

    private HttpResponse<String> send(String... messages) throws IOException, InterruptedException {
        return client.send(
                HttpRequest.newBuilder(gateway.chatUri())
                        .header("Content-Type", "application/json")
                        .POST(BodyPublishers.ofString(
                                "{\"model\":\"demo\",\"messages\":[" + String.join(",", messages) + "]}"))
                        .build(),
                BodyHandlers.ofString());
    }

    private double lookedAt() throws IOException, InterruptedException {
        return client.send(
                        HttpRequest.newBuilder(gateway.chatUri().resolve("/actuator/prometheus"))
                                .build(),
                        BodyHandlers.ofString())
                .body()
                .lines()
                .filter(line -> line.startsWith("corral_guard_images_total{"))
                .mapToDouble(line -> Double.parseDouble(line.substring(line.lastIndexOf(' ') + 1)))
                .sum();
    }

    @Test
    void chatWhenAnImageComesAgainLooksAtItOnce() throws Exception {
        String red = message(Color.RED, "What is this?");

        assertThat(send(red).statusCode()).isEqualTo(200);
        assertThat(lookedAt()).isEqualTo(1);

        String answer = "{\"role\":\"assistant\",\"content\":\"A square.\"}";
        HttpResponse<String> next = send(red, answer, "{\"role\":\"user\",\"content\":\"Are you sure?\"}");
        assertThat(next.statusCode()).isEqualTo(200);
        assertThat(next.body()).doesNotContain("content_filter");
        assertThat(lookedAt()).isEqualTo(1);

        send(message(Color.BLUE, "And this?"));
        assertThat(lookedAt()).isEqualTo(2);
    }
}
