package dev.corral.gateway.refusal;

import dev.corral.gateway.dialect.WireResponse;
import dev.corral.policies.policy.Decision;
import dev.corral.policies.policy.Direction;
import java.util.Map;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/** A block as LiteLLM tells it. Source: BerriAI/litellm, {@code provider_specific_fields} of guardrail errors. */
final class LiteLlmBlock {

    private LiteLlmBlock() {}

    static WireResponse response(Decision.Block block, Direction direction) {
        return WireResponse.json(400, Map.of("x-litellm-applied-guardrails", "corral"), body(block, direction));
    }

    static ObjectNode body(Decision.Block block, Direction direction) {
        ObjectNode body = JsonNodeFactory.instance.objectNode();
        body.putObject("error")
                .put("message", block.message())
                .put("type", "None")
                .put("param", "None")
                .put("code", "400")
                .putObject("provider_specific_fields")
                .put("error", block.message())
                .put("guardrail_name", "corral")
                .put("guardrail_mode", direction == Direction.PROMPT ? "pre_call" : "post_call");
        return body;
    }
}
