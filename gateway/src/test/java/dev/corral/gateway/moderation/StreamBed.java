package dev.corral.gateway.moderation;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.corral.gateway.dialect.Dialect;
import dev.corral.gateway.dialect.ModeratedRequest;
import dev.corral.gateway.exchange.ModeratedExchange;
import dev.corral.gateway.testing.ScriptedGuard;
import dev.corral.guardmodels.conversation.Conversation;
import dev.corral.guardmodels.conversation.Role;
import dev.corral.guardmodels.conversation.Turn;
import dev.corral.guardmodels.guard.CachingGuard;
import dev.corral.policies.assessment.Probability;
import dev.corral.policies.policy.Beside;
import dev.corral.policies.policy.CompiledPolicy;
import dev.corral.policies.policy.GuardSight;
import dev.corral.policies.policy.Policies;
import dev.corral.policies.policy.PolicyRegistry;
import dev.corral.policies.taxonomy.Taxonomy;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.List;
import org.springframework.mock.http.server.reactive.MockServerHttpRequest;
import org.springframework.mock.web.server.MockServerWebExchange;
import org.springframework.util.unit.DataSize;
import reactor.core.publisher.Flux;

/** Streams through moderation without a server, under a policy and a guard that does what texts say. */
final class StreamBed implements AutoCloseable {

    static final Duration KEEP_ALIVE = Duration.ofSeconds(15);

    final ScriptedGuard guard = new ScriptedGuard();
    final SimpleMeterRegistry metrics = new SimpleMeterRegistry();
    private final ReactiveGuard reactive =
            new ReactiveGuard(new CachingGuard(guard, 10_000_000), 2, 100, new GuardMetrics(metrics));
    private final CompiledPolicy policy;
    private final Judge judge;

    StreamBed(String policy) {
        this.policy = Policies.compile(
                policy, "bed.yaml", Beside.NOTHING, new GuardSight(Taxonomy.LLAMA_GUARD_3, new Probability(0.5), 14));
        this.judge = new Judge(Panel.reading(reactive), new Shadows(new PolicyRegistry(List.of(this.policy)), metrics));
    }

    ModeratedExchange exchange() {
        return ModeratedExchange.begin(MockServerWebExchange.from(MockServerHttpRequest.post("/")), policy);
    }

    Flux<String> moderate(ModeratedExchange exchange, Dialect dialect, Flux<byte[]> chunks) {
        ModeratedRequest request =
                new ModeratedRequest(new Conversation(List.of(Turn.of(Role.USER, "tell me"))), "llama", true);
        return new ModeratedStream(
                        dialect,
                        judge,
                        new WindowMetrics(metrics),
                        exchange,
                        request,
                        DataSize.ofMegabytes(1),
                        KEEP_ALIVE)
                .moderate(chunks)
                .map(StreamBed::text);
    }

    private static String text(ByteBuffer bytes) {
        return UTF_8.decode(bytes.duplicate()).toString();
    }

    @Override
    public void close() {
        reactive.close();
    }
}
