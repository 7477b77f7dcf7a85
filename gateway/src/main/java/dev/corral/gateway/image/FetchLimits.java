package dev.corral.gateway.image;

import java.time.Duration;

/**
 * What fetching an image may cost.
 *
 * @param maxBytes of the file
 * @param timeout from the first byte sent to the last byte received, redirects included
 * @param maxRedirects that are followed
 */
public record FetchLimits(long maxBytes, Duration timeout, int maxRedirects) {}
