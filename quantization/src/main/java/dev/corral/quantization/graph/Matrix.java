package dev.corral.quantization.graph;

import dev.corral.quantization.checkpoint.CheckpointException;
import dev.corral.quantization.checkpoint.Quantised;
import dev.corral.quantization.checkpoint.Tensor;
import java.util.List;
import java.util.Optional;

/** A weight matrix as Hugging Face stores it: one row an output, one column an input; read row by row. */
public interface Matrix {

    int rows();

    int columns();

    /** Copies one row to the start of {@code target}. */
    void row(int row, float[] target);

    /** The numbers that the rows were stored as, where all of them are numbers in blocks of one layout. */
    default Optional<Quantised> quantised() {
        return Optional.empty();
    }

    /** A tensor of two dimensions. */
    static Matrix of(Tensor tensor) {
        if (tensor.shape().size() != 2) {
            throw new CheckpointException(
                    "tensor '%s' should be a matrix, but has the shape %s".formatted(tensor.name(), tensor.shape()));
        }
        return new Matrix() {
            @Override
            public int rows() {
                return tensor.rows();
            }

            @Override
            public int columns() {
                return tensor.columns();
            }

            @Override
            public void row(int row, float[] target) {
                tensor.row(row, target);
            }

            @Override
            public Optional<Quantised> quantised() {
                return tensor.quantised();
            }
        };
    }

    /** The rows of several matrices of the same width, one below the other. */
    static Matrix stack(List<Matrix> parts) {
        return new Gathered(parts.stream().mapToInt(Matrix::rows).sum(), parts, row -> {
            int rest = row;
            int part = 0;
            while (rest >= parts.get(part).rows()) {
                rest -= parts.get(part).rows();
                part++;
            }
            return new Place(part, rest);
        });
    }

    /** Only these rows, in this order. */
    default Matrix select(List<Integer> rows) {
        return new Gathered(rows.size(), List.of(this), row -> new Place(0, rows.get(row)));
    }

    /** Only these columns, in this order. */
    default Matrix selectColumns(List<Integer> columns) {
        Matrix all = this;
        int[] chosen = columns.stream().mapToInt(column -> column).toArray();
        return new Matrix() {
            @Override
            public int rows() {
                return all.rows();
            }

            @Override
            public int columns() {
                return chosen.length;
            }

            @Override
            public void row(int row, float[] target) {
                float[] whole = new float[all.columns()];
                all.row(row, whole);
                for (int i = 0; i < chosen.length; i++) {
                    target[i] = whole[chosen[i]];
                }
            }
        };
    }

    /** Where a row is. */
    record Place(int part, int row) {}

    /** Where rows are. */
    @FunctionalInterface
    interface Places {
        Place of(int row);
    }

    /**
     * Whole rows of other matrices.
     *
     * @param parts matrices of the same width, at least one
     */
    record Gathered(int rows, List<Matrix> parts, Places places) implements Matrix {

        public Gathered {
            parts = List.copyOf(parts);
        }

        @Override
        public int columns() {
            return parts.getFirst().columns();
        }

        @Override
        public void row(int row, float[] target) {
            Place place = places.of(row);
            parts.get(place.part).row(place.row, target);
        }

        @Override
        public Optional<Quantised> quantised() {
            List<Quantised> all =
                    parts.stream().flatMap(part -> part.quantised().stream()).toList();
            boolean alike = all.size() == parts.size()
                    && all.stream().map(Quantised::layout).distinct().count() == 1;
            return alike ? Optional.of(new GatheredNumbers(all, places)) : Optional.empty();
        }
    }

    /** The numbers of whole rows of other matrices, all of one layout. */
    record GatheredNumbers(List<Quantised> parts, Places places) implements Quantised {

        public GatheredNumbers {
            parts = List.copyOf(parts);
        }

        @Override
        public Layout layout() {
            return parts.getFirst().layout();
        }

        @Override
        public void numbers(int row, byte[] target) {
            Place place = places.of(row);
            parts.get(place.part).numbers(place.row, target);
        }

        @Override
        public void scales(int row, float[] target) {
            Place place = places.of(row);
            parts.get(place.part).scales(place.row, target);
        }

        @Override
        public void offsets(int row, float[] target) {
            Place place = places.of(row);
            parts.get(place.part).offsets(place.row, target);
        }
    }
}
