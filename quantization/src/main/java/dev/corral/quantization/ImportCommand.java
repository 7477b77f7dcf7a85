package dev.corral.quantization;

import dev.corral.guardmodels.prompt.GuardFamily;
import dev.corral.guardmodels.store.GuardManifest;
import dev.corral.guardmodels.store.Precision;
import dev.corral.quantization.checkpoint.Checkpoint;
import dev.corral.quantization.checkpoint.CheckpointException;
import dev.corral.quantization.checkpoint.Quantised;
import dev.corral.quantization.checkpoint.Tensor;
import dev.corral.quantization.executorch.ExecutorchModel;
import dev.corral.quantization.gguf.GgufModel;
import dev.corral.quantization.gguf.OllamaStore;
import dev.corral.quantization.recipe.Format;
import dev.corral.quantization.recipe.Recipe;
import dev.corral.quantization.tokenizer.Llama3Tokenizer;
import dev.corral.quantization.tokenizer.TiktokenRanks;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code corral model import}: guards as others published them. */
@Command(
        name = "import",
        header = "make a guard of a GGUF file, a model in Ollama's store, an ExecuTorch program, or an ONNX model",
        description = {
            "",
            "Makes a guard of a published file. What it holds as 4-bit or 8-bit numbers in blocks that ONNX Runtime"
                    + " multiplies with is carried over number for number; all else becomes int8. A --precision"
                    + " or --recipe makes something else of it, as for 'corral quantize'. An ONNX model is run as"
                    + " it is. See docs/models.md.",
            ""
        },
        footer = {
            "",
            "Examples:",
            "  corral model import Llama-Guard-3-1B.Q4_0.gguf",
            "  corral model import ollama:llama-guard3:1b",
            "  corral model import llama_guard_3_1b_pruned_xnnpack.pte --tokenizer tokenizer.model --params params.json",
            "  corral model import Llama-Guard-3-1B-ONNX/onnx/model_q4.onnx",
            "  corral model import Llama-Guard-3-8B.Q4_K_M.gguf --precision int4 --scales least-squares"
        },
        mixinStandardHelpOptions = true,
        sortOptions = false,
        usageHelpWidth = 100)
final class ImportCommand implements Callable<Integer> {

    private final Environment environment;

    @Spec
    private CommandSpec spec;

    @Mixin
    private final ModelsOption models;

    @Parameters(
            paramLabel = "SOURCE",
            description = {
                "A .gguf file, or ollama:NAME[:TAG] for a model that 'ollama pull' brought here; Ollama's store is",
                "OLLAMA_MODELS, or else ~/.ollama/models. Or a .pte file, as Meta publishes Llama Guard 3 1B in 4 bits",
                "for phones. Or a folder with an ONNX model in Optimum's layout, or one of the models in it."
            })
    private String source;

    @Option(
            names = "--to",
            paramLabel = "DIR",
            description = "Folder to make; must not exist yet. Default: guards/ID in the folder of all models.")
    private @Nullable Path to;

    @Option(
            names = "--tokenizer",
            paramLabel = "FILE",
            description = "For a .pte file: the tokenizer.model that lies beside it.")
    private @Nullable Path tokenizer;

    @Option(
            names = "--params",
            paramLabel = "FILE",
            description = "For a .pte file: the params.json that lies beside it, to be compared with what it holds.")
    private @Nullable Path parameters;

    @ArgGroup(validate = false, heading = "%nWhat to make of the weights; see docs/quantization.md:%n")
    private RecipeOptions recipe = new RecipeOptions();

    @ArgGroup(validate = false, heading = "%nWhat is said of the guard:%n")
    private DescriptionOptions description = new DescriptionOptions();

    @SuppressWarnings({"NullAway.Init", "initialization"}) // picocli sets the fields
    ImportCommand(Environment environment) {
        this.environment = environment;
        this.models = new ModelsOption(environment);
    }

    @Override
    public Integer call() throws IOException {
        ImportSource found = ImportSource.of(source);
        String id = description.id().orElseGet(found::id);
        Path target = to == null ? models.folder().guard(id) : to;
        if (Files.exists(target)) {
            throw new CheckpointException(
                    "%s exists already: name a folder that does not with --to, or delete it".formatted(target));
        }
        if (found instanceof ImportSource.Optimum optimum) {
            asPublished(optimum.published(), target);
            return ExitCode.OK;
        }
        try (Original original = open(found)) {
            Recipe followed = CheckedOptions.of(spec, () -> recipe.recipe(asStored(original.weights())));
            GuardFamily family = CheckedOptions.of(spec, () -> description.family(original));
            Converter.Description said = CheckedOptions.of(spec, () -> description.description(original, target));
            ConversionBar.convert(
                    original, target, family, followed, said, spec.commandLine().getOut());
        }
        return ExitCode.OK;
    }

    private void asPublished(PublishedOnnx published, Path target) throws IOException {
        refusePhonesOptions();
        try (Original original = published.original()) {
            Format untouched = new Format.Stored(Precision.FP32, true, new Format.Fp32());
            Recipe asked = CheckedOptions.of(spec, () -> recipe.recipe(untouched));
            if (!asked.matrices().equals(untouched) || asked.pruning().isPresent()) {
                throw new ParameterException(
                        spec.commandLine(),
                        "an ONNX model is run as it is: leave what is made of weights out, or make a guard of the model's safetensors with 'corral quantize'");
            }
            GuardFamily family = CheckedOptions.of(spec, () -> description.family(original));
            Converter.Description said = CheckedOptions.of(spec, () -> description.description(original, target));
            GuardManifest made = published.makeGuard(original, target, family, said, asked.contextTokens());
            PrintWriter out = spec.commandLine().getOut();
            out.printf(
                    "%s: %s, family %s%nTry it: corral run --guard %s%n",
                    target, made.made().recipe(), family.id(), target);
            out.flush();
        }
    }

    private void refusePhonesOptions() {
        if (tokenizer != null || parameters != null) {
            throw new ParameterException(
                    spec.commandLine(), "--tokenizer and --params are for .pte files: others bring both along");
        }
    }

    private Original open(ImportSource found) throws IOException {
        if (!(found instanceof ImportSource.Phone)) {
            refusePhonesOptions();
        }
        return switch (found) {
            case ImportSource.Phone phone -> original(phone.file());
            case ImportSource.Optimum optimum -> optimum.published().original();
            case ImportSource.Gguf gguf ->
                original(GgufModel.open(gguf.file()), List.of(gguf.file()), Optional.empty());
            case ImportSource.Ollama ollama -> {
                OllamaStore.Entry entry = new OllamaStore(environment.ollama()).find(ollama.model());
                yield original(
                        GgufModel.open(entry.model()),
                        List.of(entry.manifest(), entry.model()),
                        Optional.of("ollama:" + ollama.model()));
            }
        };
    }

    private static Original original(GgufModel model, List<Path> sources, Optional<String> name) {
        try {
            return new Original(
                    name.orElseGet(() -> sources.getLast().toString()),
                    model.config(),
                    model.tokenizerJson(),
                    model.weights(),
                    sources,
                    model.licence());
        } catch (RuntimeException e) {
            model.weights().close();
            throw e;
        }
    }

    private Original original(Path program) throws IOException {
        Path ranks = tokenizer;
        if (ranks == null) {
            throw new ParameterException(
                    spec.commandLine(),
                    "a .pte file has no tokenizer: give the tokenizer.model that lies beside it with --tokenizer");
        }
        TiktokenRanks tokens = TiktokenRanks.read(ranks);
        ExecutorchModel model = ExecutorchModel.open(program, Optional.ofNullable(parameters));
        try {
            if (tokens.size() + Llama3Tokenizer.SPECIALS != model.config().vocabulary()) {
                throw new CheckpointException(
                        "%s has %d tokens and %d special ones, but %s is for %d; give the tokenizer.model that belongs to it"
                                .formatted(
                                        ranks,
                                        tokens.size(),
                                        Llama3Tokenizer.SPECIALS,
                                        program,
                                        model.config().vocabulary()));
            }
            List<Path> sources = new ArrayList<>(List.of(program, ranks));
            Optional.ofNullable(parameters).ifPresent(sources::add);
            return new Original(
                    program.toString(),
                    model.config(),
                    Optional.empty(),
                    tokens.tokenizer().toJson(),
                    model,
                    sources,
                    Optional.empty(),
                    Optional.of(new Original.PrunedHead(model.require(ExecutorchModel.HEAD), model.tokens())),
                    Optional.of(model.description()));
        } catch (RuntimeException e) {
            model.close();
            throw e;
        }
    }

    /** Number for number what can be; the precision is the one that most matrices have then. */
    private static Format asStored(Checkpoint weights) {
        Format.Int8 otherwise = new Format.Int8(Format.Activations.INT8);
        List<Integer> bits = new ArrayList<>();
        for (String name : weights.names()) {
            Tensor tensor = weights.require(name);
            if (tensor.shape().size() == 2) {
                bits.add(tensor.quantised()
                        .map(Quantised::layout)
                        .map(Quantised.Layout::bits)
                        .orElse(Byte.SIZE));
            }
        }
        long fours = bits.stream().filter(size -> size == 4).count();
        Precision precision = fours > bits.size() / 2 ? Precision.INT4 : Precision.INT8;
        return new Format.Stored(precision, false, otherwise);
    }
}
