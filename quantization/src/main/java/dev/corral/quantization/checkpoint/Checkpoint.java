package dev.corral.quantization.checkpoint;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** The weights of a model, mapped into memory. */
public interface Checkpoint extends AutoCloseable {

    /** The tensor of a guard whose head has rows for its verdict only: safe, unsafe, and each hazard. */
    String VERDICT_HEAD = "verdict_head.weight";

    /** The files that hold the weights. */
    List<Path> files();

    /** Names of all tensors, such as {@code model.layers.0.self_attn.q_proj.weight}, in the order of the files. */
    Set<String> names();

    Optional<Tensor> find(String name);

    /** The tensor with this name; a clear error where there is none. */
    default Tensor require(String name) {
        return find(name)
                .orElseThrow(() -> new CheckpointException(
                        "tensor '%s' is missing; is this a whole Llama-architecture model?".formatted(name)));
    }

    /** Unmaps the files; no tensor may be used after it. */
    @Override
    void close();
}
