package dev.corral.quantization.hub;

import java.time.Duration;

/**
 * How long a hub is waited for.
 *
 * @param connect until a connection stands
 * @param silence without any byte, until a connection is given up
 * @param attempts in a row that bring nothing new, until a download is given up
 * @param pause before the second attempt; it doubles with each one, up to half a minute
 */
public record Patience(Duration connect, Duration silence, int attempts, Duration pause) {

    private static final Duration LONGEST_PAUSE = Duration.ofSeconds(30);

    /** For people who wait at a terminal: some two minutes. */
    public static final Patience DEFAULT =
            new Patience(Duration.ofSeconds(20), Duration.ofSeconds(60), 7, Duration.ofSeconds(1));

    /** The pause after this many failures, from 1. */
    Duration pauseAfter(int failures) {
        Duration doubled = pause.multipliedBy(1L << Math.min(failures - 1, 20));
        return doubled.compareTo(LONGEST_PAUSE) < 0 ? doubled : LONGEST_PAUSE;
    }
}
