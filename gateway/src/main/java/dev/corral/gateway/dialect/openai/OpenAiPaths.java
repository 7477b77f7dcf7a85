package dev.corral.gateway.dialect.openai;

import org.springframework.http.HttpMethod;

/** Which requests are in this dialect. */
final class OpenAiPaths {

    private OpenAiPaths() {}

    /** Whether it is a POST to a path with this ending; servers take a slash at the end for none. */
    static boolean matches(HttpMethod method, String path, String ending) {
        String plain = path.endsWith("/") ? path.substring(0, path.length() - 1) : path;
        return method.equals(HttpMethod.POST) && plain.endsWith(ending);
    }
}
