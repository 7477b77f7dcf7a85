package dev.corral.gateway.configuration;

import dev.corral.gateway.translation.ChatApi;
import dev.corral.guardmodels.onnx.Provider;
import dev.corral.guardmodels.remote.Api;
import dev.corral.guardmodels.remote.ApiKey;
import dev.corral.guardmodels.store.NamedHazards;
import java.net.InetAddress;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.DefaultValue;
import org.springframework.util.unit.DataSize;

/**
 * Everything under {@code corral.*}.
 *
 * @param address to listen on; only this machine unless told otherwise, because there are no keys to ask for
 * @param port to listen on; 0 takes a free one
 * @param maxRequestSize the longest body of a request
 * @param maxAnswerSize the longest body of a whole answer, and the longest event of a streamed one
 * @param stream how streamed answers reach clients
 * @param upstream the backend, where there is one; null for Ollama on this machine, or for {@code upstreams}
 * @param upstreams the backends by their names, where there are several
 * @param secretsDirectory a folder with a file for each upstream that has a key, named as the upstream; null for none
 */
@ConfigurationProperties("corral")
public record CorralProperties(
        @DefaultValue("127.0.0.1") InetAddress address,
        @DefaultValue("8080") int port,
        @DefaultValue("8MB") DataSize maxRequestSize,
        @DefaultValue("8MB") DataSize maxAnswerSize,
        @DefaultValue Stream stream,
        @Nullable Upstream upstream,
        @DefaultValue Map<String, Upstream> upstreams,
        @Nullable Path secretsDirectory,
        @DefaultValue Models models,
        @DefaultValue Policy policy,
        @DefaultValue Guard guard,
        @DefaultValue Images images,
        @DefaultValue Audit audit,
        @DefaultValue Tenant tenant) {

    /** The name of the one upstream of {@code corral.upstream}. */
    public static final String ONLY_UPSTREAM = "upstream";

    /** Where the guard for images is, of policies that name none. */
    public static final String VISION = "corral.guard.vision";

    /** What cannot name an upstream, since it means all of them: {@code upstream://by-model}. */
    public static final String BY_MODEL = "by-model";

    private static final Pattern NAME = Pattern.compile("[a-z]([a-z0-9-]{0,61}[a-z0-9])?");
    private static final DataSize LARGEST = DataSize.ofGigabytes(1);
    private static final String BASE = "an address such as http://localhost:11434/v1, without user, query or fragment";

    public CorralProperties {
        require(port >= 0 && port <= 65_535, "corral.port", "between 0 and 65535", port);
        requireSize("corral.max-request-size", maxRequestSize);
        requireSize("corral.max-answer-size", maxAnswerSize);
        // by name: not every source of settings has an order
        upstreams = Collections.unmodifiableSortedMap(new TreeMap<>(upstreams));
        if (upstream != null) {
            require(
                    upstreams.isEmpty(),
                    "corral.upstream",
                    "left out where there are corral.upstreams: write all backends there",
                    String.join(", ", upstreams.keySet()));
            upstream.check(keyOf(ONLY_UPSTREAM, false));
        }
        upstreams.forEach((name, each) -> {
            require(
                    NAME.matcher(name).matches() && !name.equals(BY_MODEL),
                    "the name of an upstream",
                    "a small letter, then small letters, digits and hyphens, at most 63, and not '" + BY_MODEL + "'",
                    name);
            each.check(keyOf(name, true));
        });
    }

    /**
     * How streamed answers reach clients.
     *
     * @param keepAlive so often a comment is sent while frames are held, so that no proxy takes the stream for dead
     */
    public record Stream(@DefaultValue("15s") Duration keepAlive) {

        public Stream {
            requireTime("corral.stream.keep-alive", keepAlive);
        }
    }

    /** The backends by their names, in the order of these; at least one. */
    public Map<String, Upstream> backends() {
        return upstreams.isEmpty()
                ? Map.of(ONLY_UPSTREAM, upstream == null ? Upstream.DEFAULT : upstream.orDefaultPlace())
                : upstreams;
    }

    /** Under which key the settings of one of several guards for images stand. */
    public static String keyOfVision(String name) {
        return "corral.guard.visions." + name;
    }

    /** Under which key the settings of one of the {@link #backends} stand. */
    public String keyOf(String backend) {
        return keyOf(backend, !upstreams.isEmpty());
    }

    private static String keyOf(String backend, boolean several) {
        return several ? "corral.upstreams." + backend : "corral.upstream";
    }

    /**
     * A backend.
     *
     * @param preset what kind it is, such as {@code ollama}; null for {@code openai} where there is a url
     * @param url its base, such as {@code http://localhost:11434/v1}; what follows {@code /v1} in a request is added. Null
     *     for the preset's
     * @param dialect the one API that it speaks: {@code openai}, {@code anthropic} or {@code ollama}; null for those of the
     *     preset. Chats in another are translated
     * @param values what the preset's address leaves open, such as {@code region}
     * @param models names of the models that it serves, with {@code *} for any characters
     * @param weight its share among those that serve the same models; 0 where it only stands in for others
     * @param apiKey what it wants to see; best in the environment, as {@code CORRAL_UPSTREAMS_NAME_API_KEY}
     * @param apiKeyFile a file with that key instead, which is read again when it changes
     * @param clientCredentials whether it is shown those of the client; null for {@code pass} where there is one upstream
     *     and no key, otherwise {@code drop}
     * @param maxTokens the longest answer where the upstream's API wants a limit and a client of another names none
     * @param connectTimeout for a connection
     * @param responseTimeout from the request to the head of the answer
     * @param idleTimeout the longest silence within an answer while the gateway waits for more of it
     * @param maxConnections at the same time; further requests wait for one
     * @param breaker when it is left alone
     */
    public record Upstream(
            @Nullable String preset,
            @Nullable URI url,
            @Nullable ChatApi dialect,
            @DefaultValue Map<String, String> values,
            @DefaultValue("*") List<String> models,
            @DefaultValue("1") int weight,
            @Nullable ApiKey apiKey,
            @Nullable Path apiKeyFile,
            @Nullable ClientCredentials clientCredentials,
            @DefaultValue("4096") int maxTokens,
            @DefaultValue("5s") Duration connectTimeout,
            @DefaultValue("60s") Duration responseTimeout,
            @DefaultValue("60s") Duration idleTimeout,
            @DefaultValue("500") int maxConnections,
            @DefaultValue Breaker breaker) {

        /** Ollama on this machine. */
        static final Upstream DEFAULT = new Upstream(
                "ollama",
                null,
                null,
                Map.of(),
                List.of("*"),
                1,
                null,
                null,
                null,
                4096,
                Duration.ofSeconds(5),
                Duration.ofSeconds(60),
                Duration.ofSeconds(60),
                500,
                new Breaker(20, 50, Duration.ofSeconds(10), 3));

        public Upstream {
            values = Map.copyOf(values);
            models = List.copyOf(models);
        }

        /** Where neither a preset nor a url says where it is, it is Ollama on this machine. */
        private Upstream orDefaultPlace() {
            return preset != null || url != null
                    ? this
                    : new Upstream(
                            DEFAULT.preset,
                            null,
                            dialect,
                            values,
                            models,
                            weight,
                            apiKey,
                            apiKeyFile,
                            clientCredentials,
                            maxTokens,
                            connectTimeout,
                            responseTimeout,
                            idleTimeout,
                            maxConnections,
                            breaker);
        }

        private void check(String key) {
            require(url == null || isBase(url), key + ".url", BASE, String.valueOf(url));
            require(
                    !models.isEmpty() && models.stream().noneMatch(String::isBlank),
                    key + ".models",
                    "names of models, such as llama-3.2-*, or left out for all",
                    models);
            require(weight >= 0 && weight <= 1_000, key + ".weight", "between 0 and 1000", weight);
            require(
                    apiKey == null || apiKeyFile == null,
                    key + ".api-key-file",
                    "left out where " + key + ".api-key is set",
                    String.valueOf(apiKeyFile));
            require(maxTokens >= 1, key + ".max-tokens", "at least 1", maxTokens);
            requireTime(key + ".connect-timeout", connectTimeout);
            requireTime(key + ".response-timeout", responseTimeout);
            requireTime(key + ".idle-timeout", idleTimeout);
            require(maxConnections >= 1, key + ".max-connections", "at least 1", maxConnections);
            breaker.check(key + ".breaker");
        }
    }

    /** What becomes of the credentials that a client sends along. */
    public enum ClientCredentials {
        /** The upstream gets them. */
        PASS,
        /** They end here. */
        DROP
    }

    /**
     * When an upstream is left alone, because it fails.
     *
     * @param requests of which the failures are counted, the latest
     * @param failureRate in percent; from that many on it is left alone
     * @param pause for which it is left alone
     * @param probes requests that then try whether it is well again
     */
    public record Breaker(
            @DefaultValue("20") int requests,
            @DefaultValue("50") int failureRate,
            @DefaultValue("10s") Duration pause,
            @DefaultValue("3") int probes) {

        private void check(String key) {
            require(requests >= 1 && requests <= 10_000, key + ".requests", "between 1 and 10000", requests);
            require(failureRate >= 1 && failureRate <= 100, key + ".failure-rate", "between 1 and 100", failureRate);
            requireTime(key + ".pause", pause);
            require(probes >= 1 && probes <= 1_000, key + ".probes", "between 1 and 1000", probes);
        }
    }

    /**
     * What is known of models by their names, beside what Corral knows of Llama.
     *
     * @param vision names of models that take images, with {@code *} for any characters
     * @param text names of models that take text only; {@code vision} counts more
     */
    public record Models(
            @DefaultValue List<String> vision, @DefaultValue List<String> text) {

        public Models {
            vision = List.copyOf(vision);
            text = List.copyOf(text);
        }
    }

    /**
     * Where policies are.
     *
     * @param file the policy of the default route, and of every {@code Moderate} without a name; null for the built-in one
     * @param directory further policies, one in each {@code .yaml} file, for {@code Moderate=name}; null for none
     */
    public record Policy(@Nullable Path file, @Nullable Path directory) {}

    /**
     * What is kept of each exchange.
     *
     * @param file JSON lines, in a folder that exists; null to keep nothing
     * @param maxFileSize after which it is put aside, and a new one is begun
     * @param queue events that may wait to be written
     * @param onFailure {@code block} to refuse exchanges while events cannot be written, {@code continue} to lose events
     */
    public record Audit(
            @Nullable Path file,
            @DefaultValue("100MB") DataSize maxFileSize,
            @DefaultValue("1024") int queue,
            @DefaultValue("block") OnFailure onFailure) {

        /** What happens to traffic while events cannot be written. */
        public enum OnFailure {
            BLOCK,
            CONTINUE
        }

        public Audit {
            require(maxFileSize.toBytes() >= 1, "corral.audit.max-file-size", "at least 1B", maxFileSize);
            require(queue >= 1, "corral.audit.queue", "at least 1", queue);
        }
    }

    /**
     * Whose traffic an exchange is.
     *
     * @param header in which a trusted proxy names the tenant, such as {@code x-tenant}; null where nobody does, and what
     *     clients send is not looked at
     */
    public record Tenant(@Nullable String header) {

        public Tenant {
            require(
                    header == null || header.matches("[A-Za-z0-9-]+"),
                    "corral.tenant.header",
                    "the name of a header: letters, digits and hyphens",
                    String.valueOf(header));
        }
    }

    /**
     * Who judges.
     *
     * @param directory as {@code corral quantize} writes it; null for the built-in starter guard
     * @param hazards which hazards of an unsafe text are told: {@code first} or {@code all}
     * @param lanes texts that are judged at the same time; 0 for half the processors
     * @param threads of one lane; 0 for what the processors allow, at most 4
     * @param queue texts that may wait for a lane; further ones have no verdict, and the policy decides
     * @param cacheSize memory for verdicts of texts seen before; 0 remembers none
     * @param prefixCacheSize memory, outside of the Java heap, for what the guard has read of conversations, so that a next
     *     turn or a next window costs what is new in it; 0 keeps of each lane only what it read last. A token takes 18 kB
     *     with the starter guard and 64 kB with Llama Guard 3 1B
     * @param provider what computes: {@code cpu}, or {@code cuda} for an NVIDIA GPU, for which Corral must be started with
     *     {@code --gpu}
     * @param vision who judges images
     * @param visions further guards for images, by the names that policies use them by
     * @param remote a guard on a server in place of one here; null for none
     */
    public record Guard(
            @Nullable Path directory,
            @DefaultValue("first") NamedHazards hazards,
            @DefaultValue("0") int lanes,
            @DefaultValue("0") int threads,
            @DefaultValue("256") int queue,
            @DefaultValue("32MB") DataSize cacheSize,
            @DefaultValue("256MB") DataSize prefixCacheSize,
            @DefaultValue("cpu") Provider provider,
            @DefaultValue Vision vision,
            @DefaultValue Map<String, Vision> visions,
            @Nullable Remote remote) {

        public Guard {
            visions = Collections.unmodifiableSortedMap(new TreeMap<>(visions));
            vision.check(VISION);
            visions.forEach((name, each) -> {
                require(
                        NAME.matcher(name).matches(),
                        "the name of a guard for images",
                        "a small letter, then small letters, digits and hyphens, at most 63",
                        name);
                require(
                        each.directory != null || each.remote != null,
                        keyOfVision(name),
                        "a guard, by its directory or remote",
                        "neither");
                each.check(keyOfVision(name));
            });
            require(lanes >= 0 && lanes <= 1_024, "corral.guard.lanes", "between 0 and 1024", lanes);
            require(threads >= 0 && threads <= 1_024, "corral.guard.threads", "between 0 and 1024", threads);
            require(queue >= 1, "corral.guard.queue", "at least 1", queue);
            require(!cacheSize.isNegative(), "corral.guard.cache-size", "0 or more", cacheSize);
            require(!prefixCacheSize.isNegative(), "corral.guard.prefix-cache-size", "0 or more", prefixCacheSize);
            if (remote != null) {
                String rule = "left out where corral.guard.remote is set: there is one guard";
                require(directory == null, "corral.guard.directory", rule, String.valueOf(directory));
                String instead = "left out where corral.guard.remote is set: its connections are the lanes";
                require(lanes == 0, "corral.guard.lanes", instead, lanes);
                require(threads == 0, "corral.guard.threads", instead, threads);
            }
        }
    }

    /**
     * Who judges images, beside the guard that reads the text of the same request. Without one images are unscanned.
     *
     * @param directory of a guard that sees, as {@code corral quantize} makes it of Llama Guard 3 11B Vision; null for none
     * @param threads of its one lane; 0 for all processors
     * @param queue requests with images that may wait for it
     * @param timeout for all images of a request, where the policy names none
     * @param imageCacheSize memory, outside of the Java heap, for what was made of images, so that another turn about the
     *     same image does not look at it again; an image of Llama Guard 3 11B Vision takes 420 MB
     * @param prefixCacheSize memory, outside of the Java heap, for what was read about images; a token of that guard takes
     *     256 kB
     * @param remote a guard on a server in place of one here; null for none
     */
    public record Vision(
            @Nullable Path directory,
            @DefaultValue("0") int threads,
            @DefaultValue("32") int queue,
            @DefaultValue("5m") Duration timeout,
            @DefaultValue("1GB") DataSize imageCacheSize,
            @DefaultValue("256MB") DataSize prefixCacheSize,
            @Nullable VisionRemote remote) {

        private void check(String key) {
            require(threads >= 0 && threads <= 1_024, key + ".threads", "between 0 and 1024", threads);
            require(queue >= 1, key + ".queue", "at least 1", queue);
            requireTime(key + ".timeout", timeout);
            require(!imageCacheSize.isNegative(), key + ".image-cache-size", "0 or more", imageCacheSize);
            require(!prefixCacheSize.isNegative(), key + ".prefix-cache-size", "0 or more", prefixCacheSize);
            if (remote != null) {
                require(
                        directory == null,
                        key + ".directory",
                        "left out where " + key + ".remote is set: there is one guard for images",
                        String.valueOf(directory));
                remote.check(key + ".remote.");
            }
        }
    }

    /**
     * A guard for images on a server that speaks OpenAI's chat API, such as vLLM. It is sent one image at a time, inline.
     *
     * @param url the server's base, such as {@code http://localhost:8000/v1}
     * @param model the name that the server knows the guard by
     * @param family {@code llama-guard-3}, or {@code llama-guard-3-8b} for Llama Guard 4, which has its hazards
     * @param apiKey what the server wants to see
     * @param apiKeyFile a file with that key instead
     * @param connectTimeout for a connection
     * @param connections requests at the same time
     * @param contextTokens the longest prompt that the server takes, the image left aside
     * @param topLogprobs alternatives asked for with each token, from which probabilities come; 0 for a bare verdict
     * @param threshold for P(unsafe), where a policy names none
     */
    public record VisionRemote(
            @Nullable URI url,
            @Nullable String model,
            @DefaultValue("llama-guard-3") String family,
            @Nullable ApiKey apiKey,
            @Nullable Path apiKeyFile,
            @DefaultValue("2s") Duration connectTimeout,
            @DefaultValue("4") int connections,
            @DefaultValue("8192") int contextTokens,
            @DefaultValue("20") int topLogprobs,
            @DefaultValue("0.5") double threshold) {

        private void check(String key) {
            require(url != null && isBase(url), key + "url", BASE, String.valueOf(url));
            require(
                    model != null && !model.isBlank(),
                    key + "model",
                    "the name that the server knows the guard by, such as meta-llama/Llama-Guard-3-11B-Vision",
                    String.valueOf(model));
            require(
                    apiKey == null || apiKeyFile == null,
                    key + "api-key-file",
                    "left out where " + key + "api-key is set",
                    String.valueOf(apiKeyFile));
            requireTime(key + "connect-timeout", connectTimeout);
            require(connections >= 1 && connections <= 1_024, key + "connections", "between 1 and 1024", connections);
            require(contextTokens >= 1, key + "context-tokens", "at least 1", contextTokens);
            require(topLogprobs >= 0 && topLogprobs <= 100, key + "top-logprobs", "between 0 and 100", topLogprobs);
            require(threshold > 0 && threshold <= 1, key + "threshold", "above 0 and at most 1", threshold);
        }
    }

    /**
     * Images in requests. Whether any are fetched, and from whom, the policy says.
     *
     * @param maxPerRequest images of one request; further ones are not judged, and the policy decides
     * @param maxSize the longest file that is fetched
     * @param fetchTimeout for one file, redirects included
     */
    public record Images(
            @DefaultValue("16") int maxPerRequest,
            @DefaultValue("8MB") DataSize maxSize,
            @DefaultValue("10s") Duration fetchTimeout) {

        public Images {
            require(
                    maxPerRequest >= 0 && maxPerRequest <= 1_024,
                    "corral.images.max-per-request",
                    "between 0 and 1024",
                    maxPerRequest);
            requireSize("corral.images.max-size", maxSize);
            requireTime("corral.images.fetch-timeout", fetchTimeout);
        }
    }

    /**
     * A guard on a server that speaks OpenAI's API.
     *
     * @param url the server's base, such as {@code http://localhost:8000/v1}
     * @param model the name that the server knows the guard by
     * @param api {@code completions} where the server takes raw prompts (vLLM, llama.cpp), {@code chat} for all others
     *     (Ollama, TGI), where the model's own chat template asks
     * @param family {@code llama-guard-3} or {@code llama-guard-3-8b}
     * @param hazardsFile what a guard with hazards of its own tells apart; null for those of the family
     * @param apiKey what the server wants to see; best in the environment, as {@code CORRAL_GUARD_REMOTE_API_KEY}
     * @param apiKeyFile a file with that key instead
     * @param connectTimeout for a connection
     * @param timeout from a request to the end of its answer
     * @param connections requests at the same time
     * @param contextTokens the longest prompt that the server takes; longer texts are judged in chunks
     * @param topLogprobs alternatives asked for with each token, from which probabilities come; 0 for a bare verdict
     * @param threshold for P(unsafe), where a policy names none
     */
    public record Remote(
            @Nullable URI url,
            @Nullable String model,
            @Nullable Api api,
            @DefaultValue("llama-guard-3") String family,
            @Nullable Path hazardsFile,
            @Nullable ApiKey apiKey,
            @Nullable Path apiKeyFile,
            @DefaultValue("2s") Duration connectTimeout,
            @DefaultValue("30s") Duration timeout,
            @DefaultValue("16") int connections,
            @DefaultValue("8192") int contextTokens,
            @DefaultValue("20") int topLogprobs,
            @DefaultValue("0.5") double threshold) {

        public Remote {
            require(url != null && isBase(url), "corral.guard.remote.url", BASE, String.valueOf(url));
            require(
                    model != null && !model.isBlank(),
                    "corral.guard.remote.model",
                    "the name that the server knows the guard by, such as meta-llama/Llama-Guard-3-1B",
                    String.valueOf(model));
            require(
                    api != null,
                    "corral.guard.remote.api",
                    "completions (vLLM, llama.cpp) or chat (Ollama, TGI, any other)",
                    String.valueOf(api));
            require(
                    apiKey == null || apiKeyFile == null,
                    "corral.guard.remote.api-key-file",
                    "left out where corral.guard.remote.api-key is set",
                    String.valueOf(apiKeyFile));
            requireTime("corral.guard.remote.connect-timeout", connectTimeout);
            requireTime("corral.guard.remote.timeout", timeout);
            require(
                    connections >= 1 && connections <= 1_024,
                    "corral.guard.remote.connections",
                    "between 1 and 1024",
                    connections);
            require(contextTokens >= 1, "corral.guard.remote.context-tokens", "at least 1", contextTokens);
            require(
                    topLogprobs >= 0 && topLogprobs <= 100,
                    "corral.guard.remote.top-logprobs",
                    "between 0 and 100",
                    topLogprobs);
            require(
                    threshold > 0 && threshold <= 1,
                    "corral.guard.remote.threshold",
                    "above 0 and at most 1",
                    threshold);
        }
    }

    private static boolean isBase(URI url) {
        return ("http".equals(url.getScheme()) || "https".equals(url.getScheme()))
                && url.getHost() != null
                && url.getQuery() == null
                && url.getFragment() == null
                && url.getUserInfo() == null;
    }

    private static void requireSize(String key, DataSize size) {
        require(size.toBytes() >= 1 && size.compareTo(LARGEST) <= 0, key, "between 1B and 1GB", size);
    }

    private static void requireTime(String key, Duration time) {
        require(time.isPositive() && time.toDays() < 1, key, "longer than 0 and shorter than a day", time);
    }

    private static void require(boolean holds, String key, String rule, Object value) {
        if (!holds) {
            throw new IllegalArgumentException(key + " must be " + rule + ": " + value);
        }
    }
}
