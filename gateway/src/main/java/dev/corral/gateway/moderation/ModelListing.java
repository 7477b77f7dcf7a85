package dev.corral.gateway.moderation;

import java.util.regex.Pattern;
import org.springframework.http.HttpMethod;

/**
 * The only requests that pass without being judged: which models there are, and whether the upstream is well. They carry
 * no text that a model reads, and their answers none that a model wrote.
 */
final class ModelListing {

    // An identifier may be "owner/name". No dot segments and no percent signs: an upstream that resolves them would see
    // another path than the one that was looked at.
    private static final String NAME = "(?!\\.{1,2}(/|$))[A-Za-z0-9._:@+~-]+";
    private static final Pattern PATH = Pattern.compile("(/" + NAME + ")*/models(/" + NAME + "){0,2}/?");

    /** Of Ollama and Llama Stack. */
    private static final Pattern STATE =
            Pattern.compile("/api/(tags|ps|version)/?|(/" + NAME + ")*/v1/(health|version)/?");

    /** Of Ollama, which asks for one model by POST: its template, its licence, its parameters. */
    private static final Pattern DESCRIPTION = Pattern.compile("/api/show/?");

    private ModelListing() {}

    static boolean serves(HttpMethod method, String path) {
        if (method.equals(HttpMethod.POST)) {
            return DESCRIPTION.matcher(path).matches();
        }
        boolean state = STATE.matcher(path).matches();
        return method.equals(HttpMethod.GET)
                ? state || PATH.matcher(path).matches()
                : method.equals(HttpMethod.HEAD) && state;
    }
}
