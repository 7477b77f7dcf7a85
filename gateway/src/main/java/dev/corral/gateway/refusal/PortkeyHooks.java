package dev.corral.gateway.refusal;

import dev.corral.gateway.dialect.WireResponse;
import dev.corral.policies.policy.Decision;
import dev.corral.policies.policy.Direction;
import java.util.Map;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/**
 * A block as Portkey tells it. Its status codes are registered nowhere, and some proxies know what to do with them less
 * than with others. Source: Portkey-AI/gateway, {@code responseHandlers.ts}.
 */
public final class PortkeyHooks {

    /** The status of an exchange that passed although something was flagged. */
    public static final int FLAGGED = 246;

    private static final int DENIED = 446;

    private PortkeyHooks() {}

    static WireResponse denied(Decision.Block block, Direction direction) {
        return WireResponse.json(DENIED, Map.of(), body(block, direction));
    }

    static ObjectNode body(Decision.Block block, Direction direction) {
        ObjectNode body = JsonNodeFactory.instance.objectNode();
        body.putObject("error")
                .put("message", block.message())
                .put("type", "hooks_failed")
                .putNull("param")
                .putNull("code");
        ObjectNode hooks = body.putObject("hook_results");
        ArrayNode before = hooks.putArray("before_request_hooks");
        ArrayNode after = hooks.putArray("after_request_hooks");
        (direction == Direction.PROMPT ? before : after).add(hook(block, direction));
        return body;
    }

    private static ObjectNode hook(Decision.Block block, Direction direction) {
        ObjectNode hook = JsonNodeFactory.instance
                .objectNode()
                .put("verdict", false)
                .put("id", direction == Direction.PROMPT ? "corral-input" : "corral-output")
                .put("transformed", false);
        hook.putArray("checks")
                .addObject()
                .put("verdict", false)
                .put("id", "corral.policy")
                .put("transformed", false)
                .putNull("error")
                .putObject("data")
                .put("explanation", block.message());
        return hook.putNull("feedback")
                .put("async", false)
                .put("type", "guardrail")
                .put("deny", true);
    }
}
