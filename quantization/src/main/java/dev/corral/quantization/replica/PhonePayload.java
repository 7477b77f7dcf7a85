package dev.corral.quantization.replica;

import com.google.flatbuffers.FlatBufferBuilder;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * What ExecuTorch 0.4 makes for XNNPACK of one linear layer, but for the numbers of its weights, which follow it: a
 * header and a flatbuffer (pytorch/executorch:backends/xnnpack/serialization/schema.fbs).
 */
final class PhonePayload {

    private static final int HEADER_BYTES = 30;
    private static final int GRAPH_AT = 32;
    private static final int ALIGNMENT = 16;
    private static final int NONE = -1;
    private static final int SLOTS = 9;

    private final int rows;
    private final int columns;
    private final int group;
    private final float[] scales;
    private final int external;

    /**
     * A matrix's payload.
     *
     * @param scales one for each group of columns, row by row
     * @param external place of the product among the arguments of the call
     */
    PhonePayload(int rows, int columns, int group, float[] scales, int external) {
        this.rows = rows;
        this.columns = columns;
        this.group = group;
        this.scales = scales;
        this.external = external;
    }

    /** Bytes of the numbers. */
    long numberBytes() {
        return (long) rows * columns / 2;
    }

    /** Everything before the numbers. */
    byte[] head() {
        byte[] graph = graph();
        int constants = GRAPH_AT + Math.ceilDiv(graph.length, ALIGNMENT) * ALIGNMENT;
        ByteBuffer head = ByteBuffer.allocate(constants).order(ByteOrder.LITTLE_ENDIAN);
        head.putInt(0)
                .put(new byte[] {'X', 'H', '0', '0'})
                .putShort((short) HEADER_BYTES)
                .putInt(GRAPH_AT)
                .putInt(graph.length)
                .putInt(constants)
                .putLong(numberBytes());
        return head.put(GRAPH_AT, graph).array();
    }

    private byte[] graph() {
        FlatBufferBuilder builder = new FlatBufferBuilder(scales.length * Float.BYTES + 2048);
        int[] values = {
            value(builder, 1, tensor(builder, 1, 0, 0, 1, 0, 1, 127, columns)),
            value(builder, 2, quantised(builder, 9, 0, 1, 1, 127, columns)),
            value(builder, 2, quantised(builder, 10, 1, 2, rows, columns)),
            value(builder, 1, tensor(builder, 1, 0, external, 2, 3, 1, 127, rows))
        };
        int[] nodes = {node(builder, 18, 0, 1), node(builder, 2, 1, 2, NONE, 3)};
        builder.startTable(SLOTS);
        int nothing = builder.endTable();
        builder.startTable(SLOTS);
        builder.addLong(1, numberBytes(), 0);
        int numbers = builder.endTable();
        int data = builder.createVectorOfTables(new int[] {nothing, numbers});
        int valueVector = builder.createVectorOfTables(values);
        int nodeVector = builder.createVectorOfTables(nodes);
        builder.startTable(SLOTS);
        builder.addOffset(1, nodeVector, 0);
        builder.addOffset(2, valueVector, 0);
        builder.addInt(3, 2, 0);
        builder.addOffset(8, data, 0);
        builder.finish(builder.endTable(), "XN01");
        return PhoneProgram.bytes(builder);
    }

    private static int node(FlatBufferBuilder builder, int tag, int... numbers) {
        builder.startTable(SLOTS);
        for (int i = 0; i < numbers.length; i++) {
            builder.addInt(i, numbers[i], 0);
        }
        int node = builder.endTable();
        return value(builder, tag, node);
    }

    private static int value(FlatBufferBuilder builder, int tag, int table) {
        builder.startTable(SLOTS);
        builder.addOffset(1, table, 0);
        builder.addByte(0, (byte) tag, 0);
        return builder.endTable();
    }

    private static int tensor(
            FlatBufferBuilder builder, int type, int constant, int external, int flags, int id, int... dimensions) {
        builder.startVector(Integer.BYTES, dimensions.length, Integer.BYTES);
        for (int i = dimensions.length - 1; i >= 0; i--) {
            builder.addInt(dimensions[i]);
        }
        int shape = builder.endVector();
        builder.startTable(SLOTS);
        builder.addOffset(2, shape, 0);
        builder.addInt(1, dimensions.length, 0);
        builder.addInt(3, constant, 0);
        builder.addInt(4, external, 0);
        builder.addInt(5, flags, 0);
        builder.addInt(6, id, 0);
        builder.addShort(0, (short) type, 0);
        return builder.endTable();
    }

    /** A weight, where there is a constant, or what activations become. */
    private int quantised(FlatBufferBuilder builder, int type, int constant, int id, int... dimensions) {
        int tensor = tensor(builder, type, constant, NONE, 0, id, dimensions);
        boolean weight = constant != 0;
        int scaleVector = 0;
        if (weight) {
            builder.startVector(Float.BYTES, scales.length, Float.BYTES);
            for (int i = scales.length - 1; i >= 0; i--) {
                builder.addFloat(scales[i]);
            }
            scaleVector = builder.endVector();
        }
        builder.startTable(SLOTS);
        if (weight) {
            builder.addOffset(0, scaleVector, 0);
            builder.addInt(2, group, 0);
        } else {
            builder.addInt(0, 1, 0);
        }
        int quantisation = builder.endTable();
        builder.startTable(SLOTS);
        builder.addOffset(0, tensor, 0);
        builder.addOffset(2, quantisation, 0);
        builder.addByte(1, (byte) (weight ? 4 : 3), 0);
        return builder.endTable();
    }
}
