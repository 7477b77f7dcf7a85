package dev.corral.gateway.moderation;

import dev.corral.gateway.configuration.CorralProperties;
import dev.corral.guardmodels.guard.CachingGuard;
import dev.corral.guardmodels.guard.Guard;
import dev.corral.guardmodels.guard.OnnxGuard;
import dev.corral.guardmodels.onnx.ModelException;
import dev.corral.guardmodels.onnx.Resources;
import dev.corral.guardmodels.store.GuardStore;
import dev.corral.guardmodels.store.UnusableGuardException;
import io.micrometer.core.instrument.MeterRegistry;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.boot.diagnostics.FailureAnalyzedException;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;

/** The guard. */
@Configuration(proxyBeanMethods = false)
public class GuardConfiguration {

    private static final int MAX_THREADS_OF_A_LANE = 4;

    @Bean(destroyMethod = "") // closed by the reactive guard, after the last assessment
    @ConditionalOnMissingBean
    Guard guard(CorralProperties properties) {
        @Nullable Path directory = properties.guard().directory();
        int lanes = lanes(properties);
        try {
            return OnnxGuard.load(
                    directory == null ? GuardStore.starter() : GuardStore.open(directory),
                    new Resources(
                            lanes,
                            threads(properties, lanes),
                            properties.guard().prefixCacheSize().toBytes()));
        } catch (UnusableGuardException | ModelException e) {
            throw new FailureAnalyzedException(
                    "The guard cannot be used: " + e.getMessage() + ".",
                    directory == null
                            ? "Build Corral again, or give another guard with --guard DIR."
                            : "Give a directory that './corral quantize' wrote with --guard DIR (corral.guard.directory),"
                                    + " or leave it out for the built-in guard.",
                    e);
        }
    }

    @Bean
    ReactiveGuard reactiveGuard(Guard guard, CorralProperties properties, MeterRegistry metrics) {
        return new ReactiveGuard(
                new CachingGuard(guard, properties.guard().cacheSize().toBytes()),
                lanes(properties),
                properties.guard().queue(),
                new GuardMetrics(metrics));
    }

    private static int lanes(CorralProperties properties) {
        int lanes = properties.guard().lanes();
        return lanes > 0 ? lanes : Math.max(1, processors() / 2);
    }

    private static int threads(CorralProperties properties, int lanes) {
        int threads = properties.guard().threads();
        return threads > 0 ? threads : Math.clamp(processors() / lanes, 1, MAX_THREADS_OF_A_LANE);
    }

    private static int processors() {
        return Runtime.getRuntime().availableProcessors();
    }
}
