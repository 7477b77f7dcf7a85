package dev.corral.quantization.hub;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * The files of a repository that a conversion needs, and no others: Meta's repositories have their weights twice, as
 * safetensors and as {@code original/*.pth}.
 *
 * @param files what to bring, small files first
 */
public record ModelDownload(Repository repository, List<RemoteFile> files) {

    private static final String SINGLE = "model.safetensors";
    private static final String INDEX = "model.safetensors.index.json";
    private static final Pattern PAPERS = Pattern.compile("(?i)(licen[cs]e|notice|use_policy|readme)(\\.(md|txt))?");

    public ModelDownload {
        files = List.copyOf(files);
    }

    /**
     * Chooses the files; brings the index of sharded weights, which tells the others' names.
     *
     * @param directory where they will go; exists
     * @throws HubException if the repository is none of such a model
     */
    public static ModelDownload choose(Hub hub, Repository repository, Path directory) {
        List<RemoteFile> files =
                new ArrayList<>(List.of(require(repository, "config.json"), require(repository, "tokenizer.json")));
        repository.files().stream()
                .filter(file -> PAPERS.matcher(file.name()).matches())
                .forEach(files::add);
        Optional<RemoteFile> index = repository.find(INDEX);
        if (index.isPresent()) {
            hub.download(repository, index.get(), directory, (_, _) -> {});
            files.add(index.get());
            shards(directory.resolve(INDEX)).forEach(shard -> files.add(require(repository, shard)));
        } else {
            files.add(require(repository, SINGLE));
        }
        return new ModelDownload(repository, files);
    }

    private static RemoteFile require(Repository repository, String name) {
        return repository
                .find(name)
                .orElseThrow(() -> new HubException(
                        "%s has no %s: Corral needs config.json, tokenizer.json and safetensors weights, such as %s has"
                                .formatted(repository.name(), name, "meta-llama/Llama-Guard-3-1B")));
    }

    private static Set<String> shards(Path index) {
        JsonNode map;
        try {
            map = JsonMapper.shared().readTree(Files.readAllBytes(index)).path("weight_map");
        } catch (IOException | JacksonException e) {
            throw new HubException("%s cannot be read: %s".formatted(index, e.getMessage()), e);
        }
        Set<String> names = new LinkedHashSet<>();
        map.properties().forEach(entry -> names.add(entry.getValue().asString("")));
        if (names.isEmpty()) {
            throw new HubException("%s names no weights: the repository is not whole".formatted(index));
        }
        return names;
    }

    /** The size of all files. */
    public long bytes() {
        return files.stream().mapToLong(RemoteFile::size).sum();
    }

    /** What must still come, at most: files that are there with their full size are not counted. */
    public long missingBytes(Path directory) throws IOException {
        long missing = 0;
        for (RemoteFile file : files) {
            Path path = directory.resolve(file.name());
            if (!Files.isRegularFile(path) || Files.size(path) != file.size()) {
                missing += file.size() - new PartialFile(directory, file).size();
            }
        }
        return missing;
    }

    /** Is told how far a download is. */
    public interface Progress {

        /** Called again and again with the bytes of all files that are there. */
        void at(RemoteFile file, long bytes);
    }

    /** Brings all files, and deletes weights that the repository had before and has no more. */
    public void run(Hub hub, Path directory, Progress progress) throws IOException {
        long before = 0;
        for (RemoteFile file : files) {
            long done = before;
            hub.download(repository, file, directory, (current, bytes) -> progress.at(current, done + bytes));
            before += file.size();
        }
        List<String> names = files.stream().map(RemoteFile::name).toList();
        try (DirectoryStream<Path> weights = Files.newDirectoryStream(directory, "*.safetensors*")) {
            for (Path file : weights) {
                if (!names.contains(file.getFileName().toString())) {
                    Files.delete(file);
                }
            }
        }
    }
}
