package dev.corral.gateway.exchange;

import dev.corral.gateway.dialect.DialectException;
import dev.corral.gateway.dialect.GatewayError;
import java.util.List;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.springframework.web.server.ServerWebExchange;
import org.springframework.web.server.WebFilter;
import org.springframework.web.server.WebFilterChain;
import reactor.core.publisher.Mono;

/**
 * Takes the tenant's name from a header that a trusted proxy sets. Whoever can reach the gateway past that proxy can be any
 * tenant, so nothing is taken unless a header is named.
 */
public final class TenantHeader implements WebFilter {

    private static final Pattern NAME = Pattern.compile("[A-Za-z0-9][A-Za-z0-9._-]{0,127}");

    private final @Nullable String header;
    private final ErrorResponses errors;

    /**
     * A filter for all exchanges.
     *
     * @param header null to take no header
     */
    public TenantHeader(@Nullable String header, ErrorResponses errors) {
        this.header = header;
        this.errors = errors;
    }

    @Override
    public Mono<Void> filter(ServerWebExchange exchange, WebFilterChain chain) {
        if (header == null) {
            return chain.filter(exchange);
        }
        List<String> values = exchange.getRequest().getHeaders().getValuesAsList(header);
        if (values.isEmpty()) {
            return chain.filter(exchange);
        }
        String tenant = values.getFirst();
        if (values.size() > 1 || !NAME.matcher(tenant).matches()) {
            return errors.handle(exchange, new DialectException(invalid(header)));
        }
        exchange.getAttributes().put(ModeratedExchange.TENANT, tenant);
        return chain.filter(exchange);
    }

    private static GatewayError invalid(String header) {
        return new GatewayError(
                400,
                "invalid_request_error",
                "invalid_tenant",
                null,
                "the header '" + header
                        + "' must name one tenant, by at most 128 letters, digits, dots, hyphens and underscores, the first"
                        + " a letter or digit",
                null);
    }
}
