package dev.corral.benchmarks.conversion;

import dev.corral.quantization.replica.ReplicaShape;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Option;
import picocli.CommandLine.TypeConversionException;

/** Options for a guard of random weights: its shape, and how it is quantised. */
public final class RandomGuard {

    @Option(
            names = "--shape",
            required = true,
            paramLabel = "S",
            completionCandidates = Shapes.class,
            converter = ShapeConverter.class,
            description = "random weights of this shape: ${COMPLETION-CANDIDATES}")
    private @Nullable ReplicaShape shape;

    @Option(names = "--layers", paramLabel = "N", description = "another number of decoder layers than the true one")
    private @Nullable Integer layers;

    @Option(
            names = "--recipe",
            paramLabel = "FILE",
            description = "as of 'corral quantize' (default: --precision int4)")
    private @Nullable Path recipe;

    @Option(names = "--precision", paramLabel = "P", description = "as of 'corral quantize'")
    private @Nullable String precision;

    @Option(names = "--block-size", paramLabel = "N", description = "as of 'corral quantize'")
    private @Nullable Integer blockSize;

    @Option(names = "--fine-layers", paramLabel = "N", description = "as of 'corral quantize'")
    private @Nullable Integer fineLayers;

    @Option(
            names = "--weights",
            paramLabel = "DIR",
            description = "folder to keep the random weights in, and to look for them; without it they are made in the"
                    + " folder for temporary files, and deleted (a 1B shape takes 4 GB)")
    private @Nullable Path weights;

    /** Where the guard is made. */
    public Workplace workplace() throws IOException {
        return Workplace.open(weights);
    }

    /** Makes the weights, where they are not there, and quantises them. */
    public Workplace.Made make(Workplace workplace) throws IOException, InterruptedException {
        return workplace.quantise(workplace.weights(shape()), recipe());
    }

    /** The shape's name and the options of its recipe. */
    public String label() {
        return shape().id() + (layers == null ? "" : ", " + layers + " layers,") + " " + String.join(" ", recipe());
    }

    private ReplicaShape shape() {
        ReplicaShape whole = java.util.Objects.requireNonNull(shape);
        return layers == null ? whole : whole.withLayers(layers);
    }

    private List<String> recipe() {
        List<String> options = new ArrayList<>();
        add("--recipe", recipe, options);
        add("--precision", precision, options);
        add("--block-size", blockSize, options);
        add("--fine-layers", fineLayers, options);
        return options.isEmpty() ? List.of("--precision", "int4") : options;
    }

    private static void add(String name, @Nullable Object value, List<String> options) {
        if (value != null) {
            options.addAll(List.of(name, value.toString()));
        }
    }

    private static final class Shapes implements Iterable<String> {

        @Override
        public Iterator<String> iterator() {
            return ReplicaShape.ALL.stream().map(ReplicaShape::id).iterator();
        }
    }

    private static final class ShapeConverter implements ITypeConverter<ReplicaShape> {

        @Override
        public ReplicaShape convert(String value) {
            return ReplicaShape.byId(value)
                    .orElseThrow(() -> new TypeConversionException("must be one of "
                            + ReplicaShape.ALL.stream().map(ReplicaShape::id).toList() + ": " + value));
        }
    }
}
