package dev.corral.gateway.server;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import org.jspecify.annotations.Nullable;
import org.springframework.context.ApplicationListener;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.context.event.ContextClosedEvent;
import picocli.CommandLine.Command;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.Option;

/** {@code corral run}: the gateway, until Ctrl-C. */
@Command(
        name = "run",
        mixinStandardHelpOptions = true,
        description = "Runs the gateway in front of an OpenAI-compatible API, until Ctrl-C.",
        sortOptions = false,
        footer = {
            "",
            "Every option is also a property (corral.port, corral.upstream.url, corral.policy.file,",
            "corral.guard.directory) and an environment variable (CORRAL_PORT, CORRAL_UPSTREAM_URL, ...).",
            "Routes and all other settings: an application.yaml in the current folder or in config/."
        })
public final class RunCommand implements Callable<Integer> {

    @Option(names = "--port", paramLabel = "PORT", description = "Port to listen on (default: 8080).")
    @Nullable
    String port;

    @Option(
            names = "--address",
            paramLabel = "ADDRESS",
            description = "Address to listen on (default: 127.0.0.1, this machine only; 0.0.0.0 for all).")
    @Nullable
    String address;

    @Option(
            names = "--upstream",
            paramLabel = "URL",
            description = "Base of the API to stand in front of (default: http://localhost:11434/v1).")
    @Nullable
    String upstream;

    @Option(names = "--policy", paramLabel = "FILE", description = "Policy to enforce (default: built in).")
    @Nullable
    String policy;

    @Option(
            names = "--guard",
            paramLabel = "DIR",
            description = "Guard to judge with, as 'corral quantize' writes it (default: built in).")
    @Nullable
    String guard;

    @Override
    public Integer call() throws InterruptedException {
        ConfigurableApplicationContext gateway;
        try {
            gateway = GatewayServer.start(settings());
        } catch (RuntimeException _) { // its reason was logged
            return ExitCode.SOFTWARE;
        }
        CountDownLatch closed = new CountDownLatch(1);
        gateway.addApplicationListener((ApplicationListener<ContextClosedEvent>) _ -> closed.countDown());
        closed.await();
        return ExitCode.OK;
    }

    /** The options that were given, by their properties. */
    Map<String, String> settings() {
        Map<String, String> settings = new LinkedHashMap<>();
        put(settings, "corral.port", port);
        put(settings, "corral.address", address);
        put(settings, "corral.upstream.url", upstream);
        put(settings, "corral.policy.file", policy);
        put(settings, "corral.guard.directory", guard);
        return settings;
    }

    private static void put(Map<String, String> settings, String key, @Nullable String value) {
        if (value != null) {
            settings.put(key, value);
        }
    }
}
