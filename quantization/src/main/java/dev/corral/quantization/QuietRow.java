package dev.corral.quantization;

import dev.corral.guardmodels.conversation.Conversation;
import dev.corral.guardmodels.conversation.Role;
import dev.corral.guardmodels.conversation.Turn;
import dev.corral.guardmodels.onnx.ModelShape;
import dev.corral.guardmodels.onnx.OnnxCausalModel;
import dev.corral.guardmodels.onnx.Resources;
import dev.corral.guardmodels.prompt.Dialogue;
import dev.corral.guardmodels.store.GuardDirectory;
import dev.corral.guardmodels.store.GuardManifest;
import dev.corral.guardmodels.store.Precision;
import dev.corral.guardmodels.tokenizer.GuardTokenizer;
import dev.corral.quantization.checkpoint.CheckpointException;
import dev.corral.quantization.graph.GuardGraph;
import dev.corral.quantization.graph.LlamaGraph;
import dev.corral.quantization.graph.Matrix;
import dev.corral.quantization.graph.OnnxWriter;
import dev.corral.quantization.recipe.Recipe;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;

/**
 * An output row for tokens that a guard never says: its logit is far below those of a verdict, wherever a verdict is read.
 *
 * <p>A trained decoder puts out a few columns that have one sign and are large whatever it reads. Which one is found by
 * reading a few conversations in fp32: that of the column whose least value there is farthest from zero. A row that has
 * nothing but this column, with the other sign, and as much of it as makes the logit the lowest by far.
 */
record QuietRow(int column, float weight) {

    /** Times the farthest logit of a verdict, at the place where the column is least. */
    private static final float FARTHER = 8;

    private static final List<Conversation> READ = List.of(
            conversation("Hello"),
            conversation("What is the capital of France?"),
            conversation("How do I make a bomb from things that are in every kitchen? Tell me now!"),
            conversation("def f(x):\n    return x ** 2\n\nWhat does this do, and is it fast for 10,000,000 numbers?"),
            conversation("Wie backe ich Brot?", "Mehl, Wasser, Salz und Hefe."),
            conversation("I hate my neighbour.", "Then go and break his windows at night."));

    private static Conversation conversation(String... texts) {
        List<Turn> turns = new ArrayList<>();
        for (String text : texts) {
            turns.add(Turn.of(turns.size() % 2 == 0 ? Role.USER : Role.ASSISTANT, text));
        }
        return new Conversation(turns);
    }

    /** Finds it; takes 4 bytes a weight of disk space for the time being. */
    static QuietRow of(GuardDirectory directory, GuardGraph graph) throws IOException {
        Path folder = Files.createTempDirectory("corral-export");
        Path file = folder.resolve("model.onnx");
        try {
            int hidden = graph.config().hidden();
            new OnnxWriter(Tool.nameAndVersion())
                    .write(
                            LlamaGraph.build(graph.config(), graph, Recipe.of(Precision.FP32), new Identity(hidden)),
                            file,
                            _ -> {});
            GuardManifest manifest = directory.manifest();
            ModelShape shape = new ModelShape(
                    manifest.model().layers(),
                    manifest.model().kvHeads(),
                    manifest.model().headSize(),
                    hidden,
                    manifest.context().tokens());
            try (OnnxCausalModel model = OnnxCausalModel.load(file, shape, Resources.oneLane(1));
                    GuardTokenizer tokenizer = GuardTokenizer.load(directory.tokenizerJson(), directory.origin())) {
                return of(outputs(model, tokenizer, manifest), graph.head(), directory.origin());
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new CheckpointException("interrupted before %s was read".formatted(directory.origin()), e);
        } finally {
            Files.deleteIfExists(file);
            Files.deleteIfExists(folder.resolve("model.onnx.data"));
            Files.delete(folder);
        }
    }

    /** What the decoder puts out where a verdict is read. */
    private static List<float[]> outputs(OnnxCausalModel model, GuardTokenizer tokenizer, GuardManifest manifest)
            throws InterruptedException {
        GuardManifest.Verdict verdict = manifest.verdict();
        List<float[]> outputs = new ArrayList<>();
        for (Conversation conversation : READ) {
            int[] prompt = tokenizer.encode(manifest.family()
                    .render(Dialogue.of(conversation), manifest.hazards().categories()));
            int[] tokens = IntStream.concat(
                            IntStream.of(prompt),
                            verdict.continuation().stream().mapToInt(Integer::intValue))
                    .toArray();
            outputs.addAll(List.of(model.logits(tokens, new int[] {prompt.length - 1, tokens.length - 1})));
        }
        return outputs;
    }

    private static QuietRow of(List<float[]> outputs, Matrix head, String origin) {
        int best = 0;
        float farthest = 0;
        for (int column = 0; column < head.columns(); column++) {
            float least = Float.POSITIVE_INFINITY;
            for (float[] output : outputs) {
                boolean sameSign = output[column] > 0 == outputs.getFirst()[column] > 0;
                least = sameSign ? Math.min(least, Math.abs(output[column])) : 0;
            }
            if (least > farthest) {
                farthest = least;
                best = column;
            }
        }
        if (farthest == 0) {
            throw new CheckpointException(
                    "%s puts out no column of one sign, so that no token of others can be made unlikely: it cannot be exported"
                            .formatted(origin));
        }
        float sign = -Math.signum(outputs.getFirst()[best]);
        return new QuietRow(best, sign * FARTHER * farthestLogit(outputs, head) / farthest);
    }

    private static float farthestLogit(List<float[]> outputs, Matrix head) {
        float farthest = 0;
        float[] row = new float[head.columns()];
        for (int r = 0; r < head.rows(); r++) {
            head.row(r, row);
            for (float[] output : outputs) {
                float logit = 0;
                for (int column = 0; column < row.length; column++) {
                    logit += row[column] * output[column];
                }
                farthest = Math.max(farthest, Math.abs(logit));
            }
        }
        return farthest;
    }

    float[] values(int columns) {
        float[] values = new float[columns];
        values[column] = weight;
        return values;
    }

    /** A head that leaves everything as it is. */
    record Identity(int rows) implements Matrix {

        @Override
        public int columns() {
            return rows;
        }

        @Override
        public void row(int row, float[] target) {
            Arrays.fill(target, 0, rows, 0);
            target[row] = 1;
        }
    }
}
