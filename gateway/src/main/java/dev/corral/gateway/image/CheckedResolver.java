package dev.corral.gateway.image;

import io.netty.resolver.AbstractAddressResolver;
import io.netty.resolver.AddressResolver;
import io.netty.resolver.AddressResolverGroup;
import io.netty.util.concurrent.EventExecutor;
import io.netty.util.concurrent.Promise;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.function.Predicate;

/**
 * Resolves a host once for one connection, and only if every one of its addresses may be connected to. What is connected to
 * is what was checked: nobody asks for the name a second time, so an answer that changes between two questions changes
 * nothing.
 */
final class CheckedResolver extends AddressResolverGroup<InetSocketAddress> {

    /** A host of which an address is not public. */
    static final class NotPublic extends Exception {

        NotPublic(String host) {
            super(host);
        }
    }

    private final AddressResolverGroup<InetSocketAddress> names;
    private final Predicate<InetAddress> allowed;

    CheckedResolver(AddressResolverGroup<InetSocketAddress> names, Predicate<InetAddress> allowed) {
        this.names = names;
        this.allowed = allowed;
    }

    @Override
    protected AddressResolver<InetSocketAddress> newResolver(EventExecutor executor) {
        return new Checking(executor);
    }

    private final class Checking extends AbstractAddressResolver<InetSocketAddress> {

        private final EventExecutor executor;

        Checking(EventExecutor executor) {
            super(executor, InetSocketAddress.class);
            this.executor = executor;
        }

        /** Never, so that an address that stands in the URL itself is checked, too. */
        @Override
        protected boolean doIsResolved(InetSocketAddress address) {
            return false;
        }

        @Override
        protected void doResolve(InetSocketAddress host, Promise<InetSocketAddress> promise) {
            Promise<List<InetSocketAddress>> all = executor.newPromise();
            all.addListener(_ -> {
                if (all.isSuccess()) {
                    promise.trySuccess(all.getNow().getFirst());
                } else {
                    promise.tryFailure(all.cause());
                }
            });
            doResolveAll(host, all);
        }

        @Override
        protected void doResolveAll(InetSocketAddress host, Promise<List<InetSocketAddress>> promise) {
            if (!host.isUnresolved()) {
                check(host.getHostString(), List.of(host), promise);
                return;
            }
            names.getResolver(executor).resolveAll(host).addListener(resolved -> {
                if (resolved.isSuccess()) {
                    @SuppressWarnings("unchecked") // what resolveAll promises; the listener has lost it
                    List<InetSocketAddress> addresses = (List<InetSocketAddress>) resolved.getNow();
                    check(host.getHostString(), addresses, promise);
                } else {
                    promise.tryFailure(resolved.cause());
                }
            });
        }

        private void check(String host, List<InetSocketAddress> addresses, Promise<List<InetSocketAddress>> promise) {
            if (!addresses.isEmpty()
                    && addresses.stream().map(InetSocketAddress::getAddress).allMatch(allowed)) {
                promise.trySuccess(addresses);
            } else {
                promise.tryFailure(new NotPublic(host));
            }
        }
    }
}
