package dev.corral.quantization.replica;

import com.google.flatbuffers.FlatBufferBuilder;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The flatbuffer of an ExecuTorch program while it is built (pytorch/executorch:schema/program.fbs, version 0.4). */
final class PhoneProgram {

    static final int UINT8 = 0;
    static final int INT64 = 4;
    static final int FLOAT16 = 5;
    static final int FLOAT32 = 6;

    private static final int KERNEL = 1;
    private static final int CALL = 2;
    private static final int SLOTS = 10;

    private final FlatBufferBuilder builder = new FlatBufferBuilder(1 << 16);
    private final List<Integer> values = new ArrayList<>();
    private final List<Integer> steps = new ArrayList<>();
    private final Map<String, Integer> operators = new LinkedHashMap<>();
    private int delegates;

    /** A table of one scalar or offset in slot 0. */
    private interface Field {
        void add(FlatBufferBuilder builder);
    }

    private int table(Field... fields) {
        builder.startTable(SLOTS);
        for (Field field : fields) {
            field.add(builder);
        }
        return builder.endTable();
    }

    private int value(int tag, int table) {
        values.add(table(b -> b.addOffset(1, table, 0), b -> b.addByte(0, (byte) tag, 0)));
        return values.size() - 1;
    }

    int none() {
        return value(1, table());
    }

    int whole(long number) {
        return value(2, table(b -> b.addLong(0, number, 0)));
    }

    int flag(boolean set) {
        return value(3, table(b -> b.addBoolean(0, set, false)));
    }

    int real(double number) {
        return value(4, table(b -> b.addDouble(0, number, 0)));
    }

    /** A list of whole numbers, which are values themselves. */
    int wholes(int... of) {
        int items = longs(Arrays.stream(of).asLongStream().toArray());
        return value(7, table(b -> b.addOffset(0, items, 0)));
    }

    /** A list of tensors. */
    int tensors(int... of) {
        int items = integers(of);
        return value(10, table(b -> b.addOffset(0, items, 0)));
    }

    /** A list of tensors, of which -1 stands for none. */
    int optionalTensors(int... of) {
        int items = integers(of);
        return value(11, table(b -> b.addOffset(0, items, 0)));
    }

    /** A tensor of the file. */
    int constant(int type, int index, int... sizes) {
        return tensor(type, index, false, sizes);
    }

    /** A tensor that is computed. */
    int computed(int type, int... sizes) {
        return tensor(type, 0, true, sizes);
    }

    /** A tensor without a place of its own, such as an input or a cache. */
    int unplaced(int type, int... sizes) {
        return tensor(type, 0, false, sizes);
    }

    private int tensor(int type, int index, boolean placed, int... sizes) {
        int shape = integers(sizes);
        byte[] order = new byte[sizes.length];
        for (int i = 0; i < order.length; i++) {
            order[i] = (byte) i;
        }
        int dimensions = builder.createByteVector(order);
        int place = placed ? table(b -> b.addInt(0, 1, 0)) : 0;
        return value(
                5,
                table(
                        b -> b.addOffset(2, shape, 0),
                        b -> b.addOffset(3, dimensions, 0),
                        b -> b.addInt(5, index, 0),
                        b -> b.addOffset(6, place, 0),
                        b -> b.addByte(0, (byte) type, 0)));
    }

    /** Adds a step of an operator, such as {@code aten::mul}. */
    void kernel(String operator, int... arguments) {
        int number = operators.computeIfAbsent(operator, _ -> operators.size());
        int args = integers(arguments);
        step(KERNEL, table(b -> b.addOffset(1, args, 0), b -> b.addInt(0, number, 0)));
    }

    /** Adds a step of the next delegate. */
    void call(int... arguments) {
        int number = delegates++;
        int args = integers(arguments);
        step(CALL, table(b -> b.addOffset(1, args, 0), b -> b.addInt(0, number, 0)));
    }

    private void step(int tag, int table) {
        steps.add(table(b -> b.addOffset(1, table, 0), b -> b.addByte(0, (byte) tag, 0)));
    }

    /**
     * The whole program.
     *
     * @param metadata whole numbers by the names of the methods that tell them
     * @param offsets of the constants, in segment 0
     * @param segments sizes; the first has the constants, the others are the delegates'
     */
    byte[] finish(int[] inputs, int output, Map<String, Long> metadata, long[] offsets, List<Segment> segments) {
        int[] delegateTables = new int[delegates];
        for (int i = 0; i < delegates; i++) {
            int segment = i + 1;
            int processed = table(b -> b.addInt(1, segment, 0), b -> b.addByte(0, (byte) 1, 0));
            int id = builder.createString("XnnpackBackend");
            delegateTables[i] = table(b -> b.addOffset(0, id, 0), b -> b.addOffset(1, processed, 0));
        }
        int[] operatorTables = operators.keySet().stream()
                .mapToInt(name -> {
                    int text = builder.createString(name);
                    return table(b -> b.addOffset(0, text, 0));
                })
                .toArray();
        List<Integer> methods = new ArrayList<>();
        methods.add(method("forward", values, inputs, output, steps, operatorTables, delegateTables));
        metadata.forEach((name, number) -> {
            values.clear();
            int only = whole(number);
            methods.add(method(name, values, new int[0], only, List.of(), new int[0], new int[0]));
        });
        int[] segmentTables = segments.stream()
                .mapToInt(segment -> table(b -> b.addLong(0, segment.offset, 0), b -> b.addLong(1, segment.size, 0)))
                .toArray();
        int constantOffsets = longs(offsets);
        int constants = table(b -> b.addOffset(1, constantOffsets, 0));
        int plans = builder.createVectorOfTables(toArray(methods));
        int data = builder.createVectorOfTables(segmentTables);
        int program =
                table(b -> b.addOffset(1, plans, 0), b -> b.addOffset(4, data, 0), b -> b.addOffset(5, constants, 0));
        builder.finish(program, "ET12");
        return bytes(builder);
    }

    /** Where a segment lies, counted from the first one. */
    record Segment(long offset, long size) {}

    private int method(
            String name,
            List<Integer> tables,
            int[] inputs,
            int output,
            List<Integer> instructions,
            int[] operatorTables,
            int[] delegateTables) {
        int text = builder.createString(name);
        int all = builder.createVectorOfTables(toArray(tables));
        int in = integers(inputs);
        int out = integers(output);
        int order = builder.createVectorOfTables(toArray(instructions));
        int chain = table(b -> b.addOffset(2, order, 0));
        int chains = builder.createVectorOfTables(new int[] {chain});
        int operatorVector = builder.createVectorOfTables(operatorTables);
        int delegateVector = builder.createVectorOfTables(delegateTables);
        return table(
                b -> b.addOffset(0, text, 0),
                b -> b.addOffset(2, all, 0),
                b -> b.addOffset(3, in, 0),
                b -> b.addOffset(4, out, 0),
                b -> b.addOffset(5, chains, 0),
                b -> b.addOffset(6, operatorVector, 0),
                b -> b.addOffset(7, delegateVector, 0));
    }

    private int integers(int... numbers) {
        builder.startVector(Integer.BYTES, numbers.length, Integer.BYTES);
        for (int i = numbers.length - 1; i >= 0; i--) {
            builder.addInt(numbers[i]);
        }
        return builder.endVector();
    }

    private int longs(long... numbers) {
        builder.startVector(Long.BYTES, numbers.length, Long.BYTES);
        for (int i = numbers.length - 1; i >= 0; i--) {
            builder.addLong(numbers[i]);
        }
        return builder.endVector();
    }

    private static int[] toArray(List<Integer> numbers) {
        return numbers.stream().mapToInt(number -> number).toArray();
    }

    static byte[] bytes(FlatBufferBuilder builder) {
        ByteBuffer data = builder.dataBuffer();
        byte[] bytes = new byte[data.remaining()];
        data.get(bytes);
        return bytes;
    }
}
