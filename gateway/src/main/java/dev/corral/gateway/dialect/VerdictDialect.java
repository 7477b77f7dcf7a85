package dev.corral.gateway.dialect;

import java.util.List;

/**
 * A way in which others ask for verdicts, to decide by themselves. Answered here, without an upstream; always a POST.
 * Thread-safe. Everything malformed is a {@link DialectException}, never another exception.
 */
public interface VerdictDialect {

    /** Whether requests to this path are in this dialect. */
    boolean serves(String path);

    /**
     * Reads a request.
     *
     * @param query its parameters as they were sent, such as {@code taxonomy=openai}; empty where there are none
     */
    VerdictRequest read(byte[] body, String query);

    /**
     * Writes a response.
     *
     * @param exchangeId for the response's identifier
     * @param guard the identifier of the guard that judged
     * @param verdicts one for each input of the request, in order
     */
    WireResponse write(VerdictRequest request, String exchangeId, String guard, List<Verdict> verdicts);

    /**
     * The same for a dialect in which texts can come back changed.
     *
     * @param redactor of the policy that decided
     */
    default WireResponse write(
            VerdictRequest request, String exchangeId, String guard, List<Verdict> verdicts, Redactor redactor) {
        return write(request, exchangeId, guard, verdicts);
    }

    /** The dialect's error envelope. */
    WireResponse error(GatewayError error);
}
