package dev.corral.gateway.configuration;

import java.net.InetAddress;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
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
 */
@ConfigurationProperties("corral")
public record CorralProperties(
        @DefaultValue("127.0.0.1") InetAddress address,
        @DefaultValue("8080") int port,
        @DefaultValue("8MB") DataSize maxRequestSize,
        @DefaultValue("8MB") DataSize maxAnswerSize,
        @DefaultValue Upstream upstream,
        @DefaultValue Policy policy,
        @DefaultValue Guard guard) {

    private static final DataSize LARGEST = DataSize.ofGigabytes(1);

    public CorralProperties {
        require(port >= 0 && port <= 65_535, "corral.port", "between 0 and 65535", port);
        requireSize("corral.max-request-size", maxRequestSize);
        requireSize("corral.max-answer-size", maxAnswerSize);
    }

    /**
     * The backend of the default route.
     *
     * @param url its base, such as {@code http://localhost:11434/v1}; what follows {@code /v1} in a request is added
     * @param connectTimeout for a connection
     * @param responseTimeout from the request to the head of the answer
     * @param idleTimeout the longest silence within an answer while the gateway waits for more of it
     * @param maxConnections to each backend; further requests wait for one
     */
    public record Upstream(
            @DefaultValue("http://localhost:11434/v1") URI url,
            @DefaultValue("5s") Duration connectTimeout,
            @DefaultValue("60s") Duration responseTimeout,
            @DefaultValue("60s") Duration idleTimeout,
            @DefaultValue("500") int maxConnections) {

        public Upstream {
            require(
                    ("http".equals(url.getScheme()) || "https".equals(url.getScheme()))
                            && url.getHost() != null
                            && url.getQuery() == null
                            && url.getFragment() == null
                            && url.getUserInfo() == null,
                    "corral.upstream.url",
                    "an address such as http://localhost:11434/v1, without user, query or fragment",
                    url);
            requireTime("corral.upstream.connect-timeout", connectTimeout);
            requireTime("corral.upstream.response-timeout", responseTimeout);
            requireTime("corral.upstream.idle-timeout", idleTimeout);
            require(maxConnections >= 1, "corral.upstream.max-connections", "at least 1", maxConnections);
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
     * Who judges.
     *
     * @param directory as {@code corral quantize} writes it; null for the built-in starter guard
     * @param lanes texts that are judged at the same time; 0 for half the processors
     * @param threads of one lane; 0 for what the processors allow, at most 4
     * @param queue texts that may wait for a lane; further ones have no verdict, and the policy decides
     * @param cacheSize memory for verdicts of texts seen before; 0 remembers none
     * @param prefixCacheSize memory, outside of the Java heap, for what the guard has read of conversations, so that a next
     *     turn or a next window costs what is new in it; 0 keeps of each lane only what it read last. A token takes 18 kB
     *     with the starter guard and 64 kB with Llama Guard 3 1B
     */
    public record Guard(
            @Nullable Path directory,
            @DefaultValue("0") int lanes,
            @DefaultValue("0") int threads,
            @DefaultValue("256") int queue,
            @DefaultValue("32MB") DataSize cacheSize,
            @DefaultValue("256MB") DataSize prefixCacheSize) {

        public Guard {
            require(lanes >= 0 && lanes <= 1_024, "corral.guard.lanes", "between 0 and 1024", lanes);
            require(threads >= 0 && threads <= 1_024, "corral.guard.threads", "between 0 and 1024", threads);
            require(queue >= 1, "corral.guard.queue", "at least 1", queue);
            require(!cacheSize.isNegative(), "corral.guard.cache-size", "0 or more", cacheSize);
            require(!prefixCacheSize.isNegative(), "corral.guard.prefix-cache-size", "0 or more", prefixCacheSize);
        }
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
