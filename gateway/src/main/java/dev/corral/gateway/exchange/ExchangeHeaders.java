package dev.corral.gateway.exchange;

/** The headers on every moderated answer, errors included. */
public final class ExchangeHeaders {

    /**
     * What was decided: {@code allow}, {@code flag}, {@code redact}, {@code respond}, {@code block} or {@code unavailable}; the strictest
     * of prompt and answer; or {@link #NOTHING_JUDGED}. A streamed answer's headers leave with its first bytes, so what is decided later is not there.
     */
    public static final String DECISION = "x-corral-decision";

    /** The decision of an exchange that was refused before anything was judged, such as one that is not JSON. */
    public static final String NOTHING_JUDGED = "none";

    /** The policy that decided, as {@code name@version+revision}. */
    public static final String POLICY = "x-corral-policy";

    /** The exchange's identifier, as in the log. */
    public static final String EXCHANGE = "x-corral-exchange";

    private ExchangeHeaders() {}
}
