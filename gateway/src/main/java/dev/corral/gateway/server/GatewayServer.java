package dev.corral.gateway.server;

import dev.corral.gateway.audit.AuditConfiguration;
import dev.corral.gateway.configuration.CorralProperties;
import dev.corral.gateway.moderation.GuardConfiguration;
import dev.corral.gateway.moderation.ModerationConfiguration;
import dev.corral.gateway.moderation.PolicyConfiguration;
import dev.corral.gateway.upstream.UpstreamConfiguration;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.function.Consumer;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.SpringBootConfiguration;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.boot.context.properties.EnableConfigurationProperties;
import org.springframework.context.ApplicationListener;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.context.annotation.Import;
import org.springframework.context.event.ContextClosedEvent;
import picocli.CommandLine.ExitCode;

/** The gateway, put together. */
@SpringBootConfiguration(proxyBeanMethods = false)
@EnableAutoConfiguration
@EnableConfigurationProperties(CorralProperties.class)
@Import({
    AuditConfiguration.class,
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

    /**
     * Starts a gateway and waits until it is closed, as Ctrl-C does.
     *
     * @param started called once it serves
     * @return the exit code of the process
     */
    public static int serve(Map<String, String> settings, Consumer<ConfigurableApplicationContext> started)
            throws InterruptedException {
        ConfigurableApplicationContext gateway;
        try {
            gateway = start(settings);
        } catch (RuntimeException _) { // its reason was logged
            return ExitCode.SOFTWARE;
        }
        CountDownLatch closed = new CountDownLatch(1);
        gateway.addApplicationListener((ApplicationListener<ContextClosedEvent>) _ -> closed.countDown());
        started.accept(gateway);
        closed.await();
        return ExitCode.OK;
    }

    /** The port that a started gateway listens on. */
    public static int port(ConfigurableApplicationContext gateway) {
        return gateway.getEnvironment().getRequiredProperty("local.server.port", Integer.class);
    }
}
