package dev.corral.gateway.moderation;

import dev.corral.policies.policy.Decision;

/** A streamed answer was blocked in a style that has a status of its own; it is told by that as long as nothing was sent. */
final class BlockedException extends RuntimeException {

    private static final long serialVersionUID = 1;

    private final transient Decision.Block block;

    BlockedException(Decision.Block block) {
        super(block.message(), null, false, false);
        this.block = block;
    }

    Decision.Block block() {
        return block;
    }
}
