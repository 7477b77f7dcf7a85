package dev.corral.gateway.upstream;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.List;
import org.springframework.boot.context.properties.bind.BindHandler;
import org.springframework.boot.context.properties.bind.Bindable;
import org.springframework.boot.context.properties.bind.Binder;
import org.springframework.boot.context.properties.bind.handler.NoUnboundElementsBindHandler;
import org.springframework.boot.context.properties.source.ConfigurationPropertySources;
import org.springframework.boot.convert.ApplicationConversionService;
import org.springframework.boot.env.YamlPropertySourceLoader;
import org.springframework.core.env.PropertySource;
import org.springframework.core.io.ClassPathResource;

/** Facts that lie beside the classes as YAML; a key that nobody reads is an error. */
final class Resource {

    private Resource() {}

    /** What a file says below its one key, which is its name. */
    static <T> T read(String name, Bindable<T> type) {
        try {
            List<PropertySource<?>> yaml =
                    new YamlPropertySourceLoader().load(name, new ClassPathResource(name + ".yaml", Resource.class));
            return new Binder(
                            ConfigurationPropertySources.from(yaml),
                            null,
                            ApplicationConversionService.getSharedInstance())
                    .bind(name, type, new NoUnboundElementsBindHandler(BindHandler.DEFAULT))
                    .get();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
