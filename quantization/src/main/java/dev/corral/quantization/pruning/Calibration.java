package dev.corral.quantization.pruning;

import dev.corral.guardmodels.dataset.BrokenLineException;
import dev.corral.guardmodels.dataset.JsonLines;
import dev.corral.guardmodels.dataset.Line;
import dev.corral.guardmodels.onnx.OnnxProbe;
import dev.corral.guardmodels.onnx.OnnxProbe.Input;
import dev.corral.guardmodels.prompt.Category;
import dev.corral.guardmodels.prompt.Dialogue;
import dev.corral.guardmodels.prompt.GuardFamily;
import dev.corral.guardmodels.prompt.VerdictTokens;
import dev.corral.guardmodels.tokenizer.GuardTokenizer;
import dev.corral.quantization.checkpoint.Checkpoint;
import dev.corral.quantization.graph.Calibrated;
import dev.corral.quantization.graph.InputProducts;
import dev.corral.quantization.graph.InputRanges;
import dev.corral.quantization.graph.Kept;
import dev.corral.quantization.graph.LlamaConfig;
import dev.corral.quantization.graph.Matrix;
import dev.corral.quantization.graph.Observation;
import dev.corral.quantization.graph.OnnxGraph;
import dev.corral.quantization.graph.OnnxWriter;
import dev.corral.quantization.graph.RoundedMatrix;
import dev.corral.quantization.graph.Smoothing;
import dev.corral.quantization.recipe.Pruning;
import dev.corral.quantization.recipe.Recipe;
import dev.corral.quantization.recipe.RecipeException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.function.BiConsumer;
import java.util.function.Function;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import java.util.stream.Stream;

/**
 * Watches a model read conversations, to find out what of it matters, and what its weights are multiplied with.
 *
 * <p>The model runs in fp32, which takes 4 bytes a weight of disk space for the time being; of the memory it takes only
 * what the system can give back, and the activations of one text. What is watched is reduced inside of the graph, so that
 * no hidden state leaves it.
 */
public final class Calibration {

    /** Of longer prompts the beginning is read. */
    private static final int LONGEST_PROMPT = 2048;

    private static final long MOST_BYTES = 1L << 30;

    private final LlamaConfig config;
    private final List<int[]> prompts;

    private final VerdictTokens verdict;

    private Calibration(LlamaConfig config, List<int[]> prompts, VerdictTokens verdict) {
        this.config = config;
        this.prompts = prompts;
        this.verdict = verdict;
    }

    /**
     * Reads the conversations.
     *
     * @throws RecipeException if the file holds none, or something else
     */
    public static Calibration read(
            Path data,
            LlamaConfig config,
            GuardFamily family,
            List<Category> categories,
            VerdictTokens verdict,
            GuardTokenizer tokenizer) {
        int answer = verdict.lead().size() + verdict.continuation().size();
        int longest = Math.min(LONGEST_PROMPT, config.maxPositions() - answer);
        List<int[]> prompts = new ArrayList<>();
        try (JsonLines lines = JsonLines.open(data)) {
            for (Line line = lines.next(); line != null; line = lines.next()) {
                int[] prompt = tokenizer.encode(family.render(Dialogue.of(line.conversation()), categories), longest);
                prompts.add(Arrays.copyOf(prompt, Math.min(prompt.length, longest)));
            }
        } catch (BrokenLineException e) {
            throw new RecipeException("the calibration data cannot be used: " + e.getMessage(), e);
        } catch (IOException e) {
            throw new RecipeException("the calibration data cannot be read: " + e, e);
        }
        if (prompts.isEmpty()) {
            throw new RecipeException("the calibration data " + data + " has no lines");
        }
        return new Calibration(config, prompts, verdict);
    }

    /**
     * Runs the model over all conversations.
     *
     * @param head any rows of the output
     * @param scratch folder for the fp32 model, which is deleted afterwards
     * @param progress is told how many conversations of how many were read
     */
    public Kept keep(
            Pruning pruning, Checkpoint weights, Matrix head, Path scratch, BiConsumer<Integer, Integer> progress)
            throws IOException {
        OnnxGraph observed = Observation.build(config, weights, head, longest());
        return reading(observed, scratch, probe -> watch(probe, progress)).keep(pruning);
    }

    /** Writes a graph, reads with it, and deletes it. */
    private static <T> T reading(OnnxGraph graph, Path scratch, Function<OnnxProbe, T> reader) throws IOException {
        Path model = scratch.resolve("calibration.onnx");
        try {
            OnnxWriter.beside("calibration").write(graph, model, written -> {});
            try (OnnxProbe probe = OnnxProbe.load(model, Runtime.getRuntime().availableProcessors())) {
                return reader.apply(probe);
            }
        } finally {
            Files.deleteIfExists(model);
            Files.deleteIfExists(model.resolveSibling(model.getFileName() + ".data"));
        }
    }

    /**
     * Finds out what a recipe wants calibrated: rounds matrices to what they are multiplied with, and evens out what norms
     * put out.
     *
     * @param head any rows of the output
     * @param scratch folder for the fp32 model, which is deleted afterwards
     * @param progress is told how many conversations of how many were read
     * @throws RecipeException if there is less to read than a matrix has columns
     */
    public Calibrated calibrate(
            Recipe recipe,
            Checkpoint weights,
            Matrix head,
            Kept kept,
            Path scratch,
            BiConsumer<Integer, Integer> progress)
            throws IOException {
        return new Calibrated(
                round(recipe, weights, head, kept, scratch, progress),
                smooth(recipe, weights, head, kept, scratch, progress));
    }

    private Map<String, Smoothing> smooth(
            Recipe recipe,
            Checkpoint weights,
            Matrix head,
            Kept kept,
            Path scratch,
            BiConsumer<Integer, Integer> progress)
            throws IOException {
        InputRanges watched = InputRanges.build(config, weights, recipe, head, kept);
        if (watched.outputs().isEmpty()) {
            return Map.of();
        }
        int layers = kept.layers().size();
        return watched.smooth(reading(watched.graph(), scratch, probe -> {
            Map<String, float[]> ranges = new HashMap<>();
            watched.outputs().forEach((output, columns) -> ranges.put(output, new float[columns]));
            return readAll(probe, layers, true, progress, Calibration::farther, ranges);
        }));
    }

    private static void farther(float[] values, float[] range) {
        for (int column = 0; column < range.length; column++) {
            range[column] = Math.max(range[column], values[column]);
        }
    }

    /**
     * Rounds the matrices that a recipe wants calibrated to what they are multiplied with. Layers are watched together
     * as far as a gigabyte holds what is told of them, at least one at a time; for each such group the model reads all
     * conversations up to it again.
     */
    private Map<String, RoundedMatrix> round(
            Recipe recipe,
            Checkpoint weights,
            Matrix head,
            Kept kept,
            Path scratch,
            BiConsumer<Integer, Integer> progress)
            throws IOException {
        int layers = kept.layers().size();
        Map<String, RoundedMatrix> rounded = new HashMap<>();
        int end;
        for (int first = 0; first < layers; first = end) {
            end = first + 1;
            InputProducts group = InputProducts.build(config, weights, recipe, head, kept, first, end);
            while (end < layers) {
                InputProducts larger = InputProducts.build(config, weights, recipe, head, kept, first, end + 1);
                if (larger.bytes() > MOST_BYTES) {
                    break;
                }
                group = larger;
                end++;
            }
            if (group.outputs().isEmpty()) {
                continue;
            }
            requireEnough(group);
            Map<String, double[][]> sums = sums(group, end, end == layers, scratch, progress);
            for (String output : group.outputs().keySet()) {
                rounded.putAll(group.round(output, Objects.requireNonNull(sums.remove(output))));
            }
        }
        return rounded;
    }

    private Map<String, double[][]> sums(
            InputProducts group, int layers, boolean last, Path scratch, BiConsumer<Integer, Integer> progress)
            throws IOException {
        return reading(group.graph(), scratch, probe -> {
            Map<String, double[][]> sums = new HashMap<>();
            group.outputs().forEach((output, columns) -> sums.put(output, new double[columns][columns]));
            return readAll(probe, layers, last, progress, Calibration::add, sums);
        });
    }

    private void requireEnough(InputProducts group) {
        int tokens = prompts.stream().mapToInt(prompt -> forced(prompt).length).sum();
        int columns = Collections.max(group.outputs().values());
        if (tokens < columns) {
            throw new RecipeException(
                    ("the calibration data have %d tokens in %d conversations, but a matrix of %d columns is to be"
                                    + " calibrated: give at least as many tokens, better ten times as many")
                            .formatted(tokens, prompts.size(), columns));
        }
    }

    /**
     * Has a model read all conversations; of the last layer it tells what the guard has of it: the places of its verdict.
     *
     * @param told gathers by output what each conversation adds
     * @return the same
     */
    private <T> Map<String, T> readAll(
            OnnxProbe probe,
            int layers,
            boolean last,
            BiConsumer<Integer, Integer> progress,
            BiConsumer<float[], T> gather,
            Map<String, T> told) {
        for (int i = 0; i < prompts.size(); i++) {
            int[] tokens = forced(prompts.get(i));
            Map<String, Input> inputs = inputs(tokens, layers);
            if (last) {
                int end = tokens.length - 1;
                inputs.put(
                        "rows",
                        Input.longs(new long[] {end - verdict.continuation().size(), end}, 2));
            }
            Map<String, float[]> outputs = probe.run(inputs, told.keySet());
            told.forEach((output, so) -> gather.accept(Objects.requireNonNull(outputs.get(output)), so));
            progress.accept(i + 1, prompts.size());
        }
        return told;
    }

    /** Adds to the upper triangle, which is all that counts. */
    private static void add(float[] values, double[][] sum) {
        IntStream.range(0, sum.length).parallel().forEach(row -> {
            for (int column = row; column < sum.length; column++) {
                sum[row][column] += values[row * sum.length + column];
            }
        });
    }

    /** A prompt and the answer that a guard gives itself. */
    private int[] forced(int[] prompt) {
        return IntStream.concat(
                        Arrays.stream(prompt),
                        Stream.concat(verdict.lead().stream(), verdict.continuation().stream())
                                .mapToInt(token -> token))
                .toArray();
    }

    private int longest() {
        return prompts.stream().mapToInt(prompt -> prompt.length).max().orElseThrow();
    }

    private Importance watch(OnnxProbe probe, BiConsumer<Integer, Integer> progress) {
        double[] similarity = new double[config.layers()];
        double[][] strength = new double[config.layers()][config.intermediate()];
        long tokens = 0;
        Set<String> outputs = new HashSet<>();
        IntStream.range(0, config.layers())
                .forEach(layer -> outputs.addAll(List.of(Observation.similarity(layer), Observation.strength(layer))));
        for (int i = 0; i < prompts.size(); i++) {
            Map<String, float[]> observed = probe.run(inputs(prompts.get(i), config.layers()), outputs);
            for (int layer = 0; layer < config.layers(); layer++) {
                for (float cosine : Objects.requireNonNull(observed.get(Observation.similarity(layer)))) {
                    similarity[layer] += cosine;
                }
                float[] norms = Objects.requireNonNull(observed.get(Observation.strength(layer)));
                for (int neuron = 0; neuron < norms.length; neuron++) {
                    strength[layer][neuron] += norms[neuron] / prompts.size();
                }
            }
            tokens += prompts.get(i).length;
            progress.accept(i + 1, prompts.size());
        }
        double all = tokens;
        return new Importance(
                Arrays.stream(similarity).map(sum -> 1 - sum / all).toArray(), strength);
    }

    private Map<String, Input> inputs(int[] prompt, int layers) {
        int count = prompt.length;
        Map<String, Input> inputs = new HashMap<>();
        inputs.put("input_ids", Input.longs(Arrays.stream(prompt).asLongStream().toArray(), 1, count));
        inputs.put("rows", Input.longs(LongStream.range(0, count).toArray(), count));
        inputs.put("seqlens_k", Input.ints(new int[] {count - 1}, 1));
        inputs.put("total_sequence_length", Input.ints(new int[] {count}));
        for (int layer = 0; layer < layers; layer++) {
            Input nothing = Input.floats(new float[0], 1, config.kvHeads(), 0, config.headSize());
            inputs.put("past_key_values." + layer + ".key", nothing);
            inputs.put("past_key_values." + layer + ".value", nothing);
        }
        return inputs;
    }
}
