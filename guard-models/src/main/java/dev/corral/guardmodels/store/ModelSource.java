package dev.corral.guardmodels.store;

import java.nio.ByteBuffer;
import java.nio.file.Path;

/** Where an ONNX model's bytes are. */
public sealed interface ModelSource {

    /** A file; what it refers to lies beside it. */
    record InFile(Path file) implements ModelSource {}

    /**
     * Memory.
     *
     * @param bytes direct and read-only, the whole model
     */
    record InMemory(ByteBuffer bytes) implements ModelSource {}
}
