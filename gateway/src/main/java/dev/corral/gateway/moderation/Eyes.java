package dev.corral.gateway.moderation;

import dev.corral.guardmodels.guard.Guard;
import java.util.Optional;

/** The guard that sees images, where there is one. */
public record Eyes(Optional<Guard> guard) {}
