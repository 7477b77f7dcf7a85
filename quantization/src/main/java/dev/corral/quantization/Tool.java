package dev.corral.quantization;

import java.util.Optional;

/** Corral, as it names itself. */
final class Tool {

    private Tool() {}

    /** As hubs are told, such as {@code corral/1.2.3}. */
    static String name() {
        return "corral/" + version();
    }

    /** As {@code guard.yaml} is told, such as {@code corral 1.2.3}. */
    static String nameAndVersion() {
        return "corral " + version();
    }

    private static String version() {
        return Optional.ofNullable(Tool.class.getPackage().getImplementationVersion())
                .orElse("development");
    }
}
