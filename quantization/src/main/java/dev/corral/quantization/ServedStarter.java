package dev.corral.quantization;

import dev.corral.guardmodels.prompt.GuardFamily;
import dev.corral.guardmodels.prompt.Segment;
import dev.corral.guardmodels.store.GuardDirectory;
import dev.corral.guardmodels.store.GuardManifest;
import dev.corral.guardmodels.tokenizer.GuardTokenizer;
import dev.corral.quantization.checkpoint.Checkpoint;
import dev.corral.quantization.checkpoint.CheckpointException;
import dev.corral.quantization.checkpoint.Tensor;
import dev.corral.quantization.graph.GuardGraph;
import dev.corral.quantization.graph.LlamaConfig;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/**
 * The starter guard with a larger vocabulary, as other programs serve it: a token for each hazard, which its head has rows
 * for but no tokens, and one for the blank lines of its prompt. That is the last one: Hugging Face's tokenizers number an
 * added token anew, with the size of the vocabulary before it.
 *
 * @param verdictTokens tokens of the head's rows: the words for safe and unsafe, then the hazards'
 */
record ServedStarter(LlamaConfig config, Checkpoint weights, String tokenizerJson, List<Integer> verdictTokens) {

    private static final String EMBEDDING = "model.embed_tokens.weight";

    ServedStarter {
        verdictTokens = List.copyOf(verdictTokens);
    }

    static ServedStarter of(GuardDirectory directory, GuardGraph graph) {
        GuardManifest.Verdict verdict = directory.manifest().verdict();
        int words = graph.config().vocabulary();
        ObjectNode tokenizer = (ObjectNode) JsonMapper.shared().readTree(directory.tokenizerJson());
        ObjectNode vocabulary = (ObjectNode) tokenizer.path("model").path("vocab");
        List<Integer> tokens = new ArrayList<>();
        int blankLine;
        try (GuardTokenizer encoder = GuardTokenizer.load(directory.tokenizerJson(), directory.origin())) {
            blankLine = single(encoder, "\n\n");
            tokens.add(single(encoder, " safe"));
            tokens.add(verdict.continuation().getFirst());
        }
        for (String code : verdict.hazards().keySet()) {
            int token = words + tokens.size() - 2;
            vocabulary.put("\u0120" + code, token);
            tokens.add(token);
        }
        int all = words + tokens.size() - 1;
        ObjectNode blank =
                ((ArrayNode) tokenizer.path("added_tokens")).addObject().put("id", all - 1);
        blank.put("content", GuardFamily.BLANK_LINE).put("special", true).put("normalized", false);
        blank.put("single_word", false).put("lstrip", false).put("rstrip", false);
        return new ServedStarter(
                graph.config().withVocabulary(all), new Widened(graph, all, blankLine), tokenizer.toString(), tokens);
    }

    private static int single(GuardTokenizer tokenizer, String word) {
        int[] ids = tokenizer.encode(List.of(new Segment.Fixed(word)));
        if (ids.length != 1) {
            throw new CheckpointException("'%s' must be one token of a starter guard's tokenizer, but is %d"
                    .formatted(word.replace("\n", "\\n"), ids.length));
        }
        return ids[0];
    }

    /** A checkpoint whose embedding goes on: hazards, which nobody reads, as zeros, and the blank line once more. */
    private record Widened(Checkpoint narrow, int rows, int blankLine) implements Checkpoint {

        @Override
        public List<Path> files() {
            return narrow.files();
        }

        @Override
        public Set<String> names() {
            return narrow.names();
        }

        @Override
        public Optional<Tensor> find(String name) {
            return narrow.find(name)
                    .map(tensor -> name.equals(EMBEDDING) ? new WidenedTensor(tensor, rows, blankLine) : tensor);
        }

        @Override
        public void close() {
            narrow.close();
        }
    }

    private record WidenedTensor(Tensor narrow, int all, int blankLine) implements Tensor {

        @Override
        public String name() {
            return narrow.name();
        }

        @Override
        public String storage() {
            return narrow.storage();
        }

        @Override
        public List<Long> shape() {
            return List.of((long) all, (long) narrow.columns());
        }

        @Override
        public void row(int row, float[] target) {
            int words = narrow.rows();
            if (row < words || row == all - 1) {
                narrow.row(row < words ? row : blankLine, target);
            } else {
                Arrays.fill(target, 0, narrow.columns(), 0);
            }
        }
    }
}
