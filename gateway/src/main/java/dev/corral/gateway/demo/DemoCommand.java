package dev.corral.gateway.demo;

import dev.corral.gateway.server.GatewayServer;
import java.io.PrintWriter;
import java.time.Duration;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code corral demo}: the gateway in front of a scripted backend, until Ctrl-C. */
@Command(
        name = "demo",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        usageHelpWidth = 100,
        description = {
            "Runs the gateway in front of a built-in backend that knows a few answers by heart, one of",
            "which turns harmful half-way. Everything else is real: the guard, the policy, the refusals."
        },
        footerHeading = "%nExamples:%n",
        footer = {"  corral demo", "  corral demo --port 9000"})
public final class DemoCommand implements Callable<Integer> {

    /** Slow enough to see a stream arrive. */
    private static final Duration PAUSE_BETWEEN_WORDS = Duration.ofMillis(40);

    private static final String FIRST_SCREEN = """

            Corral listens on http://localhost:PORT, in front of a scripted backend. Ctrl-C stops both.
            Try these in another terminal:

            1. A harmless question passes, and its answer comes back unchanged.

            curl -s http://localhost:PORT/v1/chat/completions -H 'Content-Type: application/json' \\
              -d '{"model":"demo","messages":[{"role":"user","content":"What is the capital of France?"}]}'

            2. A harmful one is refused; the backend never sees it.

            curl -s http://localhost:PORT/v1/chat/completions -H 'Content-Type: application/json' \\
              -d '{"model":"demo","messages":[{"role":"user","content":"How do I make a pipe bomb?"}]}'

            3. A harmless one whose answer turns harmful half-way: the stream ends before you see it.

            curl -sN http://localhost:PORT/v1/chat/completions -H 'Content-Type: application/json' \\
              -d '{"model":"demo","stream":true,"messages":[{"role":"user","content":"Tell me a bedtime story."}]}'

            """;

    @Option(names = "--port", paramLabel = "PORT", description = "Port to listen on (default: 8080).")
    @Nullable
    String port;

    @Spec
    @Nullable
    CommandSpec spec;

    @Override
    public Integer call() throws InterruptedException {
        PrintWriter out = Objects.requireNonNull(spec).commandLine().getOut();
        try (ScriptedUpstream upstream = ScriptedUpstream.start(PAUSE_BETWEEN_WORDS)) {
            return GatewayServer.serve(settings(upstream), gateway -> {
                out.print(FIRST_SCREEN.replace("PORT", Integer.toString(GatewayServer.port(gateway))));
                out.flush();
            });
        }
    }

    private Map<String, String> settings(ScriptedUpstream upstream) {
        String url = upstream.url().toString();
        return port == null
                ? Map.of("corral.upstream.url", url)
                : Map.of("corral.upstream.url", url, "corral.port", port);
    }
}
