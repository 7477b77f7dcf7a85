package dev.corral.quantization.replica;

import dev.corral.quantization.checkpoint.CheckpointException;
import dev.corral.quantization.graph.LlamaConfig;
import dev.corral.quantization.graph.RotaryTable;
import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SplittableRandom;
import tools.jackson.databind.json.JsonMapper;

/**
 * A stand-in for what Meta publishes for phones: an ExecuTorch program as version 0.4 exports it, with the geometry of a
 * true guard, random weights of 4 bits and a head for the tokens of a verdict; and the files that lie beside it. It takes
 * the time, memory and disk of the true one and judges nothing.
 *
 * @param seed the same seed gives the same bytes
 */
public record PhoneReplica(ReplicaShape shape, long seed) {

    /** The name of the program. */
    public static final String PROGRAM = "replica_xnnpack.pte";

    /** The name of the tokenizer. */
    public static final String TOKENIZER = "tokenizer.model";

    /** The name of the model's parameters. */
    public static final String PARAMETERS = "params.json";

    private static final int GROUP = 256;
    private static final int EMBEDDING_GROUP = 32;
    private static final int POSITIONS = 8193;
    private static final int FEW = 127;
    private static final int SEGMENT_ALIGNMENT = 128;
    private static final int CONSTANT_ALIGNMENT = 16;
    private static final int HEADER_BYTES = 24;
    private static final int HEADER_AT = 8;
    private static final int CHUNK_BYTES = 1 << 20;
    private static final float EPSILON = 1e-5f;

    /** Weights around 0 with the deviation 0.02: numbers of 4 bits have one of 4.6. */
    private static final float SCALE = 0.02f / 4.6f;

    /** What an answer of Llama Guard 3 1B consists of, in no order. */
    private static final List<Integer> HEAD_TOKENS =
            List.of(128009, 271, 198, 39257, 19193, 50, 21861, 24, 23, 22, 21, 20, 19, 18, 17, 16, 605, 806, 717, 1032);

    /** Bytes that are made when they are written. */
    private interface Content {
        void write(OutputStream out) throws IOException;
    }

    private record Part(long bytes, Content content) {

        static Part of(byte[] bytes) {
            return new Part(bytes.length, out -> out.write(bytes));
        }
    }

    /**
     * Writes the program and the files beside it.
     *
     * @param to folder that must not exist yet
     * @throws CheckpointException if there is something where it is to be
     */
    public void write(Path to) throws IOException {
        if (Files.exists(to)) {
            throw new CheckpointException("%s exists already: name a folder that does not, or delete it".formatted(to));
        }
        Files.createDirectories(to);
        ReplicaTokenizer.writeRanks(to.resolve(TOKENIZER));
        Files.writeString(to.resolve(PARAMETERS), parameters());
        new Writing().write(to.resolve(PROGRAM));
    }

    private String parameters() {
        return JsonMapper.shared()
                .createObjectNode()
                .put("dim", shape.hidden())
                .put("n_layers", shape.layers())
                .put("n_heads", shape.heads())
                .put("n_kv_heads", shape.kvHeads())
                .put("vocab_size", ReplicaShape.VOCABULARY)
                .put("norm_eps", 1e-5)
                .put("rope_theta", 500_000.0)
                .put("use_scaled_rope", true)
                .toPrettyString();
    }

    private LlamaConfig config() {
        return new LlamaConfig(
                shape.hidden(),
                shape.layers(),
                shape.heads(),
                shape.kvHeads(),
                shape.headSize(),
                shape.intermediate(),
                ReplicaShape.VOCABULARY,
                POSITIONS,
                500_000,
                Optional.of(new LlamaConfig.RopeScaling.Llama3(8, 1, 4, 8192)),
                EPSILON,
                false);
    }

    private final class Writing {

        private final SplittableRandom random = new SplittableRandom(seed);
        private final PhoneProgram program = new PhoneProgram();
        private final List<Part> constants = new ArrayList<>();
        private final List<PhonePayload> payloads = new ArrayList<>();
        private final int tokens = program.unplaced(PhoneProgram.INT64, 1, FEW);
        private final int start = program.unplaced(PhoneProgram.INT64, 1);
        private final int count = program.whole(0);
        private final int none = program.none();
        private final int zero = program.whole(0);
        private final int one = program.whole(1);
        private final int minusOne = program.whole(-1);
        private final int yes = program.flag(true);
        private final int lastDimension = program.wholes(minusOne);

        void write(Path file) throws IOException {
            int output = decoder();
            List<Part> parts = new ArrayList<>();
            long[] offsets = new long[constants.size() + 1];
            long constantBytes = 0;
            for (int i = 0; i < constants.size(); i++) {
                long padding = Math.floorMod(-constantBytes, CONSTANT_ALIGNMENT);
                parts.add(Part.of(new byte[(int) padding]));
                parts.add(constants.get(i));
                constantBytes += padding;
                offsets[i + 1] = constantBytes;
                constantBytes += constants.get(i).bytes();
            }
            List<PhoneProgram.Segment> segments = new ArrayList<>();
            segments.add(new PhoneProgram.Segment(0, constantBytes));
            long end = constantBytes;
            for (PhonePayload payload : payloads) {
                long padding = Math.floorMod(-end, SEGMENT_ALIGNMENT);
                byte[] head = payload.head();
                parts.add(Part.of(new byte[(int) padding]));
                parts.add(Part.of(head));
                parts.add(numbers(payload.numberBytes()));
                long size = head.length + payload.numberBytes();
                segments.add(new PhoneProgram.Segment(end + padding, size));
                end += padding + size;
            }
            Map<String, Long> metadata = new LinkedHashMap<>();
            metadata.put("get_max_seq_len", (long) POSITIONS);
            metadata.put("get_n_layers", (long) shape.layers());
            metadata.put("get_vocab_size", (long) ReplicaShape.VOCABULARY);
            byte[] flatbuffer = program.finish(new int[] {tokens, start}, output, metadata, offsets, segments);
            try (OutputStream out = new BufferedOutputStream(Files.newOutputStream(file), CHUNK_BYTES)) {
                out.write(withHeader(flatbuffer));
                for (Part part : parts) {
                    part.content().write(out);
                }
            }
        }

        /** The flatbuffer with the extended header after its identifier, filled up to where segments begin. */
        private static byte[] withHeader(byte[] flatbuffer) {
            int length = flatbuffer.length + HEADER_BYTES;
            int base = Math.ceilDiv(length, SEGMENT_ALIGNMENT) * SEGMENT_ALIGNMENT;
            ByteBuffer file = ByteBuffer.allocate(base).order(ByteOrder.LITTLE_ENDIAN);
            file.put(flatbuffer, 0, HEADER_AT);
            file.put(new byte[] {'e', 'h', '0', '0'})
                    .putInt(HEADER_BYTES)
                    .putLong(length)
                    .putLong(base)
                    .put(flatbuffer, HEADER_AT, flatbuffer.length - HEADER_AT);
            file.putInt(0, file.getInt(0) + HEADER_BYTES);
            return file.array();
        }

        private Part numbers(long bytes) {
            return new Part(bytes, out -> {
                byte[] chunk = new byte[CHUNK_BYTES];
                for (long rest = bytes; rest > 0; rest -= chunk.length) {
                    random.nextBytes(chunk);
                    out.write(chunk, 0, (int) Math.min(rest, chunk.length));
                }
            });
        }

        private Part halfScales(long count) {
            return new Part(count * Short.BYTES, out -> {
                ByteBuffer row = ByteBuffer.allocate(Short.BYTES).order(ByteOrder.LITTLE_ENDIAN);
                for (long i = 0; i < count; i++) {
                    out.write(row.putShort(0, Float.floatToFloat16(scale())).array());
                }
            });
        }

        private static Part floats(float[] numbers) {
            ByteBuffer bytes = ByteBuffer.allocate(numbers.length * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
            bytes.asFloatBuffer().put(numbers);
            return Part.of(bytes.array());
        }

        private float scale() {
            return SCALE * (0.75f + 0.5f * random.nextFloat());
        }

        private int constant(Part part, int type, int... sizes) {
            constants.add(part);
            return program.constant(type, constants.size(), sizes);
        }

        /** A value that an operator computes: its arguments end with the result, twice. */
        private int apply(int result, String operator, int... arguments) {
            int[] all = Arrays.copyOf(arguments, arguments.length + 2);
            all[arguments.length] = result;
            all[arguments.length + 1] = result;
            program.kernel(operator, all);
            return result;
        }

        private int hidden(int... before) {
            return floats(before, shape.hidden());
        }

        private int floats(int[] before, int... last) {
            int[] sizes = Arrays.copyOf(before, before.length + last.length);
            System.arraycopy(last, 0, sizes, before.length, last.length);
            return program.computed(PhoneProgram.FLOAT32, sizes);
        }

        private int decoder() {
            int embedding = constant(
                    numbers((long) ReplicaShape.VOCABULARY * shape.hidden() / 2),
                    PhoneProgram.UINT8,
                    ReplicaShape.VOCABULARY,
                    shape.hidden() / 2);
            int groups = shape.hidden() / EMBEDDING_GROUP;
            int scales = constant(
                    halfScales((long) ReplicaShape.VOCABULARY * groups),
                    PhoneProgram.FLOAT16,
                    ReplicaShape.VOCABULARY,
                    groups);
            RotaryTable table = new RotaryTable(config(), POSITIONS);
            int half = shape.headSize() / 2;
            int cosines = constant(floats(table.cosineValues()), PhoneProgram.FLOAT32, POSITIONS, half);
            int sines = constant(floats(table.sineValues()), PhoneProgram.FLOAT32, POSITIONS, half);

            int others = program.computed(PhoneProgram.FLOAT32, 1, ReplicaShape.VOCABULARY);
            apply(others, "aten::full", program.wholes(one), program.real(Double.NEGATIVE_INFINITY));
            int ids =
                    apply(program.computed(PhoneProgram.INT64, HEAD_TOKENS.size()), "aten::clone", headTokens(), none);
            program.kernel("aten::sym_size", tokens, one, count);
            int state = apply(
                    hidden(1, FEW),
                    "quantized_decomposed::embedding_4bit",
                    embedding,
                    scales,
                    none,
                    zero,
                    zero,
                    tokens,
                    program.whole(PhoneProgram.FLOAT32));
            int first = program.whole(0);
            program.kernel(
                    "aten::_local_scalar_dense",
                    apply(program.computed(PhoneProgram.INT64), "aten::select_copy", start, zero, zero),
                    first);
            int end = program.whole(0);
            program.kernel("executorch_prim::add", first, count, end);
            int turnedCosines = view(rows(cosines, first, end), 1, FEW, 1, half);
            int turnedSines = view(rows(sines, first, end), 1, FEW, 1, half);
            for (int layer = 0; layer < shape.layers(); layer++) {
                state = layer(state, turnedCosines, turnedSines, first);
            }
            int last = apply(hidden(1), "aten::select_copy", state, one, minusOne);
            int normal = norm(last, 1);
            int logits = floats(new int[] {1}, HEAD_TOKENS.size());
            payload(HEAD_TOKENS.size(), shape.hidden(), 1);
            program.call(normal, logits);
            return apply(
                    program.computed(PhoneProgram.FLOAT32, 1, ReplicaShape.VOCABULARY),
                    "aten::index_put",
                    others,
                    program.optionalTensors(-1, ids),
                    view(logits, HEAD_TOKENS.size()),
                    program.flag(false));
        }

        private int headTokens() {
            ByteBuffer bytes =
                    ByteBuffer.allocate(HEAD_TOKENS.size() * Long.BYTES).order(ByteOrder.LITTLE_ENDIAN);
            HEAD_TOKENS.forEach(bytes::putLong);
            return constant(Part.of(bytes.array()), PhoneProgram.INT64, HEAD_TOKENS.size());
        }

        private int rows(int table, int first, int end) {
            int[] sizes = {FEW, shape.headSize() / 2};
            return apply(
                    program.computed(PhoneProgram.FLOAT32, sizes), "aten::slice_copy", table, zero, first, end, one);
        }

        private int view(int x, int... sizes) {
            int result = program.computed(PhoneProgram.FLOAT32, sizes);
            program.kernel("executorch_prim::et_view", x, none, result);
            return result;
        }

        private int layer(int state, int cosines, int sines, int first) {
            int width = shape.headSize();
            int normal = norm(state, 1, FEW);
            int query = linear(normal, shape.heads() * width, shape.hidden());
            int key = linear(normal, shape.kvHeads() * width, shape.hidden());
            int value = view(linear(normal, shape.kvHeads() * width, shape.hidden()), 1, FEW, shape.kvHeads(), width);
            int attention = apply(
                    floats(new int[] {1, FEW}, shape.heads(), width),
                    "llama::sdpa_with_kv_cache",
                    rotated(query, shape.heads(), cosines, sines),
                    rotated(key, shape.kvHeads(), cosines, sines),
                    value,
                    program.unplaced(PhoneProgram.FLOAT32, 1, POSITIONS, shape.kvHeads(), width),
                    program.unplaced(PhoneProgram.FLOAT32, 1, POSITIONS, shape.kvHeads(), width),
                    first,
                    count,
                    none,
                    program.real(0),
                    yes,
                    none);
            int mixed = linear(view(attention, 1, FEW, shape.heads() * width), shape.hidden(), shape.hidden());
            int after = apply(hidden(1, FEW), "aten::add", state, mixed, one);
            int mlpInput = norm(after, 1, FEW);
            int gate = linear(mlpInput, shape.intermediate(), shape.hidden());
            int up = linear(mlpInput, shape.intermediate(), shape.hidden());
            int active = apply(wide(), "aten::mul", gate, apply(wide(), "aten::sigmoid", gate));
            int down = linear(apply(wide(), "aten::mul", active, up), shape.hidden(), shape.intermediate());
            return apply(hidden(1, FEW), "aten::add", after, down, one);
        }

        private int wide() {
            return program.computed(PhoneProgram.FLOAT32, 1, FEW, shape.intermediate());
        }

        private int norm(int x, int... before) {
            float[] ones = new float[shape.hidden()];
            Arrays.fill(ones, 1);
            int weights = constant(floats(ones), PhoneProgram.FLOAT32, shape.hidden());
            int epsilon = constant(floats(new float[] {EPSILON}), PhoneProgram.FLOAT32);
            int square = apply(hidden(before), "aten::mul", x, x);
            int mean = apply(floats(before, 1), "aten::mean", square, lastDimension, yes, none);
            int shifted = apply(floats(before, 1), "aten::add", mean, epsilon, one);
            int inverse = apply(floats(before, 1), "aten::rsqrt", shifted);
            int scaled = apply(hidden(before), "aten::mul", x, inverse);
            return apply(hidden(before), "aten::mul", scaled, weights);
        }

        private int linear(int x, int rows, int columns) {
            payload(rows, columns, 2);
            int product = floats(new int[] {1, FEW}, rows);
            program.call(x, count, product);
            return product;
        }

        private void payload(int rows, int columns, int external) {
            float[] scales = new float[rows * (columns / GROUP)];
            for (int i = 0; i < scales.length; i++) {
                scales[i] = scale();
            }
            payloads.add(new PhonePayload(rows, columns, GROUP, scales, external));
        }

        private int rotated(int x, int heads, int cosines, int sines) {
            int half = shape.headSize() / 2;
            int pairs = view(x, 1, FEW, heads, half, 2);
            int even = half(pairs, 0, heads);
            int odd = half(pairs, 1, heads);
            int evenTurned =
                    apply(halves(heads), "aten::sub", turn(even, cosines, heads), turn(odd, sines, heads), one);
            int oddTurned = apply(halves(heads), "aten::add", turn(even, sines, heads), turn(odd, cosines, heads), one);
            int joined = apply(
                    program.computed(PhoneProgram.FLOAT32, 1, FEW, heads, half, 2),
                    "aten::cat",
                    program.tensors(column(evenTurned, heads), column(oddTurned, heads)),
                    minusOne);
            return view(joined, 1, FEW, heads, shape.headSize());
        }

        private int half(int pairs, int which, int heads) {
            int half = shape.headSize() / 2;
            int slice = apply(
                    program.computed(PhoneProgram.FLOAT32, 1, FEW, heads, half, 1),
                    "aten::slice_copy",
                    pairs,
                    program.whole(4),
                    program.whole(which),
                    program.whole(which + 1L),
                    one);
            return apply(halves(heads), "aten::squeeze_copy", slice, program.wholes(program.whole(4)));
        }

        private int turn(int half, int table, int heads) {
            return apply(halves(heads), "aten::mul", half, table);
        }

        private int column(int half, int heads) {
            return apply(
                    program.computed(PhoneProgram.FLOAT32, 1, FEW, heads, shape.headSize() / 2, 1),
                    "aten::unsqueeze_copy",
                    half,
                    program.whole(4));
        }

        private int halves(int heads) {
            return program.computed(PhoneProgram.FLOAT32, 1, FEW, heads, shape.headSize() / 2);
        }
    }
}
