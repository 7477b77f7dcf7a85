package dev.corral.gateway.testing;

import dev.corral.gateway.audit.AuditSink;
import dev.corral.gateway.moderation.Eyes;
import dev.corral.gateway.server.GatewayServer;
import dev.corral.guardmodels.guard.Guard;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
import org.springframework.boot.SpringApplication;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.context.support.GenericApplicationContext;

/** A whole gateway on a free port, with a scripted guard. */
public final class TestGateway implements AutoCloseable {

    private final ConfigurableApplicationContext context;
    private final HttpClient client =
            HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
    private final int port;

    private TestGateway(ConfigurableApplicationContext context) {
        this.context = context;
        this.port = GatewayServer.port(context);
    }

    /** Starts one with these settings beside the usual ones of a test. */
    public static TestGateway start(Guard guard, Map<String, String> settings) {
        return start(guard, AuditSink.NONE, settings);
    }

    /** Starts one whose exchanges are audited there. */
    public static TestGateway start(Guard guard, AuditSink audit, Map<String, String> settings) {
        return start(guard, audit, settings, context -> {});
    }

    /** Starts one with a clock for how long upstreams are left alone. */
    public static TestGateway start(Guard guard, Clock clock, Map<String, String> settings) {
        return start(guard, settings, context -> context.registerBean("upstreamClock", Clock.class, () -> clock));
    }

    /** Starts one with a guard that sees images, too. */
    public static TestGateway start(Guard guard, Guard seeing, Map<String, String> settings) {
        return start(
                guard,
                settings,
                beans -> beans.registerBean("eyes", Eyes.class, () -> new Eyes(Optional.of(seeing), Map.of())));
    }

    /** Starts one with these settings and these beans beside the usual ones of a test. */
    public static TestGateway start(
            Guard guard, Map<String, String> settings, Consumer<GenericApplicationContext> beans) {
        return start(guard, AuditSink.NONE, settings, beans);
    }

    private static TestGateway start(
            Guard guard, AuditSink audit, Map<String, String> settings, Consumer<GenericApplicationContext> beans) {
        Map<String, String> all = new LinkedHashMap<>(Map.of("corral.port", "0"));
        all.putAll(settings);
        SpringApplication application = new SpringApplication(GatewayServer.class);
        application.addInitializers(context -> {
            GenericApplicationContext generic = (GenericApplicationContext) context;
            generic.registerBean("guard", Guard.class, () -> guard);
            if (!all.containsKey("corral.audit.file")) {
                generic.registerBean("audit", AuditSink.class, () -> audit);
            }
            beans.accept(generic);
        });
        return new TestGateway(application.run(all.entrySet().stream()
                .map(setting -> "--" + setting.getKey() + "=" + setting.getValue())
                .toArray(String[]::new)));
    }

    /** Starts one under a policy. */
    public static TestGateway start(Guard guard, ScriptedUpstream upstream, String policy) {
        try {
            Path file = Files.createTempFile("policy", ".yaml");
            file.toFile().deleteOnExit();
            Files.writeString(file, policy);
            return start(guard, Map.of("corral.upstream.url", upstream.url(), "corral.policy.file", file.toString()));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    public int port() {
        return port;
    }

    public <T> T bean(Class<T> type) {
        return context.getBean(type);
    }

    public HttpRequest.Builder request(String path) {
        return HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + path))
                .timeout(Duration.ofSeconds(30));
    }

    public HttpResponse<String> chat(String body) {
        return chat(body.getBytes(StandardCharsets.UTF_8));
    }

    public HttpResponse<String> chat(byte[] body) {
        return send(request("/v1/chat/completions")
                .header("Content-Type", "application/json")
                .POST(BodyPublishers.ofByteArray(body)));
    }

    public HttpResponse<String> post(String path, String body) {
        return send(request(path)
                .header("Content-Type", "application/json")
                .POST(BodyPublishers.ofString(body, StandardCharsets.UTF_8)));
    }

    /** One figure of {@code /actuator/prometheus}; 0 where there is none yet. */
    public double metric(String name, String... tags) {
        return get("/actuator/prometheus")
                .body()
                .lines()
                .filter(line -> line.startsWith(name + "{"))
                .filter(line -> List.of(tags).stream().allMatch(line::contains))
                .mapToDouble(line -> Double.parseDouble(line.substring(line.lastIndexOf(' ') + 1)))
                .sum();
    }

    /** Asks, and can be told to give up. */
    public CompletableFuture<HttpResponse<String>> sendAsync(byte[] body) {
        return client.sendAsync(
                request("/v1/chat/completions")
                        .header("Content-Type", "application/json")
                        .POST(BodyPublishers.ofByteArray(body))
                        .build(),
                BodyHandlers.ofString(StandardCharsets.UTF_8));
    }

    public HttpResponse<String> get(String path) {
        return send(request(path).GET());
    }

    public HttpResponse<String> send(HttpRequest.Builder request) {
        try {
            return client.send(request.build(), BodyHandlers.ofString(StandardCharsets.UTF_8));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    @Override
    public void close() {
        client.close();
        context.close();
    }
}
