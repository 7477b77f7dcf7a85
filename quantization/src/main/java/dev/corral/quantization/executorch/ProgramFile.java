package dev.corral.quantization.executorch;

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
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * An ExecuTorch program ({@code .pte}), mapped into memory for as long as it is open: a header, a flatbuffer with the
 * program (pytorch/executorch:schema/program.fbs), and segments with the bytes of constants and of what was made for
 * other libraries.
 */
final class ProgramFile implements AutoCloseable {

    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private static final int SHORT_HEADER = 24;
    private static final int LONG_HEADER = 32;
    private static final String IDENTIFIER = "ET12";
    private static final String HEADER = "eh00";
    private static final int IN_SEGMENT = 1;

    /** A decoder of a hundred layers has a tenth of it. */
    private static final long MOST_ENTRIES = 2_000_000;

    private static final String FORWARD = "forward";

    /** Bytes of an element, by the number of its type; 0 for those that no guard's program was seen to need. */
    private static final int[] ELEMENT_BYTES = {1, 1, 2, 4, 8, 2, 4, 8, 0, 0, 0, 1, 0, 0, 0, 2};

    private final Arena arena;
    private final String origin;
    private final MemorySegment file;
    private final long segmentBase;
    private final List<Flatbuffer.Table> segments;
    private final long constantSegment;
    private final long[] constants;
    private final Map<String, Long> named;
    private final List<Flatbuffer.Table> methods;

    private ProgramFile(Arena arena, MemorySegment file, String origin) {
        this.arena = arena;
        this.origin = origin;
        this.file = file;
        if (file.byteSize() < Integer.BYTES * 2 || !text(Integer.BYTES).equals(IDENTIFIER)) {
            throw new CheckpointException(
                    "%s is no ExecuTorch program: its bytes 4 to 7 are not '%s'".formatted(origin, IDENTIFIER));
        }
        if (file.byteSize() < SHORT_HEADER + Long.BYTES
                || !text(2 * Integer.BYTES).equals(HEADER)) {
            throw new CheckpointException(
                    "%s has no extended header '%s' at byte 8: programs from before ExecuTorch 0.4 are not supported, export it again"
                            .formatted(origin, HEADER));
        }
        long headerBytes = Integer.toUnsignedLong(file.get(INT, 12));
        if (headerBytes != SHORT_HEADER && headerBytes != LONG_HEADER) {
            throw new CheckpointException("%s has an extended header of %d bytes; known are %d and %d"
                    .formatted(origin, headerBytes, SHORT_HEADER, LONG_HEADER));
        }
        long programBytes = file.get(LONG, 16);
        this.segmentBase = file.get(LONG, 24);
        if (programBytes < SHORT_HEADER
                || segmentBase < programBytes
                || segmentBase > file.byteSize()
                || programBytes > file.byteSize()) {
            throw new CheckpointException(
                    "%s is damaged or truncated: its header tells of a program of %s bytes and of segments from byte %s on, but the file has %d"
                            .formatted(
                                    origin,
                                    Long.toUnsignedString(programBytes),
                                    Long.toUnsignedString(segmentBase),
                                    file.byteSize()));
        }
        Flatbuffer.Table program = new Flatbuffer(file.asSlice(0, programBytes), origin, MOST_ENTRIES).root("program");
        if (program.integer(0) != 0) {
            throw new CheckpointException(
                    "%s has version %d of the program format; known is 0".formatted(origin, program.integer(0)));
        }
        if (!program.tables(2, "constant_buffer").isEmpty()
                || !program.tables(3, "backend_delegate_data").isEmpty()) {
            throw new CheckpointException(
                    "%s keeps constants or delegates inside of its flatbuffer, as before ExecuTorch 0.4: export it again"
                            .formatted(origin));
        }
        this.segments = program.tables(4, "segments");
        Optional<Flatbuffer.Table> constantTable = program.table(5, "constant_segment");
        this.constantSegment =
                constantTable.map(table -> table.unsignedInteger(0)).orElse(0L);
        this.constants =
                constantTable.map(table -> table.longIntegers(1, "offsets")).orElse(new long[0]);
        this.named = named(program);
        this.methods = program.tables(1, "execution_plan");
    }

    /**
     * Maps a file.
     *
     * @throws CheckpointException if it is no such program, or is damaged
     */
    @SuppressWarnings("MustBeClosedChecker") // the arena lives as long as the file, which closes it
    static ProgramFile open(Path path) {
        Arena arena = Arena.ofShared();
        try (FileChannel channel = FileChannel.open(path, StandardOpenOption.READ)) {
            MemorySegment file = channel.map(MapMode.READ_ONLY, 0, channel.size(), arena);
            return new ProgramFile(arena, file, path.toString());
        } catch (IOException e) {
            arena.close();
            throw new CheckpointException("cannot read " + path + ": " + e.getMessage(), e);
        } catch (RuntimeException e) {
            arena.close();
            throw e;
        }
    }

    @Override
    public void close() {
        arena.close();
    }

    /** Bytes of the whole file. */
    long bytes() {
        return file.byteSize();
    }

    /** The file's name, for messages. */
    String origin() {
        return origin;
    }

    /** Whether weights lie in segments of their own, found by name, as ExecuTorch does it since 0.6. */
    boolean namesData() {
        return !named.isEmpty();
    }

    /** The bytes of a segment. */
    MemorySegment segment(long index, String place) {
        if (index >= segments.size()) {
            throw new CheckpointException("%s is damaged: %s is said to be in segment %d of %d"
                    .formatted(origin, place, index, segments.size()));
        }
        Flatbuffer.Table segment = segments.get((int) index);
        long offset = segment.longInteger(0);
        long size = segment.longInteger(1);
        long room = file.byteSize() - segmentBase;
        if (offset < 0 || size < 0 || offset > room || size > room - offset) {
            throw new CheckpointException(
                    "%s is truncated or damaged: %s is to have %s bytes at %s, but only %d bytes of segments are there; bring the file again"
                            .formatted(
                                    origin,
                                    segment.place(),
                                    Long.toUnsignedString(size),
                                    Long.toUnsignedString(offset),
                                    room));
        }
        return file.asSlice(segmentBase + offset, size);
    }

    /** The bytes of the segment that has a name. */
    MemorySegment named(String key, String place) {
        Long segment = named.get(key);
        if (segment == null) {
            throw new CheckpointException("%s is damaged: %s is said to be under the name '%s', which nothing has"
                    .formatted(origin, place, key));
        }
        return segment(segment, place);
    }

    /** The bytes of a constant tensor. */
    MemorySegment constant(Method.Value.Array tensor, String place) {
        int elementBytes = tensor.type() < ELEMENT_BYTES.length ? ELEMENT_BYTES[tensor.type()] : 0;
        if (elementBytes == 0) {
            throw new CheckpointException(
                    "%s: %s has elements of type %d, which is not supported".formatted(origin, place, tensor.type()));
        }
        MemorySegment all = segment(constantSegment, "the constant " + place);
        if (tensor.constant() < 0 || tensor.constant() >= constants.length) {
            throw new CheckpointException("%s is damaged: %s is constant %d of %d"
                    .formatted(origin, place, tensor.constant(), constants.length));
        }
        long offset = constants[tensor.constant()];
        long size = Tensor.bytes(tensor.shape(), elementBytes);
        if (offset < 0 || size < 0 || offset > all.byteSize() || size > all.byteSize() - offset) {
            throw new CheckpointException(
                    "%s is damaged: %s has the shape %s and begins at byte %s of the constants, which are %d bytes"
                            .formatted(origin, place, tensor.shape(), Long.toUnsignedString(offset), all.byteSize()));
        }
        return all.asSlice(offset, size);
    }

    /** What the program does with tokens. */
    Method forward() {
        return methods.stream()
                .filter(plan -> plan.text(0, "name").equals(FORWARD))
                .findFirst()
                .map(ProgramFile::method)
                .orElseThrow(() -> new CheckpointException(
                        "%s has no method '%s'; it has %s".formatted(origin, FORWARD, methodNames())));
    }

    /** The names of all methods, in the order of the file. */
    List<String> methodNames() {
        return methods.stream().map(plan -> plan.text(0, "name")).toList();
    }

    /** The whole number that a method without steps tells of the model, or empty where there is none of that name. */
    Optional<Long> metadata(String name) {
        return methods.stream()
                .filter(plan -> plan.text(0, "name").equals(name))
                .findFirst()
                .map(ProgramFile::method)
                .filter(method -> method.outputs().size() == 1)
                .map(method -> value(method, method.outputs().getFirst()))
                .flatMap(value ->
                        value instanceof Method.Value.Whole whole ? Optional.of(whole.number()) : Optional.empty());
    }

    /** A value of a method by its number. */
    Method.Value value(Method method, int number) {
        if (number < 0 || number >= method.values().size()) {
            throw new CheckpointException("%s is damaged: the method '%s' uses value %d of %d"
                    .formatted(origin, method.name(), number, method.values().size()));
        }
        return method.values().get(number);
    }

    private static Map<String, Long> named(Flatbuffer.Table program) {
        Map<String, Long> segmentOf = new HashMap<>();
        for (Flatbuffer.Table data : program.tables(7, "named_data")) {
            String key = data.text(0, "key");
            if (key.isEmpty()) {
                throw data.damaged("has no name");
            }
            if (segmentOf.put(key, data.unsignedInteger(1)) != null) {
                throw data.damaged("has the name '%s', as another one has".formatted(key));
            }
        }
        return segmentOf;
    }

    private static Method method(Flatbuffer.Table plan) {
        List<String> operators = plan.tables(6, "operators").stream()
                .map(operator -> operator.text(0, "name"))
                .toList();
        List<Flatbuffer.Table> chains = plan.tables(5, "chains");
        if (chains.size() != 1) {
            throw plan.unsupported("has %d chains of instructions in place of one".formatted(chains.size()));
        }
        return new Method(
                plan.text(0, "name"),
                plan.tables(2, "values").stream().map(ProgramFile::value).toList(),
                boxed(plan.integers(3, "inputs")),
                boxed(plan.integers(4, "outputs")),
                chains.getFirst().tables(2, "instructions").stream()
                        .map(instruction -> step(instruction, operators))
                        .toList(),
                plan.tables(7, "delegates").stream().map(ProgramFile::delegate).toList());
    }

    private static Method.Value value(Flatbuffer.Table union) {
        int tag = union.unsignedByte(0);
        Flatbuffer.Table value = union.requireTable(1, "val");
        return switch (tag) {
            case 1 -> new Method.Value.None();
            case 2 -> new Method.Value.Whole(value.longInteger(0));
            case 3 -> new Method.Value.Whole(value.unsignedByte(0));
            case 4 -> new Method.Value.Real(value.real(0));
            case 5 ->
                new Method.Value.Array(
                        value.unsignedByte(0),
                        Arrays.stream(value.integers(2, "sizes"))
                                .mapToObj(size -> (long) size)
                                .toList(),
                        value.has(6) ? 0 : value.integer(5),
                        value.table(6, "allocation_info")
                                .map(place -> new Method.Value.Place(
                                        place.unsignedInteger(0), place.unsignedInteger(1), place.unsignedInteger(2))));
            case 7 ->
                // numbers of values, or where those are too large, numbers that no guard's method reads
                new Method.Value.Several(Arrays.stream(value.longIntegers(0, "items"))
                        .mapToObj(item -> Math.clamp(item, -1, Integer.MAX_VALUE))
                        .toList());
            case 10, 11 -> new Method.Value.Several(boxed(value.integers(0, "items")));
            default -> new Method.Value.Other(tag);
        };
    }

    private static Method.Step step(Flatbuffer.Table union, List<String> operators) {
        int tag = union.unsignedByte(0);
        Flatbuffer.Table instruction = union.requireTable(1, "instr_args");
        return switch (tag) {
            case 1 -> {
                int operator = instruction.integer(0);
                if (operator < 0 || operator >= operators.size()) {
                    throw instruction.damaged("calls operator %d of %d".formatted(operator, operators.size()));
                }
                yield new Method.Step.Kernel(operators.get(operator), boxed(instruction.integers(1, "args")));
            }
            case 2 -> new Method.Step.Call(instruction.integer(0), boxed(instruction.integers(1, "args")));
            default ->
                throw instruction.unsupported(
                        "is an instruction of kind %d; known are calls of kernels (1) and delegates (2)"
                                .formatted(tag));
        };
    }

    private static Method.Delegate delegate(Flatbuffer.Table delegate) {
        Flatbuffer.Table data = delegate.requireTable(1, "processed");
        if (data.unsignedByte(0) != IN_SEGMENT) {
            throw data.unsupported("keeps a delegate inside of the flatbuffer");
        }
        return new Method.Delegate(delegate.text(0, "id"), data.unsignedInteger(1));
    }

    private String text(long at) {
        return new String(file.asSlice(at, Integer.BYTES).toArray(ValueLayout.JAVA_BYTE), StandardCharsets.ISO_8859_1);
    }

    private static List<Integer> boxed(int[] numbers) {
        return Arrays.stream(numbers).boxed().toList();
    }
}
