package dev.corral.gateway.dialect;

import java.util.List;
import java.util.Optional;
import org.springframework.http.HttpMethod;

/**
 * Every dialect that is served.
 *
 * @param moderated those of requests that go on to an upstream; the first that serves a path reads it, and the very first
 *     tells the errors of paths that none knows
 * @param verdicts those of requests that are answered here, with verdicts
 */
public record Dialects(List<Dialect> moderated, List<VerdictDialect> verdicts) {

    public Dialects {
        moderated = List.copyOf(moderated);
        verdicts = List.copyOf(verdicts);
        if (moderated.isEmpty()) {
            throw new IllegalArgumentException("there must be a dialect, if only to tell errors in");
        }
    }

    /** The dialect of a request; empty where none is served at this path. */
    public Optional<Dialect> of(HttpMethod method, String path) {
        return moderated.stream()
                .filter(dialect -> dialect.serves(method, path))
                .findFirst();
    }

    /** The dialect of a request for a verdict; empty where it asks for none. */
    public Optional<VerdictDialect> verdictsAt(String path) {
        return verdicts.stream().filter(dialect -> dialect.serves(path)).findFirst();
    }

    /** How somebody who sent this request is told an error. */
    public WireResponse error(HttpMethod method, String path, GatewayError error) {
        return verdictsAt(path)
                .map(dialect -> dialect.error(error))
                .orElseGet(() -> of(method, path)
                        .or(() -> moderated.stream()
                                .filter(dialect -> dialect.tells(path))
                                .findFirst())
                        .orElse(moderated.getFirst())
                        .error(error));
    }
}
