package dev.corral.quantization.safetensors;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.corral.quantization.checkpoint.Checkpoint;
import dev.corral.quantization.checkpoint.CheckpointException;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SafetensorsCheckpointTests {

    @TempDir
    Path folder;

    @Test
    void openWhenTypesDifferReadsTheSameNumbers() throws IOException {
        write(
                """
                {"a":{"dtype":"F32","shape":[2,2],"data_offsets":[0,16]},
                 "b":{"dtype":"F16","shape":[2],"data_offsets":[16,20]},
                 "c":{"dtype":"BF16","shape":[2],"data_offsets":[20,24]},
                 "ids":{"dtype":"I64","shape":[1],"data_offsets":[24,32]},
                 "__metadata__":{"format":"pt"}}""",
                buffer(32)
                        .putFloat(1)
                        .putFloat(2)
                        .putFloat(3)
                        .putFloat(-4)
                        .putShort(Float.floatToFloat16(0.5f))
                        .putShort(Float.floatToFloat16(-65504f))
                        .putShort((short) (Float.floatToIntBits(1.5f) >> 16))
                        .putShort((short) (Float.floatToIntBits(-3f) >> 16)));

        try (Checkpoint checkpoint = SafetensorsCheckpoint.open(folder)) {
            float[] row = new float[2];
            checkpoint.require("a").row(1, row);
            assertThat(row).containsExactly(3, -4);
            assertThat(checkpoint.require("b").vector()).containsExactly(0.5f, -65504f);
            assertThat(checkpoint.require("c").vector()).containsExactly(1.5f, -3f);
            assertThat(checkpoint.names()).containsExactly("a", "b", "c");
        }
    }

    @Test
    void openWhenShardedFindsTensorsOfAllFiles() {
        try (Checkpoint checkpoint =
                SafetensorsCheckpoint.open(Path.of("src/test/resources/fixtures/tiny-llama-sharded"))) {
            assertThat(checkpoint.files()).hasSize(2);
            assertThat(checkpoint.names())
                    .contains("model.embed_tokens.weight", "model.layers.2.mlp.down_proj.weight", "lm_head.weight");
        }
    }

    @Test
    void openWhenShardIsMissingNamesIt() throws IOException {
        Files.writeString(
                folder.resolve("model.safetensors.index.json"),
                "{\"weight_map\":{\"a\":\"model-00001-of-00002.safetensors\"}}");
        refuses("names the file 'model-00001-of-00002.safetensors', which is not in");
    }

    @Test
    void openWhenIndexLeavesTheFolderRefuses() throws IOException {
        Files.writeString(
                folder.resolve("model.safetensors.index.json"), "{\"weight_map\":{\"a\":\"../../etc/passwd\"}}");
        refuses("names the file '../../etc/passwd', which is not in");
    }

    @Test
    void openWhenFolderHasNoWeightsSaysWhatIsWanted() {
        refuses("holds neither model.safetensors nor model.safetensors.index.json: give the folder of a Hugging Face");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            {"a":{"dtype":"F32","shape":[4],"data_offsets":[0,16]}}    | 8  | the file is cut off
            {"a":{"dtype":"F32","shape":[3],"data_offsets":[0,16]}}    | 16 | of shape [3] needs 12 bytes, but has 16
            {"a":{"dtype":"F8_E4M3","shape":[4],"data_offsets":[0,4]}} | 4  | has the type F8_E4M3; F32, F16 and BF16 are supported
            {"a":                                                      | 4  | its header is not JSON
            {"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}} | 8 | its header is not JSON (Duplicate Object property "a")
            {"":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}      | 4  | a tensor has no name
            {"a":{"dtype":"F32","shape":[1152921504606846976,64],"data_offsets":[0,4]}} | 4 | tensor 'a' has the impossible shape [1152921504606846976, 64]
            {"a":{"dtype":"F32","shape":[4611686018427387905],"data_offsets":[0,4]}} | 4 | tensor 'a' has the impossible shape [4611686018427387905]
            {"a":{"dtype":"F32","shape":[-1,-1],"data_offsets":[0,4]}} | 4  | tensor 'a' has the impossible shape [-1, -1]
            """)
    void openWhenFileIsDamagedSaysHow(String header, int dataBytes, String message) throws IOException {
        write(header, buffer(dataBytes));
        refuses(message);
    }

    @Test
    void openWhenHeaderIsLongerThanTheFileSaysSo() throws IOException {
        Files.write(
                folder.resolve("model.safetensors"), buffer(16).putLong(1000).array());
        refuses("its header claims 1000 of 16 bytes");
    }

    @Test
    void requireShapeWhenDifferentNamesBoth() throws IOException {
        write("{\"a\":{\"dtype\":\"F32\",\"shape\":[2,1],\"data_offsets\":[0,8]}}", buffer(8));
        try (Checkpoint checkpoint = SafetensorsCheckpoint.open(folder)) {
            assertThatExceptionOfType(CheckpointException.class)
                    .isThrownBy(() -> checkpoint.require("a").requireShape(1, 2))
                    .withMessage(
                            "tensor 'a' should have the shape [1, 2] by the model's configuration, but has [2, 1]");
            assertThatExceptionOfType(CheckpointException.class)
                    .isThrownBy(() -> checkpoint.require("b"))
                    .withMessageContaining("tensor 'b' is missing");
        }
    }

    private void refuses(String message) {
        assertThatExceptionOfType(CheckpointException.class)
                .isThrownBy(() -> SafetensorsCheckpoint.open(folder).close())
                .withMessageContaining(message);
    }

    private static ByteBuffer buffer(int bytes) {
        return ByteBuffer.allocate(bytes).order(ByteOrder.LITTLE_ENDIAN);
    }

    private void write(String header, ByteBuffer data) throws IOException {
        byte[] json = header.getBytes(StandardCharsets.UTF_8);
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        out.writeBytes(buffer(8).putLong(json.length).array());
        out.writeBytes(json);
        out.writeBytes(data.array());
        Files.write(folder.resolve("model.safetensors"), out.toByteArray());
    }
}
