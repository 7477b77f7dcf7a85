package dev.corral.benchmarks.traffic;

import dev.corral.gateway.demo.ScriptedUpstream;
import dev.corral.gateway.server.GatewayServer;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import org.springframework.context.ConfigurableApplicationContext;

/** A gateway on a free port, in front of a scripted backend that answers at once; both in this process. */
final class BenchGateway implements AutoCloseable {

    /** A request that passes. */
    static final String ALLOWED = chat("What is the capital of France?", false);

    private final ScriptedUpstream upstream = ScriptedUpstream.start(Duration.ZERO);
    private final ConfigurableApplicationContext gateway;

    BenchGateway() {
        this(Map.of());
    }

    /** One under a policy of its own. */
    BenchGateway(Path policy) {
        this(Map.of("corral.policy.file", policy.toString()));
    }

    /** One with further settings. */
    BenchGateway(Map<String, String> more) {
        Map<String, String> settings = new LinkedHashMap<>(more);
        settings.put("corral.port", "0");
        settings.put("corral.upstream.url", upstream.url().toString());
        settings.put("logging.level.dev.corral", "warn");
        gateway = GatewayServer.start(settings);
    }

    static String chat(String prompt, boolean stream) {
        return "{\"model\":\"demo\",\"stream\":" + stream + ",\"messages\":[{\"role\":\"user\",\"content\":\"" + prompt
                + "\"}]}";
    }

    URI chatUri() {
        return URI.create("http://127.0.0.1:" + GatewayServer.port(gateway) + "/v1/chat/completions");
    }

    URI directUri() {
        return URI.create(upstream.url() + "/chat/completions");
    }

    @Override
    public void close() {
        gateway.close();
        upstream.close();
    }
}
