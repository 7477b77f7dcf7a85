package dev.corral.quantization;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.corral.guardmodels.conversation.Conversation;
import dev.corral.guardmodels.onnx.ModelShape;
import dev.corral.guardmodels.onnx.OnnxCausalModel;
import dev.corral.guardmodels.onnx.Resources;
import dev.corral.guardmodels.prompt.Dialogue;
import dev.corral.guardmodels.prompt.GuardFamily;
import dev.corral.guardmodels.prompt.VerdictTokens;
import dev.corral.guardmodels.store.OwnHazards;
import dev.corral.guardmodels.store.Precision;
import dev.corral.guardmodels.tokenizer.GuardTokenizer;
import dev.corral.quantization.checkpoint.Checkpoint;
import dev.corral.quantization.graph.LlamaConfig;
import dev.corral.quantization.graph.LlamaGraph;
import dev.corral.quantization.graph.OnnxWriter;
import dev.corral.quantization.recipe.Recipe;
import dev.corral.quantization.safetensors.SafetensorsCheckpoint;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import tools.jackson.databind.json.JsonMapper;

/**
 * The tiny guard of random weights, whose output rows are made such that it writes proper verdicts of a few conversations:
 * the logits at each place of its answers are those that are wanted, by linear equations.
 */
final class TaughtGuard {

    private static final Path TINY = Path.of("src/test/resources/fixtures/tiny-llama-guard");
    private static final float SURE = 5;
    private static final float NEVER = -20;

    /**
     * What to say of a conversation.
     *
     * @param hazards logits by index where the first hazard is written; all others are never
     */
    record Lesson(Conversation conversation, float safe, float unsafe, Map<Integer, Float> hazards) {

        Lesson {
            hazards = Map.copyOf(hazards);
        }
    }

    /** What the decoder puts out at a place, and the logits of the verdict's tokens there. */
    private static final class Place {

        final float[] output;
        final float[] wanted;

        Place(float[] output, int rows) {
            this.output = output;
            this.wanted = new float[rows];
            Arrays.fill(wanted, NEVER);
        }
    }

    private TaughtGuard() {}

    /** Writes a Hugging Face folder. */
    static void write(List<Lesson> lessons, Path to) throws Exception {
        Files.createDirectories(to);
        for (String name : List.of("config.json", "tokenizer.json", "model.safetensors")) {
            Files.copy(TINY.resolve(name), to.resolve(name));
        }
        LlamaConfig config = LlamaConfig.read(TINY);
        Path file = to.resolve("outputs.onnx");
        try (Checkpoint weights = SafetensorsCheckpoint.open(TINY)) {
            new OnnxWriter("test")
                    .write(
                            LlamaGraph.build(
                                    config, weights, Recipe.of(Precision.FP32), new QuietRow.Identity(config.hidden())),
                            file,
                            _ -> {});
        }
        try (GuardTokenizer tokenizer =
                        GuardTokenizer.load(Files.readAllBytes(TINY.resolve("tokenizer.json")), "tiny");
                OnnxCausalModel outputs = OnnxCausalModel.load(
                        file,
                        new ModelShape(config.layers(), config.kvHeads(), config.headSize(), config.hidden(), 4096),
                        Resources.oneLane(1))) {
            VerdictTokens verdict = GuardFamily.LLAMA_GUARD_3.verdictTokens(tokenizer::encode);
            List<Place> places = new ArrayList<>();
            for (Lesson lesson : lessons) {
                places.addAll(places(lesson, verdict, tokenizer, outputs));
            }
            teach(places, verdict.headRows(), to.resolve("model.safetensors"));
        }
        Files.delete(file);
    }

    private static List<Place> places(
            Lesson lesson, VerdictTokens verdict, GuardTokenizer tokenizer, OnnxCausalModel outputs)
            throws InterruptedException {
        List<Integer> rows = verdict.headRows();
        int[] prompt = tokenizer.encode(GuardFamily.LLAMA_GUARD_3.render(
                Dialogue.of(lesson.conversation),
                OwnHazards.of(GuardFamily.LLAMA_GUARD_3).catalogue().categories()));
        int first = lesson.hazards.entrySet().stream()
                .max(Map.Entry.comparingByValue())
                .orElseThrow()
                .getKey();
        List<Integer> answer = Stream.of(verdict.lead(), verdict.continuation(), List.of(rows.get(2 + first)))
                .flatMap(List::stream)
                .toList();
        int[] unsafe = IntStream.concat(IntStream.of(prompt), answer.stream().mapToInt(Integer::intValue))
                .toArray();
        float[][] read = outputs.logits(
                unsafe, IntStream.range(prompt.length - 1, unsafe.length).toArray());
        List<Place> places = new ArrayList<>();
        for (int i = 0; i < read.length; i++) {
            Place place = new Place(read[i], rows.size());
            if (i == verdict.lead().size()) {
                place.wanted[0] = lesson.safe;
                place.wanted[1] = lesson.unsafe;
            } else if (i == answer.size() - 1) {
                lesson.hazards.forEach((hazard, logit) -> place.wanted[2 + hazard] = logit);
            } else {
                place.wanted[i == answer.size() ? end(verdict) : rows.indexOf(answer.get(i))] = SURE;
            }
            places.add(place);
        }
        int[] safe = Arrays.copyOf(unsafe, prompt.length + verdict.lead().size() + 1);
        safe[safe.length - 1] = rows.get(0);
        Place afterSafe = new Place(outputs.logits(safe, new int[] {safe.length - 1})[0], rows.size());
        afterSafe.wanted[end(verdict)] = SURE;
        places.add(afterSafe);
        return places;
    }

    private static int end(VerdictTokens verdict) {
        return verdict.listing().orElseThrow().end();
    }

    /** The shortest row that has the wanted logit at each place is a sum of the outputs there. */
    private static void teach(List<Place> places, List<Integer> tokens, Path file) throws IOException {
        int count = places.size();
        double[][] equations = new double[count][count + tokens.size()];
        for (int i = 0; i < count; i++) {
            for (int j = 0; j < count; j++) {
                for (int k = 0; k < places.get(i).output.length; k++) {
                    equations[i][j] += (double) places.get(i).output[k] * places.get(j).output[k];
                }
            }
            for (int row = 0; row < tokens.size(); row++) {
                equations[i][count + row] = places.get(i).wanted[row];
            }
        }
        eliminate(equations);
        byte[] bytes = Files.readAllBytes(file);
        ByteBuffer stored = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
        int header = (int) stored.getLong(0);
        int begin = Long.BYTES
                + header
                + JsonMapper.shared()
                        .readTree(new String(bytes, Long.BYTES, header, UTF_8))
                        .path("lm_head.weight")
                        .path("data_offsets")
                        .path(0)
                        .asInt();
        int columns = places.getFirst().output.length;
        for (int row = 0; row < tokens.size(); row++) {
            for (int column = 0; column < columns; column++) {
                double weight = 0;
                for (int i = 0; i < count; i++) {
                    weight += equations[i][count + row] * places.get(i).output[column];
                }
                stored.putFloat(begin + (tokens.get(row) * columns + column) * Float.BYTES, (float) weight);
            }
        }
        Files.write(file, bytes);
    }

    /** Solves, in place: the right sides become the solutions. */
    private static void eliminate(double[][] equations) {
        for (int pivot = 0; pivot < equations.length; pivot++) {
            int best = pivot;
            for (int i = pivot + 1; i < equations.length; i++) {
                best = Math.abs(equations[i][pivot]) > Math.abs(equations[best][pivot]) ? i : best;
            }
            double[] row = equations[best];
            equations[best] = equations[pivot];
            equations[pivot] = row;
            double scale = row[pivot];
            for (int j = 0; j < row.length; j++) {
                row[j] /= scale;
            }
            for (double[] other : equations) {
                double factor = other == row ? 0 : other[pivot];
                for (int j = 0; j < row.length; j++) {
                    other[j] -= factor * row[j];
                }
            }
        }
    }
}
