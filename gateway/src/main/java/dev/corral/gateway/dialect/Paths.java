package dev.corral.gateway.dialect;

import org.springframework.http.HttpMethod;

/** Which requests are in a dialect. */
public final class Paths {

    private Paths() {}

    /** Whether it is a POST to a path with this ending; servers take a slash at the end for none. */
    public static boolean isPost(HttpMethod method, String path, String ending) {
        return method.equals(HttpMethod.POST) && ends(path, ending);
    }

    /** Whether a path has this ending, with or without a slash behind it. */
    public static boolean ends(String path, String ending) {
        String plain = path.endsWith("/") ? path.substring(0, path.length() - 1) : path;
        return plain.endsWith(ending);
    }
}
