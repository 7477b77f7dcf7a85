package dev.corral.quantization;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.corral.guardmodels.conversation.Conversation;
import dev.corral.guardmodels.onnx.OnnxCausalModel;
import dev.corral.guardmodels.onnx.Resources;
import dev.corral.guardmodels.prompt.Dialogue;
import dev.corral.guardmodels.prompt.GuardFamily;
import dev.corral.guardmodels.prompt.Segment;
import dev.corral.guardmodels.store.GuardDirectory;
import dev.corral.guardmodels.store.GuardManifest;
import dev.corral.guardmodels.store.GuardStore;
import dev.corral.guardmodels.store.ModelSource;
import dev.corral.guardmodels.tokenizer.GuardTokenizer;
import dev.corral.quantization.replica.Replica;
import dev.corral.quantization.replica.ReplicaShape;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What is exported as a Hugging Face folder, in mlx-lm and transformers. */
@Tag("slow")
class MlxLmTests {

    private static final Path TINY = Path.of("src/test/resources/fixtures/tiny-llama-guard");

    @TempDir
    Path folder;

    private final StringWriter err = new StringWriter();
    private Path guard;
    private Path exported;

    @BeforeEach
    void name() {
        guard = folder.resolve("guard");
        exported = folder.resolve("exported");
    }

    /** All is multiplied as floats there; here what meets 8-bit numbers is rounded to 8 bits. */
    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            --precision fp32                                  | f32  | 1e-3
            --precision fp32                                  | bf16 | 0.3
            --precision int8                                  | f32  | 0.2
            --precision int4 --block-size 16 --activations fp32 | f32 | 5e-3
            """)
    void exportWhenLoadedGivesTheSameLogits(String recipe, String rest, double tolerance) throws Exception {
        quantize(TINY, guard, recipe);
        export(guard, rest);

        assertSameLogits(tolerance);
    }

    /** The true vocabulary and rotary embedding, and tokens as many as the true tokenizer has. */
    @Test
    void exportWhenOfATrueVocabularyIsLoaded() throws Exception {
        Path random = folder.resolve("random");
        new Replica(new ReplicaShape("small", 2, 256, 512, 4, 2), 1).write(random, _ -> {});
        quantize(random, guard, "--precision int4 --block-size 32 --embedding int4 --activations fp32");
        export(guard, "f32");

        assertSameLogits(5e-3);
    }

    @Test
    void exportWhenStarterIsLoadedItsLabelsHaveTheSameLogits() throws Exception {
        export(Path.of("corral-starter"), "f32");
        quantize(exported, guard, "--precision fp32 --context 1024");

        assertSameLogits(1e-3);
    }

    private void assertSameLogits(double tolerance) throws Exception {
        GuardDirectory directory = GuardStore.open(guard);
        GuardManifest manifest = directory.manifest();
        GuardFamily family = manifest.family();
        try (MlxLm theirs = MlxLm.load(exported);
                GuardTokenizer tokenizer = GuardTokenizer.load(directory.tokenizerJson(), "guard");
                OnnxCausalModel ours = OnnxCausalModel.load(
                        ((ModelSource.InFile) directory.model()).file(), manifest.shape(), Resources.oneLane(1))) {
            Map<Integer, Integer> blankLines = family == GuardFamily.CORRAL_STARTER
                    ? Map.of(
                            tokenizer.encode(List.of(new Segment.Special(GuardFamily.BLANK_LINE)))[0],
                            tokenizer.encode(List.of(new Segment.Fixed("\n\n")))[0])
                    : Map.of();
            List<Integer> rows = family.verdictTokens(tokenizer::encode).headRows();
            for (Conversation conversation : LlamaCppTests.CONVERSATIONS) {
                int[] prompt = tokenizer.encode(family.render(
                        Dialogue.of(conversation), manifest.hazards().categories()));
                int[] served = theirs.tokens(conversation);
                assertThat(IntStream.of(served).map(token -> blankLines.getOrDefault(token, token)))
                        .containsExactly(IntStream.of(prompt).boxed().toArray(Integer[]::new));

                for (List<Integer> forced :
                        List.of(manifest.verdict().lead(), manifest.verdict().continuation())) {
                    int[] tokens = append(prompt, forced);
                    float[] wanted = ours.logits(tokens, new int[] {tokens.length - 1})[0];
                    float[] all = theirs.next(append(served, forced));
                    assertThat(all).hasSize(rows.isEmpty() ? wanted.length : all.length);
                    for (int row = 0; row < wanted.length; row++) {
                        assertThat(all[rows.isEmpty() ? row : rows.get(row)])
                                .as("row %d", row)
                                .isCloseTo(wanted[row], within((float) tolerance));
                    }
                }
            }
        }
    }

    private static int[] append(int[] tokens, List<Integer> more) {
        return IntStream.concat(IntStream.of(tokens), more.stream().mapToInt(Integer::intValue))
                .toArray();
    }

    private void quantize(Path from, Path to, String recipe) {
        String[] arguments = Stream.concat(
                        Stream.of("--from", from.toString(), "--to", to.toString()),
                        Arrays.stream(recipe.trim().split(" +")))
                .toArray(String[]::new);
        assertThat(new picocli.CommandLine(new QuantizeCommand())
                        .setOut(new PrintWriter(err, true))
                        .setErr(new PrintWriter(err, true))
                        .execute(arguments))
                .as(err::toString)
                .isZero();
    }

    private void export(Path from, String rest) {
        assertThat(ModelCommand.commandLine(new Environment(Map.of(), folder))
                        .setOut(new PrintWriter(err, true))
                        .setErr(new PrintWriter(err, true))
                        .execute("export", "--to", "safetensors", "--rest", rest, from.toString(), exported.toString()))
                .as(err::toString)
                .isZero();
    }
}
