package dev.corral.quantization.hub;

import java.net.URI;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Locale;

/** Where a hub is: its scheme, host and port, and a path where it is a mirror below one. */
public record HubAddress(URI uri) {

    /** Hugging Face itself. */
    public static final String HUGGING_FACE = "https://huggingface.co";

    private static final List<String> THIS_MACHINE = List.of("localhost", "127.0.0.1", "[::1]");

    /**
     * Reads an address.
     *
     * @throws IllegalArgumentException if it is no http or https address of a host
     */
    public static HubAddress parse(String text) {
        String stripped = text.strip().replaceAll("/+$", "");
        URI uri;
        try {
            uri = URI.create(stripped);
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException(rule(text), e);
        }
        boolean web = "https".equalsIgnoreCase(uri.getScheme()) || "http".equalsIgnoreCase(uri.getScheme());
        if (!web || uri.getHost() == null || uri.getRawQuery() != null || uri.getRawFragment() != null) {
            throw new IllegalArgumentException(rule(text));
        }
        if (uri.getRawUserInfo() != null) {
            throw new IllegalArgumentException(
                    "the hub's address must not hold a name or a password: set HF_TOKEN instead");
        }
        return new HubAddress(uri);
    }

    private static String rule(String text) {
        return "the hub must be an address such as " + HUGGING_FACE + ": '" + text + "'";
    }

    URI listing(RepositoryName name, String revision) {
        return URI.create(uri + "/api/models/" + name + "/revision/" + encoded(revision) + "?blobs=true");
    }

    URI file(Repository repository, RemoteFile file) {
        return URI.create(uri + "/" + repository.name() + "/resolve/" + repository.commit() + "/" + file.name());
    }

    private static String encoded(String revision) {
        return URLEncoder.encode(revision, StandardCharsets.UTF_8).replace("+", "%20");
    }

    /** Whether a request to {@code other} goes to this very server. */
    boolean isOriginOf(URI other) {
        return uri.getScheme().equalsIgnoreCase(other.getScheme())
                && uri.getHost().equalsIgnoreCase(other.getHost())
                && port(uri) == port(other);
    }

    /** Whether nobody on the way can read what is sent. */
    boolean isPrivate() {
        return isEncrypted(uri) || THIS_MACHINE.contains(uri.getHost().toLowerCase(Locale.ROOT));
    }

    static boolean isEncrypted(URI uri) {
        return "https".equalsIgnoreCase(uri.getScheme());
    }

    private static int port(URI uri) {
        if (uri.getPort() >= 0) {
            return uri.getPort();
        }
        return isEncrypted(uri) ? 443 : 80;
    }

    @Override
    public String toString() {
        return uri.toString();
    }
}
