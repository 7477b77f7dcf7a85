package dev.corral.gateway.translation;

import dev.corral.gateway.dialect.Dialect;
import java.time.Instant;

/**
 * What an answer says beside its content.
 *
 * @param dialect of the client, in which errors are told
 * @param exchangeId for identifiers, where the upstream gives none
 * @param created when the answer begins
 * @param streamedUsage whether a stream ends with what it took, where the API leaves that to the client
 */
record Letterhead(Dialect dialect, String exchangeId, Instant created, boolean streamedUsage) {}
