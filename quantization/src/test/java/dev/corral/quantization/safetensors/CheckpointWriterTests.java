package dev.corral.quantization.safetensors;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.corral.quantization.checkpoint.Checkpoint;
import dev.corral.quantization.safetensors.CheckpointWriter.Entry;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.WritableByteChannel;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CheckpointWriterTests {

    private static final List<Entry> ENTRIES = List.of(
            new Entry("first", SafetensorsTensor.Type.F32, List.of(2L, 3L)),
            new Entry("second", SafetensorsTensor.Type.F32, List.of(5L)),
            new Entry("third", SafetensorsTensor.Type.F32, List.of(1L)));

    @TempDir
    Path folder;

    @Test
    void writeWhenEverythingFitsIsOneFile() throws IOException {
        new CheckpointWriter(1000).write(folder, ENTRIES, CheckpointWriterTests::count);

        assertThat(folder).isDirectoryNotContaining("glob:**index.json");
        assertRead("model.safetensors");
    }

    @Test
    void writeWhenLargerThanAShardIsSplitBetweenTensors() throws IOException {
        new CheckpointWriter(24).write(folder, ENTRIES, CheckpointWriterTests::count);

        assertRead("model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors");
        assertThat(folder.resolve("model.safetensors.index.json"))
                .content()
                .contains("\"total_size\" : 48", "\"third\" : \"model-00002-of-00002.safetensors\"");
    }

    @Test
    void writeWhenATensorIsLargerThanAShardHasItsOwnFile() throws IOException {
        new CheckpointWriter(4).write(folder, ENTRIES, CheckpointWriterTests::count);

        assertRead(
                "model-00001-of-00003.safetensors",
                "model-00002-of-00003.safetensors",
                "model-00003-of-00003.safetensors");
    }

    @Test
    void writeWhenContentIsShortFails() {
        assertThatExceptionOfType(IllegalStateException.class)
                .isThrownBy(() -> new CheckpointWriter(1000).write(folder, ENTRIES, (_, _) -> {}))
                .withMessage("tensor 'first' must have 24 bytes, but 0 were written");
    }

    private void assertRead(String... files) {
        try (Checkpoint checkpoint = SafetensorsCheckpoint.open(folder)) {
            assertThat(checkpoint.files())
                    .extracting(file -> file.getFileName().toString())
                    .containsExactly(files);
            assertThat(checkpoint.names()).containsExactly("first", "second", "third");
            float[] row = new float[3];
            checkpoint.require("first").requireShape(2, 3).row(1, row);
            assertThat(row).containsExactly(3, 4, 5);
            assertThat(checkpoint.require("second").vector()).containsExactly(0, 1, 2, 3, 4);
        }
    }

    private static void count(Entry entry, WritableByteChannel out) throws IOException {
        ByteBuffer bytes = ByteBuffer.allocate((int) entry.bytes()).order(ByteOrder.LITTLE_ENDIAN);
        for (int i = 0; bytes.hasRemaining(); i++) {
            bytes.putFloat(i);
        }
        out.write(bytes.flip());
    }
}
