package dev.corral.benchmarks;

import dev.corral.guardmodels.prompt.GuardFamily;
import dev.corral.guardmodels.store.Precision;
import dev.corral.policies.assessment.Probability;
import dev.corral.quantization.Converter;
import dev.corral.quantization.recipe.Recipe;
import java.io.IOException;
import java.nio.file.Path;

/** The smallest guards there are. */
public final class Fixtures {

    /** Weights of three layers, with the tokenizer of a Llama Guard. */
    public static final Path WEIGHTS = Path.of("../quantization/src/test/resources/fixtures/tiny-llama-guard-bf16");

    private static final Path SEEING = Path.of("../quantization/src/test/resources/fixtures/tiny-mllama-guard");

    private Fixtures() {}

    /** A guard of these weights. */
    public static Path guard(Path folder, Precision precision) throws IOException {
        return guard(WEIGHTS, folder, precision);
    }

    /** A guard that sees images. */
    public static Path seeingGuard(Path folder, Precision precision) throws IOException {
        return guard(SEEING, folder, precision);
    }

    private static Path guard(Path weights, Path folder, Precision precision) throws IOException {
        Path directory = folder.resolve("tiny-" + precision.name().toLowerCase(java.util.Locale.ROOT));
        new Converter("test")
                .convert(
                        weights,
                        directory,
                        GuardFamily.LLAMA_GUARD_3,
                        Recipe.of(precision),
                        new Converter.Description("tiny", "none", "none", new Probability(0.5)),
                        new Converter.Progress() {
                            @Override
                            public void total(long bytes) {}

                            @Override
                            public void written(long bytes) {}
                        });
        return directory;
    }
}
