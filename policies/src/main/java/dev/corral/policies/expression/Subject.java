package dev.corral.policies.expression;

import java.util.function.Supplier;

/**
 * What a condition is asked about: one hazard in one piece of content. The names are those of the conditions' variables.
 *
 * @param hazard its code
 * @param probability that the content is unsafe by this hazard
 * @param unsafe that the content is unsafe at all
 * @param direction {@code prompt} or {@code completion}
 * @param source who says it, such as {@code user} or {@code tool-result}
 * @param tool the name of the tool that is called; empty where none is
 * @param route the gateway's; empty where there is none
 * @param tenant whose traffic it is; empty where that is not known
 * @param model as the client named it; empty where it named none
 * @param language the one that the client likes best, such as {@code de}; empty where it did not say
 * @param contentHash SHA-256 of the content, in hexadecimal digits; empty where there is none; asked for only by conditions
 *     that name it
 */
public record Subject(
        String hazard,
        double probability,
        double unsafe,
        String direction,
        String source,
        String tool,
        String route,
        String tenant,
        String model,
        String language,
        Supplier<String> contentHash) {}
