package dev.corral.gateway.upstream;

import dev.corral.gateway.configuration.CorralProperties;
import dev.corral.gateway.configuration.CorralProperties.ClientCredentials;
import dev.corral.gateway.translation.ChatApi;
import io.github.resilience4j.circuitbreaker.CircuitBreaker;
import java.net.URI;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;
import org.springframework.http.HttpHeaders;
import org.springframework.web.server.ServerWebExchange;
import reactor.netty.http.client.HttpClient;

/** One backend: where it is, what it serves, how it is spoken to, and how it fares. */
public final class Upstream {

    private static final String ATTRIBUTE = Upstream.class.getName();

    /** Where clients put what proves who they are. */
    private static final List<String> CREDENTIALS = List.of(
            HttpHeaders.AUTHORIZATION,
            HttpHeaders.PROXY_AUTHORIZATION,
            HttpHeaders.COOKIE,
            "api-key",
            "x-api-key",
            "x-goog-api-key");

    private static final String BEARER = "Bearer ";
    private static final String V1 = "/v1";
    private static final String API = "/api";

    private final String name;
    private final String settingsKey;
    private final Preset preset;
    private final URI base;
    private final Optional<ChatApi> toldDialect;
    private final int maxTokens;
    private final List<NamePattern> models;
    private final int weight;
    private final Optional<Credential> credential;
    private final ClientCredentials clientCredentials;
    private final Duration responseTimeout;
    private final IdleTimeout idleTimeout;
    private final HttpClient client;
    private final CircuitBreaker breaker;
    private final List<Preset.PathRule> paths;

    /**
     * An upstream as its settings describe it.
     *
     * @param settingsKey the key below which they stand, for messages
     * @param base its address in place of {@code /v1}
     * @param client with its own connections and clock for connecting
     */
    Upstream(
            String name,
            String settingsKey,
            Preset preset,
            URI base,
            CorralProperties.Upstream settings,
            Optional<Credential> credential,
            ClientCredentials clientCredentials,
            HttpClient client,
            CircuitBreaker breaker) {
        this.name = name;
        this.settingsKey = settingsKey;
        this.preset = preset;
        this.base = base;
        this.toldDialect = Optional.ofNullable(settings.dialect());
        this.maxTokens = settings.maxTokens();
        this.models = settings.models().stream().map(NamePattern::new).toList();
        this.weight = settings.weight();
        this.credential = credential;
        this.clientCredentials = clientCredentials;
        this.responseTimeout = settings.responseTimeout();
        this.idleTimeout = new IdleTimeout(settings.idleTimeout(), settingsKey + ".idle-timeout");
        this.client = client;
        this.breaker = breaker;
        this.paths = paths(preset, base, dialect());
    }

    private static List<Preset.PathRule> paths(Preset preset, URI base, ChatApi dialect) {
        String path = base.getRawPath().replaceAll("/+$", "");
        String root = path.endsWith(V1) ? path.substring(0, path.length() - V1.length()) : path;
        List<Preset.PathRule> paths = new ArrayList<>();
        preset.paths().forEach(rule -> paths.add(new Preset.PathRule(rule.from(), root + rule.to())));
        paths.add(new Preset.PathRule(V1, path));
        if (dialect == ChatApi.OLLAMA) {
            paths.add(new Preset.PathRule(API, root + API));
        }
        paths.sort(Comparator.comparingInt((Preset.PathRule rule) -> rule.from().length())
                .reversed());
        return paths;
    }

    /** The upstream that an exchange's answer comes from, where it is one of these. */
    public static Optional<Upstream> of(ServerWebExchange exchange) {
        return Optional.ofNullable(exchange.getAttribute(ATTRIBUTE));
    }

    void serves(ServerWebExchange exchange) {
        exchange.getAttributes().put(ATTRIBUTE, this);
    }

    /** As the operator calls it. */
    public String name() {
        return name;
    }

    /** The key below which its settings stand, such as {@code corral.upstreams.local}. */
    public String settingsKey() {
        return settingsKey;
    }

    public Preset preset() {
        return preset;
    }

    /** Its address in place of {@code /v1}. */
    public URI base() {
        return base;
    }

    /** The API that it is spoken to in by those who do not speak one of its own. */
    public ChatApi dialect() {
        return toldDialect.orElse(preset.dialect());
    }

    /** Whether requests in this API go to it as they come. */
    boolean speaks(ChatApi api) {
        return api == dialect() || (toldDialect.isEmpty() && preset.also().contains(api));
    }

    /** The longest answer, where its API wants a limit and a client of another names none. */
    int maxTokens() {
        return maxTokens;
    }

    /** Its share among those that serve the same models; 0 where it only stands in for others. */
    public int weight() {
        return weight;
    }

    /** The names of its models, as the operator wrote them. */
    public List<String> models() {
        return models.stream().map(NamePattern::toString).toList();
    }

    /** Those of them that are whole names. */
    List<String> namedModels() {
        return models.stream()
                .filter(NamePattern::isName)
                .map(NamePattern::toString)
                .toList();
    }

    /** How exactly its settings name a model; empty where they do not. */
    OptionalInt exactness(String model) {
        return models.stream()
                .filter(pattern -> pattern.matches(model))
                .mapToInt(NamePattern::exactness)
                .max();
    }

    /** From the request to the head of the answer. */
    Duration responseTimeout() {
        return responseTimeout;
    }

    /** The clock for silence within an answer. */
    public IdleTimeout idleTimeout() {
        return idleTimeout;
    }

    HttpClient client() {
        return client;
    }

    CircuitBreaker breaker() {
        return breaker;
    }

    /** Whether requests are sent to it; otherwise it is left alone for a while. */
    public boolean isAvailable() {
        return breaker.getState() != CircuitBreaker.State.OPEN;
    }

    /** The state of its breaker: {@code closed} where all is well, {@code open}, or {@code half_open} while it is tried. */
    public String state() {
        return breaker.getState().name().toLowerCase(Locale.ROOT);
    }

    Optional<Credential> credential() {
        return credential;
    }

    /** How it is shown who asks, for people: never a key. */
    public String access() {
        return credential
                .map(Credential::toString)
                .orElse(
                        clientCredentials == ClientCredentials.PASS
                                ? "with the client's credentials"
                                : "without credentials");
    }

    /**
     * Where a request goes.
     *
     * @param path of the request, encoded
     * @param query of the request, encoded; null for none
     * @return empty where it serves nothing at this path
     */
    Optional<URI> target(String path, @Nullable String query) {
        return paths.stream()
                .filter(rule -> path.equals(rule.from()) || path.startsWith(rule.from() + "/"))
                .findFirst()
                .map(rule -> URI.create(base.getScheme() + "://" + base.getRawAuthority() + rule.to()
                        + path.substring(rule.from().length()) + (query == null ? "" : "?" + query)));
    }

    /** Makes a client's headers those of a request to this upstream: with its own key, and nobody else's. */
    void introduce(HttpHeaders headers) {
        HttpHeaders shown = introduction(headers);
        CREDENTIALS.forEach(headers::remove);
        headers.putAll(shown);
    }

    /** The same for a translated request: a client shows its key as its own API wants it. */
    void introduceTranslated(HttpHeaders headers) {
        Optional<String> key = clientCredentials == ClientCredentials.PASS ? clientKey(headers) : Optional.empty();
        introduce(headers);
        key.ifPresent(shown -> {
            CREDENTIALS.forEach(headers::remove);
            String scheme = preset.key().scheme();
            headers.set(preset.key().header(), scheme.isEmpty() ? shown : scheme + " " + shown);
        });
    }

    private static Optional<String> clientKey(HttpHeaders headers) {
        return Optional.ofNullable(headers.getFirst(HttpHeaders.AUTHORIZATION))
                .filter(shown -> shown.regionMatches(true, 0, BEARER, 0, BEARER.length()))
                .map(shown -> shown.substring(BEARER.length()))
                .or(() -> Optional.ofNullable(headers.getFirst("x-api-key")));
    }

    /** Only those headers that show who asks: the upstream's own key, or the client's where it may see them. */
    HttpHeaders introduction(HttpHeaders clients) {
        HttpHeaders shown = new HttpHeaders();
        if (clientCredentials == ClientCredentials.PASS) {
            CREDENTIALS.stream()
                    .filter(clients::containsHeader)
                    .forEach(header -> shown.addAll(header, clients.getValuesAsList(header)));
        }
        credential.ifPresent(
                key -> shown.set(preset.key().header(), key.header(preset.key().scheme())));
        return shown;
    }

    @Override
    public String toString() {
        return name;
    }
}
