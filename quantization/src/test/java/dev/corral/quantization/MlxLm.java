package dev.corral.quantization;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.corral.guardmodels.conversation.Conversation;
import dev.corral.guardmodels.conversation.Role;
import dev.corral.guardmodels.conversation.Turn;
import dev.corral.guardmodels.prompt.Dialogue;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.Writer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/** A Hugging Face folder in mlx-lm, with the tokenizer of transformers; a process for each folder. */
final class MlxLm implements AutoCloseable {

    private static final List<String> PACKAGES = List.of("mlx[cpu]==0.32.4", "mlx-lm==0.32.2");

    private final Process process;
    private final BufferedReader out;
    private final Writer in;
    private final Path said;

    private MlxLm(Process process, Path said) {
        this.process = process;
        this.out = process.inputReader(UTF_8);
        this.in = process.outputWriter(UTF_8);
        this.said = said;
    }

    /** Loads the folder; the test is skipped where mlx-lm cannot be had. */
    static MlxLm load(Path model) throws IOException {
        PythonPackages packages = PythonPackages.of("mlx-lm", PACKAGES);
        Path said = packages.folder().resolve("mlx-lm.log");
        ProcessBuilder builder = new ProcessBuilder(
                packages.python(),
                Path.of("src/test/resources/served/mlx_lm_logits.py")
                        .toAbsolutePath()
                        .toString(),
                model.toAbsolutePath().toString());
        builder.environment().put("HF_HUB_OFFLINE", "1");
        MlxLm loaded = new MlxLm(builder.redirectError(said.toFile()).start(), said);
        loaded.line();
        return loaded;
    }

    /** Logits of the token after these: of the vocabulary, or of a classifier's labels. */
    float[] next(int[] tokens) throws IOException {
        ObjectNode request = JsonMapper.shared().createObjectNode();
        ArrayNode list = request.putArray("tokens");
        for (int token : tokens) {
            list.add(token);
        }
        JsonNode logits = ask(request);
        float[] next = new float[logits.size()];
        for (int i = 0; i < next.length; i++) {
            next[i] = (float) logits.path(i).asDouble();
        }
        return next;
    }

    /** What the folder's chat template and tokenizer make of a conversation. */
    int[] tokens(Conversation conversation) throws IOException {
        ObjectNode request = JsonMapper.shared().createObjectNode();
        ArrayNode messages = request.putArray("messages");
        for (Turn turn : conversation.turns()) {
            messages.addObject()
                    .put("role", turn.role() == Role.USER ? "user" : "assistant")
                    .put("content", Dialogue.texts(turn).getFirst());
        }
        return ask(request).valueStream().mapToInt(JsonNode::asInt).toArray();
    }

    private JsonNode ask(ObjectNode request) throws IOException {
        in.write(request + "\n");
        in.flush();
        return JsonMapper.shared().readTree(line());
    }

    private String line() throws IOException {
        String line = out.readLine();
        if (line == null) {
            throw new IllegalStateException("mlx-lm ends:\n" + Files.readString(said));
        }
        return line;
    }

    @Override
    public void close() throws IOException {
        in.close();
        process.onExit().join();
    }
}
