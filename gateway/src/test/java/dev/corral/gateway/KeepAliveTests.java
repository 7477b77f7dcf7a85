package dev.corral.gateway;

import static org.assertj.core.api.Assertions.assertThat;

import dev.corral.gateway.testing.Completions;
import dev.corral.gateway.testing.LeakCheck;
import dev.corral.gateway.testing.ScriptedGuard;
import dev.corral.gateway.testing.ScriptedUpstream;
import dev.corral.gateway.testing.TestGateway;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Many requests on one connection: a version of the server that loses some must never come back. */
@ExtendWith(LeakCheck.class)
class KeepAliveTests {

    @Test
    void requestsWhenTheyFollowEachOtherAtOnceAreAllAnswered() {
        ScriptedUpstream upstream = new ScriptedUpstream();
        upstream.says("Fine.");
        try (upstream;
                TestGateway gateway =
                        TestGateway.start(new ScriptedGuard(), Map.of("corral.upstream.url", upstream.url()))) {
            for (int i = 0; i < 500; i++) {
                assertThat(gateway.get("/actuator/health/readiness").statusCode())
                        .isEqualTo(200);
                assertThat(gateway.get("/nothing").statusCode()).isEqualTo(404);
                assertThat(gateway.chat(Completions.request("hello")).statusCode())
                        .isEqualTo(200);
                assertThat(gateway.chat(Completions.streamed("<S9>")).statusCode())
                        .isEqualTo(200);
            }
        }
    }
}
