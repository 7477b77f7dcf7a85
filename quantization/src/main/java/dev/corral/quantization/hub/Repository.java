package dev.corral.quantization.hub;

import java.util.List;
import java.util.Optional;

/**
 * A repository at one commit.
 *
 * @param commit 40 hex digits: what is downloaded does not change when the branch does
 * @param gated whether its licence must be accepted before files are given out
 * @param files of the top folder
 */
public record Repository(RepositoryName name, String commit, boolean gated, List<RemoteFile> files) {

    public Repository {
        files = List.copyOf(files);
    }

    /** The file with this exact name, or empty. */
    public Optional<RemoteFile> find(String file) {
        return files.stream().filter(candidate -> candidate.name().equals(file)).findFirst();
    }
}
