package dev.corral.gateway.image;

import dev.corral.guardmodels.conversation.Image;
import dev.corral.guardmodels.image.ImageFormat;
import dev.corral.policies.policy.ImageUse;
import io.netty.channel.ChannelOption;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaders;
import io.netty.resolver.AddressResolverGroup;
import java.io.ByteArrayOutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.URISyntaxException;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;
import reactor.core.publisher.Mono;
import reactor.netty.ByteBufFlux;
import reactor.netty.http.HttpResources;
import reactor.netty.http.client.HttpClient;
import reactor.netty.http.client.HttpClientResponse;
import reactor.netty.resources.ConnectionProvider;
import reactor.netty.tcp.SslProvider;

/** Fetches images for strangers. */
public final class ImageFetcher {

    /*
     * The client names an address, and the gateway goes there from inside of somebody's network: what it must not be is a
     * way in. So, for the first address and for each that a redirect names:
     * - only https, on its own port, without a user's name, at a host that the policy allows;
     * - the host is resolved once, all its addresses must be public, and the connection goes to one of these (see
     *   CheckedResolver): a name with one private address, or one that resolves to something else the second time, leads
     *   nowhere;
     * - every connection is new, and none is kept: a connection that was checked for one policy is not used under another;
     * - nothing of the client's request is sent along, no proxy is asked, and certificates are verified.
     * What comes back must call itself an image and be one by its first bytes, and neither be long nor take long. Reasons
     * name the rule; what a server inside answered, or whether there is one, is not told to the client.
     */

    /**
     * What a test may change: everything else is as it is in production.
     *
     * @param trust whose certificates count; empty for the authorities that Java trusts
     */
    record Rules(
            String scheme,
            int port,
            Predicate<InetAddress> addresses,
            Optional<Consumer<SslProvider.SslContextSpec>> trust) {

        static final Rules PUBLIC = new Rules("https", 443, AddressBlock::isPublic, Optional.empty());
    }

    private static final String FAILED = "its address could not be fetched";

    /** Ends the fetching of an image; the message is the reason. */
    private static final class Refused extends RuntimeException {

        Refused(String why) {
            super(why, null, false, false);
        }
    }

    private final HttpClient client;
    private final FetchLimits limits;
    private final Rules rules;

    /** A fetcher on the public internet. */
    @SuppressWarnings("unchecked") // the client's own resolver is one of hosts, whatever its type says
    public ImageFetcher(FetchLimits limits) {
        this(limits, Rules.PUBLIC, (AddressResolverGroup<InetSocketAddress>)
                HttpResources.get().getOrCreateDefaultResolver());
    }

    ImageFetcher(FetchLimits limits, Rules rules, AddressResolverGroup<InetSocketAddress> names) {
        this.limits = limits;
        this.rules = rules;
        HttpClient plain = HttpClient.create(ConnectionProvider.newConnection())
                .resolver(new CheckedResolver(names, rules.addresses))
                .noProxy()
                .disableRetry(true)
                .followRedirect(false)
                .responseTimeout(limits.timeout())
                .option(
                        ChannelOption.CONNECT_TIMEOUT_MILLIS,
                        Math.toIntExact(limits.timeout().toMillis()))
                .headers(headers -> headers.set(HttpHeaderNames.USER_AGENT, "corral")
                        .set(HttpHeaderNames.ACCEPT, "image/*")
                        .set(HttpHeaderNames.ACCEPT_ENCODING, "identity"));
        this.client = rules.trust.map(plain::secure).orElse(plain);
    }

    /** The file at an address, or why there is none; never an error. */
    Mono<Image> fetch(String url, ImageUse use) {
        return Mono.defer(() -> fetch(uri(url), use, 0))
                .timeout(limits.timeout())
                .onErrorResume(Exception.class, failure -> Mono.just(new Image.Unavailable(reason(failure))));
    }

    private static URI uri(String url) {
        try {
            return new URI(url);
        } catch (URISyntaxException _) {
            throw new Refused("its address is no URL");
        }
    }

    private Mono<Image> fetch(URI uri, ImageUse use, int redirects) {
        check(uri, use);
        return client.get()
                .uri(uri)
                .response((response, body) -> step(uri, response, body))
                .next()
                .flatMap(step -> switch (step) {
                    case Step.Arrived arrived -> Mono.just(image(arrived.file));
                    case Step.Redirect _
                    when redirects == limits.maxRedirects() ->
                        Mono.error(new Refused("its address redirects more than " + limits.maxRedirects() + " times"));
                    case Step.Redirect redirect -> fetch(redirect.to, use, redirects + 1);
                });
    }

    private Mono<Step> step(URI uri, HttpClientResponse response, ByteBufFlux body) {
        try {
            if (isRedirect(response.status().code())) {
                URI location = location(uri, response);
                discard(body);
                return Mono.just(new Step.Redirect(location));
            }
            check(response);
            return read(body).map(Step.Arrived::new);
        } catch (Refused e) {
            discard(body);
            return Mono.error(e);
        }
    }

    /** What has arrived of it is let go of, and the connection is closed. */
    private static void discard(ByteBufFlux body) {
        body.subscribe(_ -> {}, _ -> {}).dispose();
    }

    private sealed interface Step {

        @SuppressWarnings("ArrayRecordComponent") // on its way
        record Arrived(byte[] file) implements Step {}

        record Redirect(URI to) implements Step {}
    }

    private void check(URI uri, ImageUse use) {
        String scheme = String.valueOf(uri.getScheme()).toLowerCase(Locale.ROOT);
        if (!scheme.equals(rules.scheme)) {
            throw new Refused("only " + rules.scheme + ": and data: addresses are fetched, not "
                    + (uri.getScheme() == null ? "one without a scheme" : scheme + ":"));
        }
        String host = uri.getHost();
        if (host == null || uri.getRawUserInfo() != null) {
            throw new Refused("its address must have a host, and no user");
        }
        if (uri.getPort() != -1 && uri.getPort() != rules.port) {
            throw new Refused("its address has port " + uri.getPort() + ", and only " + rules.port + " is used");
        }
        if (!use.allows(host.endsWith(".") ? host.substring(0, host.length() - 1) : host)) {
            throw new Refused("the policy does not allow images of this host to be fetched");
        }
    }

    private static boolean isRedirect(int status) {
        return List.of(301, 302, 303, 307, 308).contains(status);
    }

    private static URI location(URI from, HttpClientResponse response) {
        String location = response.responseHeaders().get(HttpHeaderNames.LOCATION);
        if (location == null) {
            throw new Refused(FAILED);
        }
        return from.resolve(uri(location));
    }

    private void check(HttpClientResponse response) {
        if (response.status().code() != 200) {
            throw new Refused(FAILED);
        }
        HttpHeaders headers = response.responseHeaders();
        if (!isImage(headers.get(HttpHeaderNames.CONTENT_TYPE))) {
            throw new Refused("what its address leads to does not call itself an image");
        }
        String encoding = headers.get(HttpHeaderNames.CONTENT_ENCODING, "identity");
        if (!encoding.equalsIgnoreCase("identity")) {
            throw new Refused("what its address leads to is compressed");
        }
        String length = headers.get(HttpHeaderNames.CONTENT_LENGTH);
        if (length != null && Long.parseLong(length) > limits.maxBytes()) {
            throw tooLong();
        }
    }

    private static boolean isImage(@Nullable String contentType) {
        return contentType != null && contentType.toLowerCase(Locale.ROOT).startsWith("image/");
    }

    private Mono<byte[]> read(ByteBufFlux body) {
        return body.asByteArray()
                .collect(ByteArrayOutputStream::new, (whole, chunk) -> {
                    if (whole.size() + (long) chunk.length > limits.maxBytes()) {
                        throw tooLong();
                    }
                    whole.writeBytes(chunk);
                })
                .map(ByteArrayOutputStream::toByteArray);
    }

    private Refused tooLong() {
        return new Refused("what its address leads to has more than " + limits.maxBytes() + " bytes");
    }

    private static Image image(byte[] file) {
        if (ImageFormat.of(file).isEmpty()) {
            throw new Refused("what its address leads to is no image that can be judged: PNG, JPEG, WebP, GIF or BMP");
        }
        return Image.File.of(file);
    }

    private String reason(Throwable failure) {
        for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
            switch (cause) {
                case Refused refused -> {
                    return Objects.requireNonNull(refused.getMessage());
                }
                case CheckedResolver.NotPublic _ -> {
                    return "its host is not on the public internet";
                }
                case TimeoutException _ -> {
                    return "its address did not answer in full within "
                            + limits.timeout().toMillis() + " ms";
                }
                default -> {
                    // the cause may be more to the point
                }
            }
        }
        return FAILED;
    }
}
