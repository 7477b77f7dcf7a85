package dev.corral.gateway.exchange;

import org.springframework.cloud.gateway.filter.NettyRoutingFilter;
import org.springframework.cloud.gateway.filter.NettyWriteResponseFilter;

/** In which order an exchange meets the filters that matter here: requests from top to bottom, answers upwards. */
public enum FilterOrder {
    /** Ours: reads the request before anything else does, and sees the answer after everything else did. */
    MODERATION(NettyWriteResponseFilter.WRITE_RESPONSE_FILTER_ORDER - 1),
    /** Spring Cloud Gateway's: writes the upstream's answer into the response that we decorated. */
    ANSWER_WRITING(NettyWriteResponseFilter.WRITE_RESPONSE_FILTER_ORDER),
    /** Ours: chooses the upstream, and calls it in the framework's way. */
    UPSTREAM_CHOICE(NettyRoutingFilter.ORDER - 1),
    /** Spring Cloud Gateway's: calls what no upstream of ours was chosen for. */
    UPSTREAM_CALL(NettyRoutingFilter.ORDER);

    private final int order;

    FilterOrder(int order) {
        this.order = order;
    }

    /** For {@link org.springframework.core.Ordered}. */
    public int order() {
        return order;
    }
}
