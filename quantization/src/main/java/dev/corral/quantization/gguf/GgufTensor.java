package dev.corral.quantization.gguf;

import dev.corral.quantization.checkpoint.CheckpointException;
import dev.corral.quantization.checkpoint.Quantised;
import dev.corral.quantization.checkpoint.Tensor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.Optional;
import java.util.function.IntUnaryOperator;

/**
 * A tensor of a mapped GGUF file.
 *
 * @param name as in the file
 * @param shape outermost dimension first, where GGUF has it last
 * @param data its blocks, row by row; a row is whole blocks
 */
record GgufTensor(String name, GgmlType type, List<Long> shape, MemorySegment data) implements Tensor {

    GgufTensor {
        shape = List.copyOf(shape);
    }

    @Override
    public String storage() {
        return type.name();
    }

    @Override
    public void row(int row, float[] target) {
        int columns = columns();
        long at = place(row);
        for (int i = 0; i < columns; i += type.elements()) {
            type.read(data, at, target, i);
            at += type.bytes();
        }
        for (int i = 0; i < columns; i++) {
            if (!Float.isFinite(target[i])) {
                throw noNumber(row, i / type.elements(), target[i]);
            }
        }
    }

    private long place(int row) {
        return (long) row * (columns() / type.elements()) * type.bytes();
    }

    private CheckpointException noNumber(int row, int block, float found) {
        return new CheckpointException(
                "tensor '%s' holds %s in row %d, block %d: the file is damaged, get it again, or another one"
                        .formatted(name, found, row, block));
    }

    /**
     * The same rows in the order that Hugging Face's rotary embedding has, in halves of a head, for rows in pairs:
     * {@code ggml-org/llama.cpp:convert_hf_to_gguf.py}, {@code LlamaModel.permute}, turned round.
     */
    Tensor inHalves(int headSize) {
        int half = headSize / 2;
        return new Moved(this, shape, row -> {
            int within = row % headSize;
            return row - within + 2 * (within % half) + within / half;
        });
    }

    /** Only these rows, in this order. */
    Tensor select(List<Integer> rows) {
        return new Moved(this, List.of((long) rows.size(), (long) columns()), rows::get);
    }

    /** Rows of a tensor in another order. */
    private record Moved(GgufTensor stored, List<Long> shape, IntUnaryOperator places) implements Tensor {

        Moved {
            shape = List.copyOf(shape);
        }

        @Override
        public String name() {
            return stored.name;
        }

        @Override
        public String storage() {
            return stored.storage();
        }

        @Override
        public void row(int row, float[] target) {
            stored.row(places.applyAsInt(row), target);
        }

        @Override
        public Optional<Quantised> quantised() {
            return stored.quantised().map(numbers -> new Quantised() {
                @Override
                public Layout layout() {
                    return numbers.layout();
                }

                @Override
                public void numbers(int row, byte[] target) {
                    numbers.numbers(places.applyAsInt(row), target);
                }

                @Override
                public void scales(int row, float[] target) {
                    numbers.scales(places.applyAsInt(row), target);
                }

                @Override
                public void offsets(int row, float[] target) {
                    numbers.offsets(places.applyAsInt(row), target);
                }
            });
        }
    }

    @Override
    public Optional<Quantised> quantised() {
        return switch (type) {
            case Q4_0 -> Optional.of(new Numbers(new Quantised.Layout(4, 32, true, false), 2));
            case Q4_1 -> Optional.of(new Numbers(new Quantised.Layout(4, 32, true, true), 4));
            case Q8_0 -> Optional.of(new Numbers(new Quantised.Layout(8, 32, true, false), 2));
            default -> Optional.empty();
        };
    }

    /** The numbers of blocks that begin with their scale, and their least value where they have one. */
    private final class Numbers implements Quantised {

        /** Of the numbers of Q4_1, which count from the least value on. */
        private static final int MIDDLE = 8;

        private final Layout layout;
        private final int head;

        Numbers(Layout layout, int head) {
            this.layout = layout;
            this.head = head;
        }

        @Override
        public Layout layout() {
            return layout;
        }

        @Override
        public void numbers(int row, byte[] target) {
            long at = place(row) + head;
            int columns = columns();
            for (int block = 0; block < columns; block += type.elements()) {
                if (layout.bits() == Byte.SIZE) {
                    MemorySegment.copy(data, ValueLayout.JAVA_BYTE, at, target, block, type.elements());
                } else {
                    for (int i = 0; i < type.elements(); i++) {
                        target[block + i] = (byte) (GgmlType.nibble(data, at, i) - MIDDLE);
                    }
                }
                at += type.bytes();
            }
        }

        @Override
        public void scales(int row, float[] target) {
            for (int block = 0; block < columns() / type.elements(); block++) {
                target[block] = finite(row, block, GgmlType.half(data, place(row) + (long) block * type.bytes()));
            }
        }

        /** A number less by {@link #MIDDLE} needs an offset that is more by as many scales. */
        @Override
        public void offsets(int row, float[] target) {
            for (int block = 0; block < columns() / type.elements(); block++) {
                long at = place(row) + (long) block * type.bytes();
                float least = GgmlType.half(data, at + Short.BYTES);
                target[block] = finite(row, block, least + MIDDLE * GgmlType.half(data, at));
            }
        }

        private float finite(int row, int block, float number) {
            if (!Float.isFinite(number)) {
                throw noNumber(row, block, number);
            }
            return number;
        }
    }
}
