package dev.corral.quantization;

import static org.assertj.core.api.Assertions.assertThat;

import dev.corral.guardmodels.store.GuardDirectory;
import dev.corral.guardmodels.store.GuardManifest;
import dev.corral.guardmodels.store.GuardStore;
import dev.corral.guardmodels.store.Precision;
import dev.corral.quantization.checkpoint.Checkpoint;
import dev.corral.quantization.checkpoint.Tensor;
import dev.corral.quantization.gguf.GgufModel;
import dev.corral.quantization.graph.GuardGraph;
import dev.corral.quantization.replica.PhoneReplica;
import dev.corral.quantization.replica.ReplicaShape;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PhoneImportTests {

    private static final ReplicaShape SHAPE = new ReplicaShape("small", 2, 256, 512, 4, 2);

    @TempDir
    private static Path shared;

    private static Path phone;

    @TempDir
    Path folder;

    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();

    @BeforeAll
    static void writeReplica() throws IOException {
        phone = shared.resolve("phone");
        new PhoneReplica(SHAPE, 1).write(phone);
    }

    @Test
    void importWhenOfAProgramMakesAGuardThatTellsWhereItComesFrom() throws IOException {
        Path guard = folder.resolve("guard");

        assertThat(run(
                        program(),
                        "--tokenizer",
                        phone.resolve(PhoneReplica.TOKENIZER).toString(),
                        "--params",
                        phone.resolve(PhoneReplica.PARAMETERS).toString(),
                        "--to",
                        guard.toString()))
                .as(err::toString)
                .isZero();

        GuardManifest manifest = GuardManifest.parse(Files.readString(guard.resolve("guard.yaml")), "guard.yaml");
        assertThat(manifest.id()).isEqualTo("guard");
        assertThat(manifest.precision()).isEqualTo(Precision.INT4);
        assertThat(manifest.model()).isEqualTo(new GuardManifest.Model(2, 2, 64, 20));
        assertThat(manifest.context().tokens()).isEqualTo(8192);
        assertThat(manifest.verdict().listing()).isPresent();
        assertThat(manifest.made().tool()).startsWith("corral ");
        assertThat(manifest.made().original().orElseThrow())
                .contains(
                        "ExecuTorch program (dialect 0.4)",
                        "methods forward get_max_seq_len get_n_layers get_vocab_size",
                        "head of the tokens 128009 271 198 39257 19193",
                        "theta 500000 and Llama 3's factor 8");
        assertThat(manifest.made().source())
                .containsExactlyInAnyOrderEntriesOf(Map.of(
                        PhoneReplica.PROGRAM, GuardStore.digest(Path.of(program())),
                        PhoneReplica.TOKENIZER, GuardStore.digest(phone.resolve(PhoneReplica.TOKENIZER)),
                        PhoneReplica.PARAMETERS, GuardStore.digest(phone.resolve(PhoneReplica.PARAMETERS))));
        GuardDirectory opened = GuardStore.open(guard);
        assertThat(opened.manifest()).isEqualTo(manifest);
    }

    /** What a program holds goes on into a GGUF file with the very values. */
    @Test
    void exportWhenOfAProgramReadsBackEqual() {
        Path guard = folder.resolve("guard");
        Path file = folder.resolve("guard.gguf");
        assertThat(run(
                        program(),
                        "--tokenizer",
                        phone.resolve(PhoneReplica.TOKENIZER).toString(),
                        "--to",
                        guard.toString()))
                .as(err::toString)
                .isZero();
        assertThat(ModelCommand.commandLine(new Environment(Map.of(), folder))
                        .setOut(new PrintWriter(out))
                        .setErr(new PrintWriter(err))
                        .execute("export", "--to", "gguf", guard.toString(), file.toString()))
                .as(err::toString)
                .isZero();

        try (GuardGraph imported = GuardGraph.open(GuardStore.open(guard).model());
                Checkpoint read = GgufModel.open(file).weights()) {
            assertThat(read.names()).hasSize(imported.names().size() + 1).containsAll(imported.names());
            for (String name : imported.names()) {
                Tensor wanted = imported.require(name);
                float[] wantedRow = new float[wanted.columns()];
                float[] foundRow = new float[wanted.columns()];
                for (int row = 0; row < wanted.rows(); row++) {
                    wanted.row(row, wantedRow);
                    read.require(name).row(row, foundRow);
                    assertThat(foundRow).as("%s, row %d", name, row).isEqualTo(wantedRow);
                }
            }
        }
    }

    @Test
    void importWhenSomethingIsMissingOrTooMuchIsWrongUse() {
        assertThat(run(program())).isEqualTo(2);
        assertThat(err.toString()).contains("a .pte file has no tokenizer", "--tokenizer");
    }

    @Test
    void importWhenTheTokenizerIsAnothersSaysWhichSizes() throws IOException {
        List<String> lines = Files.readAllLines(phone.resolve(PhoneReplica.TOKENIZER));
        Path shorter = Files.write(folder.resolve("tokenizer.model"), lines.subList(0, 100_000));

        assertThat(run(program(), "--tokenizer", shorter.toString())).isEqualTo(1);
        assertThat(err.toString())
                .contains("has 100000 tokens and 256 special ones", "is for 128256", "give the tokenizer.model");
    }

    @Test
    void importWhenAVerdictsTokenHasNoRowNamesIt() throws IOException {
        List<String> lines = Files.readAllLines(phone.resolve(PhoneReplica.TOKENIZER));
        // 'safe' under another id
        String safe = lines.get(19193).split(" ")[0];
        lines.set(19193, lines.get(19194).split(" ")[0] + " 19193");
        lines.set(19194, safe + " 19194");
        Path changed = Files.write(folder.resolve("tokenizer.model"), lines);

        assertThat(run(
                        program(),
                        "--tokenizer",
                        changed.toString(),
                        "--to",
                        folder.resolve("x").toString()))
                .isEqualTo(1);
        assertThat(err.toString()).contains("the model's head has no rows for [19194]");
        assertThat(folder.resolve("x")).doesNotExist();
    }

    private static String program() {
        return phone.resolve(PhoneReplica.PROGRAM).toString();
    }

    private int run(String... arguments) {
        Environment environment = new Environment(Map.of(), folder);
        String[] all = new String[arguments.length + 1];
        all[0] = "import";
        System.arraycopy(arguments, 0, all, 1, arguments.length);
        return ModelCommand.commandLine(environment)
                .setOut(new PrintWriter(out))
                .setErr(new PrintWriter(err))
                .execute(all);
    }
}
