package dev.corral.policies.taxonomy;

/**
 * One category of harm. Well-known hazards are {@link StandardHazard}s, a customer's own are {@link CustomHazard}s.
 */
public sealed interface Hazard permits StandardHazard, CustomHazard {

    /** Short identifier used in policies and reports, such as {@code S4}. */
    String code();

    /** Name for people, such as {@code Child Exploitation}. */
    String displayName();
}
