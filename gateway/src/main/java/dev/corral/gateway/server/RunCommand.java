package dev.corral.gateway.server;

import dev.corral.gateway.upstream.Preset;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
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
            "Keys of backends: their usual variable (GROQ_API_KEY, ...), or corral.upstream.api-key-file.",
            "Several backends: corral.upstreams; docs/upstreams.md explains them.",
            "Routes and all other settings: an application.yaml in the current folder or in config/."
        })
public final class RunCommand implements Callable<Integer> {

    /** For the help and for completion in shells. */
    static final class PresetNames implements Iterable<String> {

        @Override
        public Iterator<String> iterator() {
            return Preset.all().keySet().iterator();
        }
    }

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
            paramLabel = "NAME|URL",
            description = {
                "Backend to stand in front of: its base, such as http://localhost:11434/v1, or one of",
                "${COMPLETION-CANDIDATES}",
                "(default: ollama)."
            },
            completionCandidates = PresetNames.class)
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

    @Option(
            names = "--vision",
            paramLabel = "DIR",
            description =
                    "Guard for images, as 'corral quantize' makes it of Llama Guard 3 11B Vision (default: none).")
    @Nullable
    String vision;

    @Option(
            names = "--gpu",
            description =
                    "Compute on an NVIDIA GPU: needs CUDA 12 and cuDNN 9; the first start fetches ONNX Runtime's build"
                            + " for it.")
    boolean gpu;

    @Override
    public Integer call() throws InterruptedException {
        return GatewayServer.serve(settings(), _ -> {});
    }

    /** The options that were given, by their properties. */
    Map<String, String> settings() {
        Map<String, String> settings = new LinkedHashMap<>();
        put(settings, "corral.port", port);
        put(settings, "corral.address", address);
        if (upstream != null) {
            put(settings, upstream.contains("://") ? "corral.upstream.url" : "corral.upstream.preset", upstream);
        }
        put(settings, "corral.policy.file", policy);
        put(settings, "corral.guard.directory", guard);
        put(settings, "corral.guard.vision.directory", vision);
        put(settings, "corral.guard.provider", gpu ? "cuda" : null);
        return settings;
    }

    private static void put(Map<String, String> settings, String key, @Nullable String value) {
        if (value != null) {
            settings.put(key, value);
        }
    }
}
