package dev.corral.policies.policy;

/**
 * What a policy may know about an exchange beside what the guard found.
 *
 * @param direction which way the content travels
 */
public record Facts(Direction direction) {}
