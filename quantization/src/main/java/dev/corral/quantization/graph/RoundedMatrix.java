package dev.corral.quantization.graph;

import java.nio.ByteBuffer;

/**
 * The 4-bit numbers of a matrix and the scales of their blocks, as {@code MatMulNBits} reads them: numbers around 8, two
 * a byte with the first one low; scales in 16 bits, row by row.
 */
public final class RoundedMatrix {

    static final int MIDDLE = 8;

    private final int blocksPerRow;
    private final int bytesPerRow;
    private final byte[] numbers;
    private final byte[] scales;

    /** Room for the rows of a matrix. */
    RoundedMatrix(int rows, int blocksPerRow, int blockSize) {
        this.blocksPerRow = blocksPerRow;
        this.bytesPerRow = blocksPerRow * blockSize / 2;
        this.numbers = new byte[Math.multiplyExact(rows, bytesPerRow)];
        this.scales = new byte[Math.multiplyExact(rows, blocksPerRow * Short.BYTES)];
    }

    /** Keeps one row; rows may come from several threads. */
    void put(int row, byte[] rowNumbers, short[] rowScales) {
        for (int i = 0; i < bytesPerRow; i++) {
            int low = rowNumbers[2 * i] + MIDDLE;
            int high = rowNumbers[2 * i + 1] + MIDDLE;
            numbers[row * bytesPerRow + i] = (byte) (low | high << 4);
        }
        ByteBuffer target = Initializer.littleEndian(scales);
        target.asShortBuffer().put(row * blocksPerRow, rowScales);
    }

    Initializer weights(String name, long... shape) {
        return new Initializer(name, ElementType.UINT8, Initializer.dimensions(shape), out -> out.write(numbers));
    }

    Initializer halfScales(String name, long... shape) {
        return new Initializer(name, ElementType.FLOAT16, Initializer.dimensions(shape), out -> out.write(scales));
    }
}
