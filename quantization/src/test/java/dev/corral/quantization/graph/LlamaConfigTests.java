package dev.corral.quantization.graph;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.corral.quantization.checkpoint.CheckpointException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class LlamaConfigTests {

    /** As published for Llama Guard 3 1B. */
    private static final String LLAMA_GUARD_3_1B = """
            {"model_type":"llama","hidden_act":"silu","hidden_size":2048,"num_hidden_layers":16,
             "num_attention_heads":32,"num_key_value_heads":8,"head_dim":64,"intermediate_size":8192,"vocab_size":128256,
             "max_position_embeddings":131072,"rms_norm_eps":1e-05,"rope_theta":500000.0,"tie_word_embeddings":false,
             "rope_scaling":{"factor":8.0,"low_freq_factor":1.0,"high_freq_factor":4.0,
             "original_max_position_embeddings":8192,"rope_type":"llama3"}}""";

    @TempDir
    Path folder;

    @Test
    void readWhenLlamaGuardGivesItsGeometry() throws IOException {
        LlamaConfig config = read(LLAMA_GUARD_3_1B);

        assertThat(config.layers()).isEqualTo(16);
        assertThat(config.kvHeads()).isEqualTo(8);
        assertThat(config.ropeTheta()).isEqualTo(500_000);
        assertThat(config.ropeScaling()).contains(new LlamaConfig.RopeScaling.Llama3(8, 1, 4, 8192));
        assertThat(config.tied()).isFalse();
    }

    @Test
    void readWhenRopeParametersAreInOneObjectReadsThem() {
        LlamaConfig config = LlamaConfig.read(Path.of("src/test/resources/fixtures/tiny-llama-tied"));

        assertThat(config.ropeTheta()).isEqualTo(500_000);
        assertThat(config.ropeScaling()).contains(new LlamaConfig.RopeScaling.Llama3(8, 1, 4, 64));
        assertThat(config.tied()).isTrue();
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            "model_type":"llama"         | "model_type":"mllama"            | model_type is "mllama": only 'llama' is supported
            "hidden_act":"silu"          | "hidden_act":"gelu"              | hidden_act is "gelu": only 'silu' is supported
            "rope_type":"llama3"         | "rope_type":"yarn"               | supported are 'llama3' and none
            "hidden_size":2048           | "hidden_size":-1                 | hidden_size must be a positive whole number: -1
            "num_key_value_heads":8      | "num_key_value_heads":7          | num_key_value_heads is 7: it must divide the heads
            "head_dim":64                | "head_dim":60                    | head_dim is 60: it must be a multiple of 8
            "factor":8.0                 | "factor":"x"                     | rope_scaling.factor must be a positive number
            "tie_word_embeddings":false  | "attention_bias":true            | attention_bias is true: only false is supported
            "tie_word_embeddings":false  | "quantization_config":{"bits":4} | take the unquantised model
            "vocab_size":128256          | "vocab":1                        | vocab_size must be a positive whole number: missing
            """)
    void readWhenUnsupportedSaysWhatAndWhy(String part, String instead, String message) throws IOException {
        String json = LLAMA_GUARD_3_1B.replace(part, instead);
        assertThat(json).isNotEqualTo(LLAMA_GUARD_3_1B);

        assertThatExceptionOfType(CheckpointException.class)
                .isThrownBy(() -> read(json))
                .withMessageContaining(message)
                .withMessageContaining("config.json");
    }

    private LlamaConfig read(String json) throws IOException {
        Files.writeString(folder.resolve("config.json"), json);
        return LlamaConfig.read(folder);
    }
}
