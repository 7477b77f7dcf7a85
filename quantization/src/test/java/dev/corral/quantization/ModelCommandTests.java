package dev.corral.quantization;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.corral.guardmodels.store.GuardStore;
import dev.corral.quantization.hub.DownloadRecord;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

class ModelCommandTests {

    private static final Path FIXTURES = Path.of("src/test/resources/fixtures");
    private static final Path TINY = FIXTURES.resolve("tiny-llama-guard");
    private static final Path SHARDED = FIXTURES.resolve("tiny-llama-sharded");
    private static final String REPOSITORY = "meta-llama/Tiny_Guard";

    @TempDir
    Path folder;

    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();

    @Test
    void pullWhenDoneLeavesVerifiedWeightsAndAGuard() throws IOException {
        try (ScriptedHub hub = new ScriptedHub(REPOSITORY)
                .with(TINY)
                .with("LICENSE.txt", "a licence".getBytes(UTF_8))
                .with("original/consolidated.00.pth", "the same again".getBytes(UTF_8))
                .with("pytorch_model.bin", "and again".getBytes(UTF_8))) {
            assertThat(run("pull", REPOSITORY, "--hub", hub.address(), "--", "--context", "1024"))
                    .as(err::toString)
                    .isZero();

            assertThat(hub.requests()).noneMatch(path -> path.contains(".pth") || path.contains(".bin"));
        }
        Path weights = models().resolve("weights/meta-llama/Tiny_Guard");
        assertThat(names(weights))
                .containsExactly(
                        ".lock",
                        "LICENSE.txt",
                        "SHA256SUMS",
                        "config.json",
                        "download.json",
                        "model.safetensors",
                        "tokenizer.json");
        assertThat(weights.resolve("model.safetensors")).hasSameBinaryContentAs(TINY.resolve("model.safetensors"));
        assertThat(DownloadRecord.read(weights).orElseThrow().commit()).isEqualTo(ScriptedHub.COMMIT);
        Path guard = models().resolve("guards/tiny-guard-int8");
        assertThat(GuardStore.open(guard).manifest().context().tokens()).isEqualTo(1024);
        assertThat(GuardStore.open(guard).manifest().id()).isEqualTo("tiny-guard-int8");
        assertThat(out.toString())
                .contains(REPOSITORY + " at acf7aafa60: ", "Every file is the one that the hub lists.")
                .contains("Try it: corral run --guard " + guard);
        assertThat(err.toString()).contains("Downloading: 100 % of ");
    }

    @Test
    void pullWhenWeightsAreShardedBringsThemAll() throws IOException {
        try (ScriptedHub hub = new ScriptedHub(REPOSITORY).with(SHARDED)) {
            Path to = folder.resolve("guard");
            assertThat(run("pull", REPOSITORY, "--hub", hub.address(), "--precision", "int4", "--to", to.toString()))
                    .as(err::toString)
                    .isZero();
            assertThat(GuardStore.open(to).manifest().made().source())
                    .containsKeys("model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors");
        }
    }

    @Test
    void pullWhenWeightsWereShardedBeforeLeavesNoneOfTheOldOnes() throws IOException {
        try (ScriptedHub hub = new ScriptedHub(REPOSITORY).with(SHARDED)) {
            assertThat(run("pull", REPOSITORY, "--hub", hub.address(), "--weights-only"))
                    .isZero();
        }
        try (ScriptedHub hub = new ScriptedHub(REPOSITORY).with(TINY)) {
            assertThat(run("pull", REPOSITORY, "--hub", hub.address(), "--weights-only"))
                    .isZero();
        }
        assertThat(names(models().resolve("weights/meta-llama/Tiny_Guard")))
                .filteredOn(name -> name.startsWith("model"))
                .containsExactly("model.safetensors");
    }

    @Test
    void pullWhenRepeatedForAnotherPrecisionDownloadsNothingAgain() throws IOException {
        try (ScriptedHub hub = new ScriptedHub(REPOSITORY).with(TINY)) {
            assertThat(run("pull", REPOSITORY, "--hub", hub.address(), "--weights-only"))
                    .isZero();
            int before = hub.requests().size();

            assertThat(run("pull", REPOSITORY, "--hub", hub.address(), "--precision", "int4", "--delete-weights"))
                    .as(err::toString)
                    .isZero();

            assertThat(hub.requests()).hasSize(before + 1);
        }
        assertThat(models().resolve("weights/meta-llama/Tiny_Guard")).doesNotExist();
        assertThat(models().resolve("guards/tiny-guard-int4/guard.yaml")).exists();
    }

    @Test
    void pullWhenHubIsSetInTheEnvironmentAsksThatOne() throws IOException {
        try (ScriptedHub hub = new ScriptedHub(REPOSITORY).with(TINY)) {
            Map<String, String> variables = Map.of(
                    "HF_ENDPOINT",
                    hub.address(),
                    "XDG_DATA_HOME",
                    folder.resolve("data").toString());
            int code = execute(new Environment(variables, folder), "pull", REPOSITORY, "--weights-only");
            assertThat(code).as(err::toString).isZero();
        }
        assertThat(folder.resolve("data/corral/models/weights/meta-llama/Tiny_Guard/config.json"))
                .exists();
    }

    @Test
    void pullWhenRepositoryHasNoSafetensorsSaysWhatIsMissing() {
        try (ScriptedHub hub = new ScriptedHub(REPOSITORY)
                .with("config.json", "{}".getBytes(UTF_8))
                .with("tokenizer.json", "{}".getBytes(UTF_8))
                .with("llama_guard_3_1b_pruned_xnnpack.pte", "x".getBytes(UTF_8))) {
            assertThat(run("pull", REPOSITORY, "--hub", hub.address())).isEqualTo(1);
        }
        assertThat(err.toString())
                .contains(REPOSITORY + " has no model.safetensors: Corral needs config.json, tokenizer.json and");
    }

    @Test
    void pullWhenDiskIsTooSmallSaysSoBeforeAnythingComes() {
        try (ScriptedHub hub = new ScriptedHub(REPOSITORY)
                .with("config.json", "{}".getBytes(UTF_8))
                .with("tokenizer.json", "{}".getBytes(UTF_8))
                .withHuge("model.safetensors", 900_000_000_000_000_000L)) {
            assertThat(run("pull", REPOSITORY, "--hub", hub.address())).isEqualTo(1);
            assertThat(hub.requests()).hasSize(1);
        }
        assertThat(err.toString()).contains(" are needed on the disk of ", " are free: make room, or name a folder");
    }

    @Test
    void pullWhenWeightsCannotBeConvertedFailsAndKeepsThem() throws IOException {
        try (ScriptedHub hub = new ScriptedHub(REPOSITORY)
                .with(
                        "config.json",
                        Files.readString(TINY.resolve("config.json"))
                                .replace("\"llama\"", "\"mistral\"")
                                .getBytes(UTF_8))
                .with("tokenizer.json", Files.readAllBytes(TINY.resolve("tokenizer.json")))
                .with("model.safetensors", Files.readAllBytes(TINY.resolve("model.safetensors")))) {
            assertThat(run("pull", REPOSITORY, "--hub", hub.address(), "--delete-weights"))
                    .isEqualTo(1);
        }
        assertThat(err.toString()).contains("Cannot convert", "model_type is \"mistral\": only 'llama' is supported");
        assertThat(models().resolve("weights/meta-llama/Tiny_Guard/model.safetensors"))
                .exists();
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '"', textBlock = """
            pull                                       | Missing required parameter: 'OWNER/NAME'
            pull guard                                 | a repository is named OWNER/NAME, such as meta-llama/Llama-Guard-3-1B: 'guard'
            pull a/b --hub hub                         | the hub must be an address such as https://huggingface.co: 'hub'
            pull a/b --precision int5                  | --precision must be one of
            pull a/b --to .                            | . exists already: name a folder that does not with --to, or delete it
            pull a/b -- --frobnicate                   | 'corral quantize' does not know these options: Unknown option: '--frobnicate'
            pull a/b --weights-only --delete-weights   | --weights-only makes no guard
            random --shape llama --to x                | --shape must be one of llama-guard-3-1b, llama-guard-3-1b-pruned, llama-guard-3-8b, llama-guard-3-11b-vision: 'llama'
            random --shape llama-guard-3-8b --to x --layers 0 | --layers must be at least 1: 0
            list --frobnicate                          | Unknown option: '--frobnicate'
            verify                                     | Missing required parameter: 'DIR'
            """)
    void modelWhenUsedWronglySaysWhatIsRight(String arguments, String message) {
        assertThat(run(arguments.split(" +"))).isEqualTo(2);
        assertThat(err.toString()).contains(message);
    }

    @Test
    void modelWhenNothingIsAskedForNamesTheCommands() {
        assertThat(run()).isEqualTo(2);
        assertThat(err.toString())
                .contains(
                        "Say what to do: pull, import, list, inspect, verify, export, compare, random",
                        "Usage: corral model");
    }

    @ParameterizedTest
    @ValueSource(strings = {"pull", "list", "inspect", "verify", "compare", "random"})
    void helpWhenAskedForExplainsTheCommand(String command) {
        assertThat(run(command, "--help")).isZero();
        assertThat(out.toString()).contains("Usage: corral model " + command, "--help");
    }

    @Test
    void listWhenThereIsNothingShowsTheBuiltInGuard() {
        assertThat(run("list")).isZero();
        assertThat(out.toString())
                .containsPattern("GUARD +FAMILY +PRECISION +SIZE +LICENCE +QUALITY")
                .containsPattern("corral-starter +int8 +built in +Apache-2.0")
                .contains("Guards lie in " + models().resolve("guards"))
                .doesNotContain("WEIGHTS");
    }

    @Test
    void listWhenModelsWerePulledShowsGuardsAndWeights() throws IOException {
        pulled();

        assertThat(run("list")).isZero();
        assertThat(out.toString())
                .containsPattern(
                        "tiny-guard-int8 +llama-guard-3 +int8 +\\d+ kB +Llama 3.2 Community License +Not measured")
                .containsPattern("WEIGHTS +COMMIT +SIZE +FOLDER\n" + REPOSITORY + " +acf7aafa60 +\\d+ kB +/");

        JsonNode json = json("list", "--json");
        assertThat(json.at("/guards/1/id").asString()).isEqualTo("tiny-guard-int8");
        assertThat(json.at("/guards/1/bytes").asLong()).isEqualTo(size(guard()));
        assertThat(json.at("/guards/0/builtIn").asBoolean()).isTrue();
        assertThat(json.at("/weights/0/commit").asString()).isEqualTo(ScriptedHub.COMMIT);
    }

    @Test
    void listWhenAGuardIsBrokenShowsTheOthersAndSaysWhich() throws IOException {
        pulled();
        Files.createDirectories(models().resolve("guards/empty"));

        assertThat(run("list")).isEqualTo(1);
        assertThat(out.toString()).contains("tiny-guard-int8");
        assertThat(err.toString()).contains("guards/empty has no guard.yaml that can be read");
    }

    @Test
    void inspectWhenGuardShowsWhatItSaysOfItself() throws IOException {
        pulled();

        assertThat(run("inspect", "tiny-guard-int8")).as(err::toString).isZero();
        assertThat(out.toString())
                .containsPattern("guard +tiny-guard-int8\n")
                .containsPattern("recommended threshold +0.5\n")
                .contains("\nshape\n  layers ", "  S1   Violent Crimes\n", "  model.onnx ");

        JsonNode json = json("inspect", guard().toString(), "--json");
        assertThat(json.at("/shape/headRows").asInt()).isEqualTo(20);
        assertThat(json.at("/shape/float32CacheBytesPerToken").asInt()).isEqualTo(2 * 3 * 2 * 16 * 4);
        assertThat(json.at("/verdict/leadTokens/0").asInt()).isEqualTo(257);
        assertThat(json.at("/fileBytes/model.onnx").asLong()).isEqualTo(Files.size(guard().resolve("model.onnx")));
        assertThat(json.at("/sourceSha256/config.json").asString()).hasSize(64);
    }

    @Test
    void inspectWhenWeightsShowsTheirGeometry() {
        JsonNode json = json("inspect", SHARDED.toString(), "--json");

        assertThat(json.at("/family").asString()).isEqualTo("llama-guard-3");
        assertThat(json.at("/shape/vocabulary").asInt()).isEqualTo(672);
        assertThat(json.at("/types").asString()).isEqualTo("F32");
        assertThat(json.at("/parameters").asLong()).isBetween(200_000L, 300_000L);
    }

    @Test
    void inspectWhenDirectoryIsNeitherSaysSo() {
        assertThat(run("inspect", folder.toString())).isEqualTo(1);
        assertThat(err.toString())
                .contains("holds neither a guard (guard.yaml) nor a Hugging Face model (config.json)");
        assertThat(run("inspect", "no-such-guard")).isEqualTo(1);
        assertThat(err.toString()).contains("no-such-guard is not a directory");
    }

    @Test
    void verifyWhenEverythingIsWholeSaysSoFileByFile() throws IOException {
        pulled();

        assertThat(run("verify", "tiny-guard-int8")).as(err::toString).isZero();
        assertThat(run(
                        "verify",
                        models().resolve("weights/meta-llama/Tiny_Guard").toString()))
                .isZero();
        assertThat(out.toString())
                .contains(
                        "ok         guard.yaml  (", "ok         model.safetensors  (", "files are what they should be");
    }

    @Test
    void verifyWhenAFileIsChangedNamesItAndFails() throws IOException {
        pulled();
        Files.writeString(guard().resolve("tokenizer.json"), "{}");
        Files.writeString(guard().resolve("model.onnx.more"), "x");

        assertThat(run("verify", "tiny-guard-int8")).isEqualTo(1);
        assertThat(out.toString())
                .contains("truncated  tokenizer.json  (it has 2 bytes, expected ", "unlisted   model.onnx.more  (");
        assertThat(err.toString()).contains("2 of 4 files are not what they should be");
    }

    @Test
    void verifyWhenThereAreNoChecksumsSaysSo() {
        assertThat(run("verify", TINY.toString())).isEqualTo(1);
        assertThat(err.toString()).contains("SHA256SUMS is missing");
    }

    private void pulled() throws IOException {
        try (ScriptedHub hub = new ScriptedHub(REPOSITORY).with(TINY)) {
            assertThat(run("pull", REPOSITORY, "--hub", hub.address()))
                    .as(err::toString)
                    .isZero();
        }
        out.getBuffer().setLength(0);
        err.getBuffer().setLength(0);
    }

    private Path models() {
        return folder.resolve("models");
    }

    private Path guard() {
        return models().resolve("guards/tiny-guard-int8");
    }

    private JsonNode json(String... arguments) {
        out.getBuffer().setLength(0);
        assertThat(run(arguments)).as(err::toString).isZero();
        return JsonMapper.shared().readTree(out.toString());
    }

    private int run(String... arguments) {
        return execute(new Environment(Map.of("CORRAL_MODELS", models().toString()), folder), arguments);
    }

    private int execute(Environment environment, String... arguments) {
        return ModelCommand.commandLine(environment)
                .setOut(new PrintWriter(out, true))
                .setErr(new PrintWriter(err, true))
                .execute(arguments);
    }

    private static long size(Path directory) throws IOException {
        try (Stream<Path> files = Files.list(directory)) {
            return files.mapToLong(file -> file.toFile().length()).sum();
        }
    }

    private static List<String> names(Path directory) throws IOException {
        try (Stream<Path> files = Files.list(directory)) {
            return files.map(file -> file.getFileName().toString()).sorted().toList();
        }
    }
}
