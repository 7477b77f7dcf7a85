package dev.corral.policies.policy;

import java.util.List;
import java.util.Locale;

/**
 * What a policy allows about images that a request names by their address.
 *
 * @param fetch whether the gateway may fetch them, over HTTPS; images inside of a request need no fetching
 * @param hosts whose images, with {@code *} for any characters; empty for all that are on the public internet
 * @param pass what the backend gets of an image that was fetched
 */
public record ImageUse(boolean fetch, List<String> hosts, Pass pass) {

    static final ImageUse DEFAULT = new ImageUse(false, List.of(), Pass.INLINE);

    /** What the backend gets. */
    public enum Pass {
        /** The file that was judged, inside of the request. */
        INLINE,
        /** The address. Whoever owns it can show the backend another image than the guard. */
        URL
    }

    public ImageUse {
        hosts = List.copyOf(hosts);
    }

    /** Whether images of a host may be fetched. */
    public boolean allows(String host) {
        String name = host.toLowerCase(Locale.ROOT);
        return fetch
                && (hosts.isEmpty()
                        || hosts.stream().anyMatch(glob -> Glob.of(glob).matches(name)));
    }
}
