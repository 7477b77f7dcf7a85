package dev.corral.gateway.image;

import io.netty.resolver.AddressResolver;
import io.netty.resolver.AddressResolverGroup;
import io.netty.resolver.InetNameResolver;
import io.netty.util.concurrent.EventExecutor;
import io.netty.util.concurrent.Promise;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;

/** Names that resolve to what a test says, first to the first answer, and so on; the last one stays. */
final class ScriptedNames extends AddressResolverGroup<InetSocketAddress> {

    final List<String> asked = new CopyOnWriteArrayList<>();
    private final Map<String, Deque<List<InetAddress>>> answers = new ConcurrentHashMap<>();

    /** The next answer for a host. */
    ScriptedNames answer(String host, String... addresses) {
        answers.computeIfAbsent(host, _ -> new ArrayDeque<>())
                .add(Arrays.stream(addresses).map(ScriptedNames::address).toList());
        return this;
    }

    private static InetAddress address(String literal) {
        try {
            return InetAddress.getByName(literal);
        } catch (UnknownHostException e) {
            throw new IllegalArgumentException(e);
        }
    }

    @Override
    protected AddressResolver<InetSocketAddress> newResolver(EventExecutor executor) {
        return new InetNameResolver(executor) {
            @Override
            protected void doResolve(String host, Promise<InetAddress> promise) {
                promise.setFailure(new UnsupportedOperationException("all addresses are to be checked"));
            }

            @Override
            protected void doResolveAll(String host, Promise<List<InetAddress>> promise) {
                asked.add(host);
                Deque<List<InetAddress>> left = answers.get(host);
                if (left == null) {
                    promise.setFailure(new UnknownHostException(host));
                } else {
                    promise.setSuccess(left.size() == 1 ? left.getFirst() : left.removeFirst());
                }
            }
        }.asAddressResolver();
    }
}
