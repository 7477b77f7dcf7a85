package dev.corral.gateway.translation;

/**
 * What an answer took, in tokens; 0 where nobody said.
 *
 * @param input all that was read, what was remembered of it included
 * @param remembered how much of that came out of a cache
 */
record Usage(long input, long remembered, long output) {

    static final Usage UNKNOWN = new Usage(0, 0, 0);

    /** What is known when more is said: later figures include earlier ones. */
    Usage and(Usage later) {
        return new Usage(
                Math.max(input, later.input), Math.max(remembered, later.remembered), Math.max(output, later.output));
    }
}
