package dev.corral.quantization.graph;

/** Element types of ONNX tensors, with their numbers in {@code TensorProto.DataType} (onnx/onnx:onnx/onnx.proto). */
public enum ElementType {
    FLOAT(1, 4),
    UINT8(2, 1),
    INT8(3, 1),
    INT32(6, 4),
    INT64(7, 8),
    FLOAT16(10, 2);

    private final int code;
    private final int bytes;

    ElementType(int code, int bytes) {
        this.code = code;
        this.bytes = bytes;
    }

    int code() {
        return code;
    }

    int bytes() {
        return bytes;
    }
}
