package dev.corral.gateway.moderation;

import java.util.regex.Pattern;
import org.springframework.http.HttpMethod;

/** The only requests that pass without being judged: which models there are. They carry no text of anybody. */
final class ModelListing {

    // An identifier may be "owner/name". No dot segments and no percent signs: an upstream that resolves them would see
    // another path than the one that was looked at.
    private static final String NAME = "(?!\\.{1,2}(/|$))[A-Za-z0-9._:@+~-]+";
    private static final Pattern PATH = Pattern.compile("(/" + NAME + ")*/models(/" + NAME + "){0,2}/?");

    private ModelListing() {}

    static boolean serves(HttpMethod method, String path) {
        return method.equals(HttpMethod.GET) && PATH.matcher(path).matches();
    }
}
