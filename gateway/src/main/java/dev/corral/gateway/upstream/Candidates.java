package dev.corral.gateway.upstream;

import dev.corral.gateway.dialect.DialectException;
import dev.corral.gateway.dialect.GatewayError;
import dev.corral.gateway.translation.ChatApi;
import dev.corral.gateway.translation.Translator;
import java.net.URI;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.springframework.http.HttpMethod;

/** Which upstreams of a model can take a request: those that speak its API, and those that it can be translated for. */
final class Candidates {

    private final Translator translator;

    Candidates(Translator translator) {
        this.translator = translator;
    }

    /** Whether one of these upstreams does not speak the API of the request. */
    boolean needTranslation(List<Upstream> serving, HttpMethod method, URI asked) {
        return ChatApi.of(method, asked.getRawPath())
                .filter(api -> serving.stream().anyMatch(upstream -> !upstream.speaks(api)))
                .isPresent();
    }

    /**
     * Those that serve a request at its own path.
     *
     * @throws DialectException with 404 where there is none
     */
    List<Candidate> asTheyCome(List<Upstream> serving, URI asked) {
        List<Candidate> able = serving.stream()
                .flatMap(upstream -> asItComes(upstream, asked).stream())
                .toList();
        if (able.isEmpty()) {
            throw notServed("no upstream here serves this path; the presets of upstreams say which paths they serve");
        }
        return able;
    }

    /**
     * The same, and those for which the request can be translated.
     *
     * @throws DialectException where there is none: what the first of them cannot carry
     */
    List<Candidate> of(List<Upstream> serving, HttpMethod method, URI asked, byte[] body) {
        List<Candidate> able = new ArrayList<>();
        List<DialectException> refusals = new ArrayList<>();
        for (Upstream upstream : serving) {
            try {
                able.add(candidate(upstream, method, asked, body));
            } catch (DialectException refusal) {
                refusals.add(refusal);
            }
        }
        if (able.isEmpty()) {
            throw refusals.getFirst();
        }
        return able;
    }

    private Candidate candidate(Upstream upstream, HttpMethod method, URI asked, byte[] body) {
        String path = asked.getRawPath();
        Optional<ChatApi> foreign = ChatApi.of(method, path).filter(api -> !upstream.speaks(api));
        if (foreign.isEmpty()) {
            return asTheyCome(List.of(upstream), asked).getFirst();
        }
        ChatApi api = foreign.get();
        if (!api.chatsAt(path)) {
            throw notServed("this path is of " + api.title() + ", and the upstream '" + upstream.name() + "' speaks "
                    + upstream.dialect().title() + "; only chats are translated, at …/chat/completions, …/messages and"
                    + " /api/chat");
        }
        return upstream.target(upstream.dialect().chatPath(), null)
                .map(target -> new Candidate(
                        upstream,
                        target,
                        Optional.of(translator.translate(
                                api, body, upstream.dialect(), upstream.name(), upstream.maxTokens()))))
                .orElseThrow(() -> new IllegalStateException("an upstream serves the chats of its own API"));
    }

    private static Optional<Candidate> asItComes(Upstream upstream, URI asked) {
        return upstream.target(asked.getRawPath(), asked.getRawQuery())
                .map(target -> new Candidate(upstream, target, Optional.empty()));
    }

    private static DialectException notServed(String message) {
        return new DialectException(
                new GatewayError(404, "invalid_request_error", "unsupported_path", null, message, null));
    }
}
