package dev.corral.quantization.safetensors;

import dev.corral.quantization.checkpoint.CheckpointException;
import dev.corral.quantization.checkpoint.Tensor;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.channels.FileChannel.MapMode;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import tools.jackson.core.JacksonException;
import tools.jackson.core.StreamReadFeature;
import tools.jackson.core.json.JsonFactory;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * One {@code .safetensors} file: 8 bytes of header length, a JSON header, raw little-endian data
 * (format: {@code huggingface/safetensors:README.md}).
 *
 * @param tensors by name, in the order of the header
 */
record SafetensorsFile(Map<String, Tensor> tensors) {

    private static final ValueLayout.OfLong LENGTH = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final long MAX_HEADER_BYTES = 100_000_000;
    private static final JsonMapper JSON = JsonMapper.builder(JsonFactory.builder()
                    .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
                    .build())
            .build();

    SafetensorsFile {
        tensors = Collections.unmodifiableMap(new LinkedHashMap<>(tensors));
    }

    /** Maps the file for as long as {@code arena} lives. */
    static SafetensorsFile map(Path file, Arena arena) {
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
            MemorySegment bytes = channel.map(MapMode.READ_ONLY, 0, channel.size(), arena);
            return parse(file, bytes);
        } catch (IOException e) {
            throw new CheckpointException("cannot read " + file + ": " + e.getMessage(), e);
        }
    }

    private static SafetensorsFile parse(Path file, MemorySegment bytes) {
        long size = bytes.byteSize();
        if (size < Long.BYTES) {
            throw damaged(file, "it has only %d bytes".formatted(size));
        }
        long headerBytes = bytes.get(LENGTH, 0);
        if (headerBytes < 2 || headerBytes > MAX_HEADER_BYTES || headerBytes > size - Long.BYTES) {
            throw damaged(file, "its header claims %d of %d bytes".formatted(headerBytes, size));
        }
        byte[] json = bytes.asSlice(Long.BYTES, headerBytes).toArray(ValueLayout.JAVA_BYTE);
        JsonNode header;
        try {
            header = JSON.readTree(new String(json, StandardCharsets.UTF_8));
        } catch (JacksonException e) {
            throw damaged(file, "its header is not JSON (" + e.getOriginalMessage() + ")");
        }
        MemorySegment data = bytes.asSlice(Long.BYTES + headerBytes);
        Map<String, Tensor> tensors = new LinkedHashMap<>();
        for (Map.Entry<String, JsonNode> entry : header.properties()) {
            if (!entry.getKey().equals("__metadata__")) {
                tensor(file, entry.getKey(), entry.getValue(), data)
                        .ifPresent(tensor -> tensors.put(tensor.name(), tensor));
            }
        }
        return new SafetensorsFile(tensors);
    }

    /** The tensor, or nothing where its type carries no weights (index and mask buffers). */
    private static Optional<Tensor> tensor(Path file, String name, JsonNode entry, MemorySegment data) {
        if (name.isBlank()) {
            throw damaged(file, "a tensor has no name");
        }
        JsonNode offsets = entry.path("data_offsets");
        long begin = offsets.path(0).asLong(-1);
        long end = offsets.path(1).asLong(-1);
        if (begin < 0 || end < begin || end > data.byteSize()) {
            throw damaged(
                    file,
                    "tensor '%s' lies at bytes %d to %d of %d: the file is cut off"
                            .formatted(name, begin, end, data.byteSize()));
        }
        List<Long> shape = new ArrayList<>();
        entry.path("shape").forEach(dimension -> shape.add(dimension.asLong()));
        String dtype = entry.path("dtype").asString("");
        SafetensorsTensor.Type type = switch (dtype) {
            case "F32" -> SafetensorsTensor.Type.F32;
            case "F16" -> SafetensorsTensor.Type.F16;
            case "BF16" -> SafetensorsTensor.Type.BF16;
            case "I64", "I32", "BOOL", "U8" -> null;
            default ->
                throw new CheckpointException(
                        "tensor '%s' in %s has the type %s; F32, F16 and BF16 are supported: take the unquantised model"
                                .formatted(name, file.getFileName(), dtype));
        };
        if (type == null) {
            return Optional.empty();
        }
        long needed = Tensor.bytes(shape, type.bytes());
        if (needed < 0) {
            throw damaged(file, "tensor '%s' has the impossible shape %s".formatted(name, shape));
        }
        if (needed != end - begin) {
            throw damaged(
                    file,
                    "tensor '%s' of shape %s needs %d bytes, but has %d".formatted(name, shape, needed, end - begin));
        }
        return Optional.of(new SafetensorsTensor(name, type, shape, data.asSlice(begin, end - begin)));
    }

    private static CheckpointException damaged(Path file, String how) {
        return new CheckpointException(
                "%s is not a whole safetensors file: %s. Download it again.".formatted(file, how));
    }
}
