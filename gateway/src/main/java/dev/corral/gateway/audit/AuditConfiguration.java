package dev.corral.gateway.audit;

import dev.corral.gateway.configuration.CorralProperties;
import io.micrometer.core.instrument.MeterRegistry;
import java.io.IOException;
import java.nio.file.Path;
import java.time.InstantSource;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.boot.diagnostics.FailureAnalyzedException;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;

/** The audit file, where one is wanted. */
@Configuration(proxyBeanMethods = false)
public class AuditConfiguration {

    @Bean
    @ConditionalOnMissingBean
    AuditSink auditSink(CorralProperties properties, MeterRegistry metrics) {
        CorralProperties.Audit audit = properties.audit();
        Path file = audit.file();
        if (file == null) {
            return AuditSink.NONE;
        }
        try {
            return new FileAuditSink(
                    file,
                    audit.maxFileSize().toBytes(),
                    audit.onFailure(),
                    audit.queue(),
                    InstantSource.system(),
                    metrics);
        } catch (IOException e) {
            throw new FailureAnalyzedException(
                    "The audit cannot be written to " + file + ": " + e.getMessage() + ".",
                    "Make the folder, give the gateway the right to write there, or correct corral.audit.file.",
                    e);
        }
    }
}
