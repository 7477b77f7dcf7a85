package dev.corral.quantization;

import dev.corral.guardmodels.store.FileCheck;
import dev.corral.guardmodels.store.GuardManifest;
import dev.corral.guardmodels.store.GuardStore;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code corral model verify}: every file against its checksum. */
@Command(
        name = "verify",
        header = "compare every file of a guard, or of weights, with its checksum",
        description = {
            "",
            "Reads every file of a directory and compares it with SHA256SUMS, which Corral writes into each guard and"
                    + " beside all weights that it brings or makes. Files that are not listed there count as wrong.",
            ""
        },
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {
            "0:every file is what it should be",
            "1:a file is missing, truncated, changed or not listed",
            "2:wrong usage"
        },
        mixinStandardHelpOptions = true,
        sortOptions = false,
        usageHelpWidth = 100)
final class VerifyCommand implements Callable<Integer> {

    private static final int WRONG = 1;
    private static final String MANIFEST = "guard.yaml";

    @Spec
    private CommandSpec spec;

    @Mixin
    private final ModelsOption models;

    @Parameters(paramLabel = "DIR", description = "A directory, or the id of a guard that 'corral model list' shows.")
    private String model;

    @SuppressWarnings({"NullAway.Init", "initialization"}) // picocli sets the fields
    VerifyCommand(Environment environment) {
        this.models = new ModelsOption(environment);
    }

    @Override
    public Integer call() throws IOException {
        Path directory = models.directory(model);
        PrintWriter out = spec.commandLine().getOut();
        List<FileCheck> checks = GuardStore.check(directory, check -> {
            out.printf("%-10s %s  (%s)%n", word(check.state()), check.name(), check.detail());
            out.flush();
        });
        List<FileCheck> wrong = checks.stream()
                .filter(check -> check.state() != FileCheck.State.WHOLE)
                .toList();
        if (!wrong.isEmpty()) {
            spec.commandLine()
                    .getErr()
                    .println("%s: %d of %d files are not what they should be; copy or make the directory again"
                            .formatted(directory, wrong.size(), checks.size()));
            return WRONG;
        }
        Path manifest = directory.resolve(MANIFEST);
        if (Files.exists(manifest)) {
            GuardManifest.parse(Files.readString(manifest), manifest.toString());
        }
        out.printf("%s: all %d files are what they should be%n", directory, checks.size());
        out.flush();
        return ExitCode.OK;
    }

    private static String word(FileCheck.State state) {
        return state == FileCheck.State.WHOLE ? "ok" : state.name().toLowerCase(Locale.ROOT);
    }
}
