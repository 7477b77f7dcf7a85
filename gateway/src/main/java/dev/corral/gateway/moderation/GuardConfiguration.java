package dev.corral.gateway.moderation;

import dev.corral.gateway.configuration.CorralProperties;
import dev.corral.guardmodels.guard.CachingGuard;
import dev.corral.guardmodels.guard.Guard;
import dev.corral.guardmodels.guard.OnnxGuard;
import dev.corral.guardmodels.guard.VisionGuard;
import dev.corral.guardmodels.onnx.ModelException;
import dev.corral.guardmodels.onnx.Provider;
import dev.corral.guardmodels.onnx.Resources;
import dev.corral.guardmodels.store.GuardDirectory;
import dev.corral.guardmodels.store.GuardStore;
import dev.corral.guardmodels.store.UnusableGuardException;
import io.micrometer.core.instrument.MeterRegistry;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
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
                    advice(e, directory, properties.guard().provider()),
                    e);
        }
    }

    private static String advice(RuntimeException failure, @Nullable Path directory, Provider provider) {
        if (provider == Provider.CUDA && failure instanceof ModelException) {
            return "See to CUDA 12, cuDNN 9 and the driver of the GPU, or start without --gpu (corral.guard.provider: cpu).";
        }
        return directory == null
                ? "Build Corral again, or give another guard with --guard DIR."
                : "Give a directory that './corral quantize' wrote with --guard DIR (corral.guard.directory), or leave it out"
                        + " for the built-in guard.";
    }

    @Bean
    ReactiveGuard reactiveGuard(Guard guard, CorralProperties properties, MeterRegistry metrics) {
        return new ReactiveGuard(
                new CachingGuard(guard, properties.guard().cacheSize().toBytes()),
                lanes(properties),
                properties.guard().queue(),
                new GuardMetrics(metrics));
    }

    /** The guards that see images, if the settings name any. */
    @Bean
    @ConditionalOnMissingBean
    Eyes eyes(CorralProperties properties) {
        Map<String, Guard> further = new LinkedHashMap<>();
        properties
                .guard()
                .visions()
                .forEach((name, vision) -> sees(vision, CorralProperties.keyOfVision(name), properties)
                        .ifPresent(guard -> further.put(name, guard)));
        return new Eyes(sees(properties.guard().vision(), CorralProperties.VISION, properties), further);
    }

    private static Optional<Guard> sees(CorralProperties.Vision vision, String key, CorralProperties properties) {
        return vision.remote() == null
                ? Optional.ofNullable(vision.directory()).map(directory -> seeing(directory, vision, key, properties))
                : Optional.of(RemoteGuardConfiguration.vision(
                        vision, key, properties.guard().hazards()));
    }

    private static Guard seeing(
            Path directory, CorralProperties.Vision vision, String key, CorralProperties properties) {
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
                    "Give a directory that './corral quantize' made of Llama Guard 3 11B Vision as " + key
                            + ".directory, or leave it out: images are then unscanned.",
                    e);
        }
    }

    @Bean
    Panel panel(ReactiveGuard guard, Eyes eyes, CorralProperties properties, MeterRegistry metrics) {
        Map<Guard, Panel.Seeing> seeing = new LinkedHashMap<>();
        eyes.guard()
                .ifPresent(found ->
                        seeing.put(found, seeing(found, properties.guard().vision(), properties, metrics)));
        eyes.further()
                .forEach((name, found) -> seeing.put(
                        found,
                        seeing(
                                found,
                                properties
                                        .guard()
                                        .visions()
                                        .getOrDefault(name, properties.guard().vision()),
                                properties,
                                metrics)));
        return new Panel(guard, eyes, seeing);
    }

    private static Panel.Seeing seeing(
            Guard guard, CorralProperties.Vision vision, CorralProperties properties, MeterRegistry metrics) {
        CorralProperties.VisionRemote remote = vision.remote();
        if (guard instanceof VisionGuard here) {
            new GuardMetrics(metrics).images(here);
        }
        return new Panel.Seeing(
                new ReactiveGuard(
                        new CachingGuard(guard, properties.guard().cacheSize().toBytes()),
                        remote == null ? 1 : remote.connections(),
                        vision.queue(),
                        new GuardMetrics(metrics)),
                vision.timeout());
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
