package dev.corral.gateway.moderation;

import dev.corral.gateway.configuration.CorralProperties;
import dev.corral.guardmodels.guard.CachingGuard;
import dev.corral.guardmodels.guard.Guard;
import dev.corral.guardmodels.guard.OnnxGuard;
import dev.corral.guardmodels.onnx.ModelException;
import dev.corral.guardmodels.onnx.Resources;
import dev.corral.guardmodels.store.GuardDirectory;
import dev.corral.guardmodels.store.GuardStore;
import dev.corral.guardmodels.store.UnusableGuardException;
import io.micrometer.core.instrument.MeterRegistry;
import java.nio.file.Path;
import java.util.Optional;
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
        CorralProperties.Remote remote = properties.guard().remote();
        return remote == null
                ? local(properties)
                : RemoteGuardConfiguration.guard(remote, properties.guard().hazards());
    }

    private static Guard local(CorralProperties properties) {
        @Nullable Path directory = properties.guard().directory();
        int lanes = lanes(properties);
        try {
            GuardDirectory files = directory == null ? GuardStore.starter() : GuardStore.open(directory);
            return OnnxGuard.load(
                    files.naming(properties.guard().hazards()),
                    new Resources(
                            lanes,
                            threads(properties, lanes),
                            properties.guard().prefixCacheSize().toBytes(),
                            properties.guard().provider()));
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

    /** The guard that sees images, if the settings name one. */
    @Bean
    @ConditionalOnMissingBean
    Eyes eyes(CorralProperties properties) {
        CorralProperties.Vision vision = properties.guard().vision();
        if (vision.remote() != null) {
            return new Eyes(Optional.of(
                    RemoteGuardConfiguration.vision(vision, properties.guard().hazards())));
        }
        return new Eyes(Optional.ofNullable(vision.directory()).map(directory -> seeing(directory, properties)));
    }

    private static Guard seeing(Path directory, CorralProperties properties) {
        CorralProperties.Vision vision = properties.guard().vision();
        try {
            return OnnxGuard.seeing(
                    GuardStore.open(directory).naming(properties.guard().hazards()),
                    new Resources(
                            1,
                            vision.threads() > 0 ? vision.threads() : processors(),
                            vision.prefixCacheSize().toBytes(),
                            properties.guard().provider()),
                    vision.imageCacheSize().toBytes());
        } catch (UnusableGuardException | ModelException e) {
            throw new FailureAnalyzedException(
                    "The guard for images cannot be used: " + e.getMessage() + ".",
                    "Give a directory that './corral quantize' made of Llama Guard 3 11B Vision as"
                            + " corral.guard.vision.directory, or leave it out: images are then unscanned.",
                    e);
        }
    }

    @Bean
    Panel panel(ReactiveGuard guard, Eyes eyes, CorralProperties properties, MeterRegistry metrics) {
        CorralProperties.Vision vision = properties.guard().vision();
        CorralProperties.VisionRemote remote = vision.remote();
        Optional<ReactiveGuard> seeing = eyes.guard()
                .map(found -> new ReactiveGuard(
                        new CachingGuard(found, properties.guard().cacheSize().toBytes()),
                        remote == null ? 1 : remote.connections(),
                        vision.queue(),
                        new GuardMetrics(metrics)));
        return new Panel(guard, seeing, vision.timeout());
    }

    private static int lanes(CorralProperties properties) {
        CorralProperties.Remote remote = properties.guard().remote();
        if (remote != null) {
            return remote.connections();
        }
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
