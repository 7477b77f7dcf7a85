package dev.corral.quantization;

import dev.corral.guardmodels.prompt.GuardFamily;
import dev.corral.guardmodels.store.GuardManifest;
import dev.corral.quantization.recipe.Recipe;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.Locale;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import org.jspecify.annotations.Nullable;

/** How far a conversion is: a progress bar on a terminal; nothing where the output goes to a file. */
final class ConversionBar implements Converter.Progress, AutoCloseable {

    private static final long MEGABYTE = 1_000_000;

    private @Nullable ProgressBar bar;

    private ConversionBar() {}

    /** Converts, and says what came of it. */
    static void convert(
            Original original,
            Path to,
            GuardFamily family,
            Recipe recipe,
            Converter.Description description,
            PrintWriter out)
            throws IOException {
        GuardManifest manifest;
        try (ConversionBar bar = new ConversionBar()) {
            manifest = new Converter(Tool.nameAndVersion()).convert(original, to, family, recipe, description, bar);
        }
        out.printf(
                Locale.ROOT,
                "%s: %s, family %s, %d MB%nTry it: corral run --guard %s%n",
                to,
                manifest.made().recipe(),
                family.id(),
                ModelsFolder.size(to) / MEGABYTE,
                to);
        out.flush();
    }

    @Override
    public void total(long bytes) {
        bar = ByteBar.onTerminal("Converting", bytes)
                .map(ProgressBarBuilder::build)
                .orElse(null);
        if (bar == null) {
            System.err.printf(Locale.ROOT, "Converting %d MB%n", bytes / MEGABYTE);
        }
    }

    @Override
    public void calibrated(int conversations, int all) {
        if (conversations == all) {
            System.err.printf(Locale.ROOT, "Read %d conversations%n", all);
        }
    }

    @Override
    public void written(long bytes) {
        if (bar != null) {
            bar.stepTo(bytes);
        }
    }

    @Override
    public void close() {
        if (bar != null) {
            bar.close();
        }
    }
}
