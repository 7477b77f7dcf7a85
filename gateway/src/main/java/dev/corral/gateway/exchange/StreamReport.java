package dev.corral.gateway.exchange;

import java.time.Duration;
import java.util.Optional;

/**
 * What became of a streamed answer. Characters are UTF-16 units of what is judged.
 *
 * @param released characters that were judged and handed out
 * @param held the most characters that waited at one time
 * @param withheld characters that came and never left
 * @param added time from the first frame with text to its release; empty where none was released
 */
public record StreamReport(long released, long held, long withheld, Optional<Duration> added) {}
