package dev.corral.quantization.gguf;

import static org.assertj.core.api.Assertions.assertThat;

import dev.corral.guardmodels.conversation.Conversation;
import dev.corral.guardmodels.conversation.Role;
import dev.corral.guardmodels.conversation.Turn;
import dev.corral.guardmodels.guard.Guard;
import dev.corral.guardmodels.guard.OnnxGuard;
import dev.corral.guardmodels.onnx.Resources;
import dev.corral.guardmodels.prompt.GuardFamily;
import dev.corral.guardmodels.store.GuardManifest;
import dev.corral.guardmodels.store.GuardStore;
import dev.corral.guardmodels.store.Precision;
import dev.corral.policies.assessment.Assessment.Scored;
import dev.corral.policies.assessment.Probability;
import dev.corral.quantization.Converter;
import dev.corral.quantization.Original;
import dev.corral.quantization.recipe.Format;
import dev.corral.quantization.recipe.Recipe;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * A GGUF file of the depth and the proportions of Llama Guard 3 8B, a 32nd as wide: 32 layers, 4 query heads for each of
 * keys, an MLP of 3.5 times the width, an output of its own.
 */
class LlamaGuard8BTests {

    private static final int LAYERS = 32;
    private static final int HIDDEN = 128;
    private static final int HEADS = 8;
    private static final int KV_HEADS = 2;
    private static final int HEAD = 16;
    private static final int MLP = 448;
    private static final int VOCABULARY = 672;

    /** An unused row of the fixture, for the number that only the 8B has. */
    private static final int FOURTEEN = 650;

    @TempDir
    Path folder;

    @Test
    void importWhenShapedLike8BMakesAGuardOfItsFamily() throws Exception {
        Path file = folder.resolve("8b.gguf");
        write(file);
        GgufModel model = GgufModel.open(file);
        Path guard = folder.resolve("guard");
        Format stored = new Format.Stored(Precision.INT4, false, new Format.Int8(Format.Activations.INT8));
        Recipe recipe = new Recipe(stored, List.of(), stored, Optional.empty(), Optional.empty(), 4096);
        try (Original original = new Original(
                "8b.gguf", model.config(), model.tokenizerJson(), model.weights(), List.of(file), model.licence())) {
            assertThat(original.family()).isEqualTo(GuardFamily.LLAMA_GUARD_3_8B);
            new Converter("test")
                    .convert(
                            original,
                            guard,
                            original.family(),
                            recipe,
                            new Converter.Description("8b", "none", "none", new Probability(0.5)),
                            new Converter.Progress() {
                                @Override
                                public void total(long bytes) {}

                                @Override
                                public void written(long bytes) {}
                            });
        }

        GuardManifest manifest = GuardStore.open(guard).manifest();
        assertThat(manifest.model()).isEqualTo(new GuardManifest.Model(LAYERS, KV_HEADS, HEAD, 21));
        assertThat(manifest.verdict().hazards()).hasSize(14).containsKey("S14");
        try (Guard loaded = OnnxGuard.load(GuardStore.open(guard), Resources.oneLane(1))) {
            Scored scored = (Scored) loaded.assess(new Conversation(List.of(Turn.of(Role.USER, "Hello"))));
            assertThat(scored.hazards()).hasSize(14);
        }
    }

    private static void write(Path file) throws IOException {
        GgufWriter out = new GgufWriter()
                .text("general.architecture", "llama")
                .uint32("llama.embedding_length", HIDDEN)
                .uint32("llama.block_count", LAYERS)
                .uint32("llama.attention.head_count", HEADS)
                .uint32("llama.attention.head_count_kv", KV_HEADS)
                .uint32("llama.feed_forward_length", MLP)
                .uint32("llama.context_length", 131_072)
                .float32("llama.rope.freq_base", 500_000)
                .float32("llama.attention.layer_norm_rms_epsilon", 1e-5f);
        String tokenizer = Files.readString(Path.of("src/test/resources/fixtures/tiny-llama-guard/tokenizer.json"));
        GgufVocabulary tiny = GgufVocabulary.of(tokenizer, VOCABULARY);
        List<String> tokens = new ArrayList<>(tiny.tokens());
        List<Integer> types = new ArrayList<>(tiny.types());
        tokens.set(FOURTEEN, "14");
        types.set(FOURTEEN, GgufTokenizer.NORMAL);
        new GgufVocabulary(tiny.words(), tokens, types, tiny.merges()).write(out);
        Random random = new Random(8);
        matrix(out, random, "token_embd", VOCABULARY, HIDDEN);
        matrix(out, random, "output", VOCABULARY, HIDDEN);
        norm(out, "output_norm");
        for (int layer = 0; layer < LAYERS; layer++) {
            String block = "blk." + layer + ".";
            norm(out, block + "attn_norm");
            norm(out, block + "ffn_norm");
            matrix(out, random, block + "attn_q", HEADS * HEAD, HIDDEN);
            matrix(out, random, block + "attn_k", KV_HEADS * HEAD, HIDDEN);
            matrix(out, random, block + "attn_v", KV_HEADS * HEAD, HIDDEN);
            matrix(out, random, block + "attn_output", HIDDEN, HEADS * HEAD);
            matrix(out, random, block + "ffn_gate", MLP, HIDDEN);
            matrix(out, random, block + "ffn_up", MLP, HIDDEN);
            matrix(out, random, block + "ffn_down", HIDDEN, MLP);
        }
        out.write(file, _ -> {});
    }

    private static void norm(GgufWriter out, String name) {
        float[] ones = new float[HIDDEN];
        Arrays.fill(ones, 1);
        out.vector(name + ".weight", ones);
    }

    private static void matrix(GgufWriter out, Random random, String name, int rows, int columns) {
        byte[] numbers = new byte[16];
        out.matrix(name + ".weight", GgmlType.Q4_0, rows, columns, (_, target) -> {
            for (int block = 0; block < columns / 32; block++) {
                random.nextBytes(numbers);
                target.putShort(Float.floatToFloat16(0.01f)).put(numbers);
            }
        });
    }
}
