package dev.corral.gateway.policy;

/** How a command writes its result. */
enum Format {
    /** For people. */
    text,
    /** For programs. */
    json,
    /** For code hosts: SARIF 2.1.0. */
    sarif
}
