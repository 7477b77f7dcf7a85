package dev.corral.gateway.server;

import dev.corral.gateway.configuration.CorralProperties;
import dev.corral.gateway.moderation.GuardConfiguration;
import dev.corral.gateway.moderation.ModerationConfiguration;
import dev.corral.gateway.moderation.PolicyConfiguration;
import dev.corral.gateway.upstream.UpstreamConfiguration;
import java.util.Map;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.SpringBootConfiguration;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.boot.context.properties.EnableConfigurationProperties;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.context.annotation.Import;

/** The gateway, put together. */
@SpringBootConfiguration(proxyBeanMethods = false)
@EnableAutoConfiguration
@EnableConfigurationProperties(CorralProperties.class)
@Import({
    GuardConfiguration.class,
    PolicyConfiguration.class,
    ModerationConfiguration.class,
    UpstreamConfiguration.class,
    Readiness.class,
    StartReport.class
})
public class GatewayServer {

    /**
     * Starts a gateway. It serves when this returns, until the context is closed.
     *
     * @param settings {@code corral.*} and any other properties; they count more than the environment and files
     * @throws RuntimeException where it cannot start, after the reason was logged
     */
    public static ConfigurableApplicationContext start(Map<String, String> settings) {
        return new SpringApplication(GatewayServer.class)
                .run(settings.entrySet().stream()
                        .map(setting -> "--" + setting.getKey() + "=" + setting.getValue())
                        .toArray(String[]::new));
    }

    /** The port that a started gateway listens on. */
    public static int port(ConfigurableApplicationContext gateway) {
        return gateway.getEnvironment().getRequiredProperty("local.server.port", Integer.class);
    }
}
