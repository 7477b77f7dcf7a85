package dev.corral.policies.policy;

import java.util.List;

/**
 * What a policy may know about an exchange beside what the guard found.
 *
 * @param direction which way the content travels
 * @param route the gateway's, by its id; empty where there is none
 * @param tenant whose traffic it is; empty where that is not known
 * @param model as the client named it; empty where it named none
 * @param languages those that the client accepts, the best first, as in {@code Accept-Language}: {@code de-CH}
 */
public record Facts(Direction direction, String route, String tenant, String model, List<String> languages) {

    public Facts {
        languages = List.copyOf(languages);
    }

    /** Nothing is known but the direction. */
    public Facts(Direction direction) {
        this(direction, "", "", "", List.of());
    }

    /** The language that the client likes best, without its region; empty where it did not say. */
    String language() {
        return languages.isEmpty() ? "" : Messages.primary(languages.getFirst());
    }
}
