package dev.corral.quantization.hub;

/**
 * A file of a repository.
 *
 * @param name in the repository's top folder; letters, digits, dots, hyphens and underscores
 * @param size bytes
 */
public record RemoteFile(String name, long size, ContentHash hash) {}
