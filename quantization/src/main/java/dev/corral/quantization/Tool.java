package dev.corral.quantization;

import java.util.Optional;

/** Corral, as it names itself to hubs. */
final class Tool {

    private Tool() {}

    /** Name and version, such as {@code corral/1.2.3}. */
    static String name() {
        return "corral/"
                + Optional.ofNullable(Tool.class.getPackage().getImplementationVersion())
                        .orElse("development");
    }
}
