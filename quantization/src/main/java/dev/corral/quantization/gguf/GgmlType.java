package dev.corral.quantization.gguf;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.Optional;

/**
 * How GGUF stores the elements of a tensor: blocks of so many elements in so many bytes. Numbers and layouts are those of
 * {@code ggml-org/llama.cpp:ggml/include/ggml.h} and {@code ggml/src/ggml-common.h}; the arithmetic, operation by
 * operation in float32, is that of {@code gguf-py/gguf/quants.py}, so that every bit is the same.
 */
enum GgmlType {
    F32(0, 1, 4) {
        @Override
        void read(MemorySegment data, long at, float[] target, int from) {
            target[from] = data.get(FLOAT, at);
        }
    },
    F16(1, 1, 2) {
        @Override
        void read(MemorySegment data, long at, float[] target, int from) {
            target[from] = half(data, at);
        }
    },
    BF16(30, 1, 2) {
        @Override
        void read(MemorySegment data, long at, float[] target, int from) {
            target[from] = Float.intBitsToFloat(data.get(SHORT, at) << 16);
        }
    },
    Q4_0(2, 32, 18) {
        @Override
        void read(MemorySegment data, long at, float[] target, int from) {
            float scale = half(data, at);
            for (int i = 0; i < 32; i++) {
                target[from + i] = scale * (nibble(data, at + 2, i) - 8);
            }
        }
    },
    Q4_1(3, 32, 20) {
        @Override
        void read(MemorySegment data, long at, float[] target, int from) {
            float scale = half(data, at);
            float least = half(data, at + 2);
            for (int i = 0; i < 32; i++) {
                target[from + i] = scale * nibble(data, at + 4, i) + least;
            }
        }
    },
    Q5_0(6, 32, 22) {
        @Override
        void read(MemorySegment data, long at, float[] target, int from) {
            float scale = half(data, at);
            for (int i = 0; i < 32; i++) {
                int high = packed(data, at + 2, i, 1, 1);
                target[from + i] = scale * (nibble(data, at + 6, i) + 16 * high - 16);
            }
        }
    },
    Q5_1(7, 32, 24) {
        @Override
        void read(MemorySegment data, long at, float[] target, int from) {
            float scale = half(data, at);
            float least = half(data, at + 2);
            for (int i = 0; i < 32; i++) {
                int high = packed(data, at + 4, i, 1, 1);
                target[from + i] = scale * (nibble(data, at + 8, i) + 16 * high) + least;
            }
        }
    },
    Q8_0(8, 32, 34) {
        @Override
        void read(MemorySegment data, long at, float[] target, int from) {
            float scale = half(data, at);
            for (int i = 0; i < 32; i++) {
                target[from + i] = data.get(ValueLayout.JAVA_BYTE, at + 2 + i) * scale;
            }
        }
    },
    Q2_K(10, 256, 84) {
        @Override
        void read(MemorySegment data, long at, float[] target, int from) {
            float scale = half(data, at + 80);
            float least = half(data, at + 82);
            for (int i = 0; i < 256; i++) {
                float step = scale * packed(data, at, i / 16 * 2, 4, 1);
                float offset = least * packed(data, at, i / 16 * 2 + 1, 4, 1);
                target[from + i] = step * packed(data, at + 16, i, 2, 32) - offset;
            }
        }
    },
    Q3_K(11, 256, 110) {
        @Override
        void read(MemorySegment data, long at, float[] target, int from) {
            float scale = half(data, at + 108);
            for (int i = 0; i < 256; i++) {
                int factor = packed(data, at + 96, i / 16, 4, 8) + 16 * packed(data, at + 104, i / 16, 2, 4) - 32;
                int high = packed(data, at, i, 1, 32);
                target[from + i] = (scale * factor) * (packed(data, at + 32, i, 2, 32) + 4 * high - 4);
            }
        }
    },
    Q4_K(12, 256, 144) {
        @Override
        void read(MemorySegment data, long at, float[] target, int from) {
            float scale = half(data, at);
            float least = half(data, at + 2);
            for (int i = 0; i < 256; i++) {
                float step = scale * factor(data, at + 4, i / 32);
                float offset = least * leastFactor(data, at + 4, i / 32);
                target[from + i] = step * packed(data, at + 16, i, 4, 32) - offset;
            }
        }
    },
    Q5_K(13, 256, 176) {
        @Override
        void read(MemorySegment data, long at, float[] target, int from) {
            float scale = half(data, at);
            float least = half(data, at + 2);
            for (int i = 0; i < 256; i++) {
                float step = scale * factor(data, at + 4, i / 32);
                float offset = least * leastFactor(data, at + 4, i / 32);
                int number = packed(data, at + 48, i, 4, 32) + 16 * packed(data, at + 16, i, 1, 32);
                target[from + i] = step * number - offset;
            }
        }
    },
    Q6_K(14, 256, 210) {
        @Override
        void read(MemorySegment data, long at, float[] target, int from) {
            float scale = half(data, at + 208);
            for (int i = 0; i < 256; i++) {
                float step = scale * data.get(ValueLayout.JAVA_BYTE, at + 192 + i / 16);
                int number = packed(data, at, i, 4, 64) + 16 * packed(data, at + 128, i, 2, 32) - 32;
                target[from + i] = step * number;
            }
        }
    },
    IQ4_NL(20, 32, 18) {
        @Override
        void read(MemorySegment data, long at, float[] target, int from) {
            float scale = half(data, at);
            for (int i = 0; i < 32; i++) {
                target[from + i] = scale * UNEVEN[nibble(data, at + 2, i)];
            }
        }
    },
    IQ4_XS(23, 256, 136) {
        @Override
        void read(MemorySegment data, long at, float[] target, int from) {
            float scale = half(data, at);
            for (int i = 0; i < 256; i++) {
                int factor = packed(data, at + 4, i / 32, 4, 1) + 16 * packed(data, at + 2, i / 32, 2, 1) - 32;
                target[from + i] = (scale * factor) * UNEVEN[packed(data, at + 8, i, 4, 16)];
            }
        }
    };

    private static final ValueLayout.OfFloat FLOAT =
            ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfShort SHORT =
            ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    /** What the 4-bit numbers of the IQ4 types mean ({@code kvalues_iq4nl} in {@code ggml-common.h}). */
    private static final int[] UNEVEN = {-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113};

    private final int code;
    private final int elements;
    private final int bytes;

    GgmlType(int code, int elements, int bytes) {
        this.code = code;
        this.elements = elements;
        this.bytes = bytes;
    }

    static Optional<GgmlType> byCode(int code) {
        return Arrays.stream(values()).filter(type -> type.code == code).findFirst();
    }

    int code() {
        return code;
    }

    /** Elements of a block. */
    int elements() {
        return elements;
    }

    /** Bytes of a block. */
    int bytes() {
        return bytes;
    }

    /** Puts the elements of the block at a place of {@code data} into {@code target}. */
    abstract void read(MemorySegment data, long at, float[] target, int from);

    static float half(MemorySegment data, long at) {
        return Float.float16ToFloat(data.get(SHORT, at));
    }

    /** Of 32 numbers in 16 bytes the first 16 are the low halves. */
    static int nibble(MemorySegment data, long at, int i) {
        return packed(data, at, i, 4, 16);
    }

    /**
     * A number of few bits: in a run of bytes the first numbers are the lowest bits of each byte, then come the bits above
     * them, then the next run.
     *
     * @param width bits of a number
     * @param run bytes
     */
    private static int packed(MemorySegment data, long at, int i, int width, int run) {
        int perRun = run * Byte.SIZE / width;
        long place = at + (long) (i / perRun) * run + i % run;
        return (unsigned(data, place) >> (width * (i % perRun / run))) & ((1 << width) - 1);
    }

    private static int unsigned(MemorySegment data, long at) {
        return Byte.toUnsignedInt(data.get(ValueLayout.JAVA_BYTE, at));
    }

    /** The factor of a group's scale: 8 of them and 8 of the least values, with 6 bits each, are in 12 bytes. */
    private static int factor(MemorySegment data, long at, int group) {
        return group < 4
                ? unsigned(data, at + group) % 64
                : unsigned(data, at + group + 4) % 16 + 16 * (unsigned(data, at + group - 4) / 64);
    }

    private static int leastFactor(MemorySegment data, long at, int group) {
        return group < 4
                ? unsigned(data, at + group + 4) % 64
                : unsigned(data, at + group + 4) / 16 + 16 * (unsigned(data, at + group) / 64);
    }
}
