package dev.corral.gateway.server;

import dev.corral.gateway.moderation.Shadows;
import java.util.List;
import org.springframework.boot.actuate.endpoint.annotation.Endpoint;
import org.springframework.boot.actuate.endpoint.annotation.ReadOperation;

/** {@code /actuator/shadows}: what shadow policies would have decided differently, without a word of what was said. */
@Endpoint(id = "shadows")
public final class ShadowsEndpoint {

    private final Shadows shadows;

    ShadowsEndpoint(Shadows shadows) {
        this.shadows = shadows;
    }

    /**
     * What operators review.
     *
     * @param differences the latest, oldest first
     */
    public record Review(List<Shadows.Difference> differences) {}

    /** The latest differences since the gateway started. */
    @ReadOperation
    public Review review() {
        return new Review(shadows.differences());
    }
}
