package dev.corral.quantization.safetensors;

import dev.corral.quantization.checkpoint.Checkpoint;
import dev.corral.quantization.checkpoint.CheckpointException;
import dev.corral.quantization.checkpoint.Tensor;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** The weights of a Hugging Face directory: one {@code model.safetensors}, or shards with an index. */
public final class SafetensorsCheckpoint implements Checkpoint {

    static final String SINGLE = "model.safetensors";
    static final String INDEX = "model.safetensors.index.json";

    private final Arena arena;
    private final List<Path> files;
    private final Map<String, Tensor> tensors;

    private SafetensorsCheckpoint(Arena arena, List<Path> files, Map<String, Tensor> tensors) {
        this.arena = arena;
        this.files = List.copyOf(files);
        this.tensors = Collections.unmodifiableMap(tensors);
    }

    /** Maps all weights of a directory. */
    @SuppressWarnings("MustBeClosedChecker") // the arena lives as long as the checkpoint, which closes it
    public static SafetensorsCheckpoint open(Path directory) {
        List<Path> files = files(directory);
        Arena arena = Arena.ofShared();
        try {
            Map<String, Tensor> tensors = new LinkedHashMap<>();
            for (Path file : files) {
                SafetensorsFile.map(file, arena).tensors().forEach((name, tensor) -> {
                    if (tensors.put(name, tensor) != null) {
                        throw new CheckpointException("tensor '%s' is in two files of %s".formatted(name, directory));
                    }
                });
            }
            return new SafetensorsCheckpoint(arena, files, tensors);
        } catch (RuntimeException e) {
            arena.close();
            throw e;
        }
    }

    private static List<Path> files(Path directory) {
        Path single = directory.resolve(SINGLE);
        Path index = directory.resolve(INDEX);
        if (Files.isRegularFile(index)) {
            return shards(directory, index);
        }
        if (Files.isRegularFile(single)) {
            return List.of(single);
        }
        throw new CheckpointException(
                "%s holds neither %s nor %s: give the folder of a Hugging Face model with safetensors weights"
                        .formatted(directory, SINGLE, INDEX));
    }

    private static List<Path> shards(Path directory, Path index) {
        JsonNode map;
        try {
            map = JsonMapper.shared().readTree(Files.readAllBytes(index)).path("weight_map");
        } catch (IOException | JacksonException e) {
            throw new CheckpointException("cannot read " + index + ": " + e.getMessage(), e);
        }
        Set<String> names = new LinkedHashSet<>();
        map.properties().forEach(entry -> names.add(entry.getValue().asString()));
        if (names.isEmpty()) {
            throw new CheckpointException(index + " names no weights (\"weight_map\" is missing or empty)");
        }
        for (String name : names) {
            if (!name.matches("[A-Za-z0-9._-]+") || !Files.isRegularFile(directory.resolve(name))) {
                throw new CheckpointException(
                        "%s names the file '%s', which is not in %s: download it".formatted(index, name, directory));
            }
        }
        return names.stream().map(directory::resolve).toList();
    }

    @Override
    public List<Path> files() {
        return files;
    }

    @Override
    public Optional<Tensor> find(String name) {
        return Optional.ofNullable(tensors.get(name));
    }

    @Override
    public Set<String> names() {
        return tensors.keySet();
    }

    @Override
    public void close() {
        arena.close();
    }
}
