package dev.corral.quantization;

import dev.corral.guardmodels.store.GuardManifest;
import dev.corral.guardmodels.store.GuardStore;
import dev.corral.guardmodels.store.UnusableGuardException;
import dev.corral.quantization.hub.DownloadRecord;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.stream.IntStream;
import picocli.CommandLine.Command;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/** {@code corral model list}: what lies in the models folder. */
@Command(
        name = "list",
        header = "show the guards on this machine, and the weights they were made of",
        description = {
            "",
            "Shows the guards of the models folder and the built-in one, then downloaded weights. Files are not read for"
                    + " it: 'corral model verify' does that.",
            ""
        },
        mixinStandardHelpOptions = true,
        sortOptions = false,
        usageHelpWidth = 100)
final class ListCommand implements Callable<Integer> {

    private static final int UNUSABLE = 1;
    private static final String BUILT_IN = "built in";
    private static final int COMMIT_DIGITS = 10;

    @Spec
    private CommandSpec spec;

    @Mixin
    private final ModelsOption models;

    @Option(names = "--json", description = "Print JSON, sizes in bytes.")
    private boolean json;

    @SuppressWarnings({"NullAway.Init", "initialization"}) // picocli sets the fields
    ListCommand(Environment environment) {
        this.models = new ModelsOption(environment);
    }

    /** A guard that is listed; its size is empty where it is built in. */
    private record Guard(String place, GuardManifest manifest, Optional<ByteCount> size) {}

    /** Weights that are listed. */
    private record Weights(Path place, String repository, String commit, ByteCount size) {}

    @Override
    public Integer call() throws IOException {
        ModelsFolder folder = models.folder();
        List<Guard> guards =
                new ArrayList<>(List.of(new Guard(BUILT_IN, GuardStore.starter().manifest(), Optional.empty())));
        List<String> unusable = new ArrayList<>();
        for (Path directory : folder.guards()) {
            Path yaml = directory.resolve("guard.yaml");
            try {
                GuardManifest manifest = GuardManifest.parse(Files.readString(yaml), yaml.toString());
                ByteCount size = new ByteCount(ModelsFolder.size(directory));
                guards.add(new Guard(directory.toString(), manifest, Optional.of(size)));
            } catch (UnusableGuardException e) {
                unusable.add(String.valueOf(e.getMessage()));
            } catch (IOException e) {
                unusable.add(directory + " has no guard.yaml that can be read: delete it, or make the guard again");
            }
        }
        List<Weights> weights = new ArrayList<>();
        for (Path directory : folder.weights()) {
            Optional<DownloadRecord> origin = DownloadRecord.read(directory);
            weights.add(new Weights(
                    directory,
                    origin.map(DownloadRecord::repository).orElse(folder.repository(directory)),
                    origin.map(DownloadRecord::commit).orElse(""),
                    new ByteCount(ModelsFolder.size(directory))));
        }
        if (json) {
            printJson(folder, guards, weights);
        } else {
            print(folder, guards, weights);
        }
        spec.commandLine().getOut().flush();
        unusable.forEach(spec.commandLine().getErr()::println);
        return unusable.isEmpty() ? ExitCode.OK : UNUSABLE;
    }

    private void print(ModelsFolder folder, List<Guard> guards, List<Weights> weights) {
        PrintWriter out = spec.commandLine().getOut();
        List<List<String>> rows = new ArrayList<>();
        rows.add(List.of("GUARD", "FAMILY", "PRECISION", "SIZE", "LICENCE", "QUALITY"));
        for (Guard guard : guards) {
            GuardManifest manifest = guard.manifest();
            rows.add(List.of(
                    manifest.id(),
                    manifest.family().id(),
                    manifest.precision().label(),
                    guard.size().map(ByteCount::toString).orElse(guard.place()),
                    manifest.licence(),
                    manifest.quality()));
        }
        table(rows);
        if (!weights.isEmpty()) {
            out.println();
            List<List<String>> downloads = new ArrayList<>();
            downloads.add(List.of("WEIGHTS", "COMMIT", "SIZE", "FOLDER"));
            for (Weights one : weights) {
                String commit = one.commit().isEmpty()
                        ? "unfinished"
                        : one.commit()
                                .substring(
                                        0, Math.min(COMMIT_DIGITS, one.commit().length()));
                downloads.add(List.of(
                        one.repository(),
                        commit,
                        one.size().toString(),
                        one.place().toString()));
            }
            table(downloads);
        }
        out.printf("%nGuards lie in %s; judge with one: corral run --guard DIR%n", folder.guard(""));
    }

    private void table(List<List<String>> rows) {
        int columns = rows.getFirst().size();
        List<Integer> widths = IntStream.range(0, columns)
                .mapToObj(column -> rows.stream()
                        .mapToInt(row -> row.get(column).length())
                        .max()
                        .orElse(1))
                .toList();
        for (List<String> row : rows) {
            StringBuilder line = new StringBuilder();
            for (int column = 0; column < columns; column++) {
                line.append(String.format(Locale.ROOT, "%-" + (widths.get(column) + 2) + "s", row.get(column)));
            }
            spec.commandLine().getOut().println(line.toString().stripTrailing());
        }
    }

    private void printJson(ModelsFolder folder, List<Guard> guards, List<Weights> weights) {
        ObjectNode root = JsonMapper.shared().createObjectNode();
        root.put("models", folder.root().toString());
        ArrayNode guardArray = root.putArray("guards");
        for (Guard guard : guards) {
            GuardManifest manifest = guard.manifest();
            ObjectNode node = guardArray
                    .addObject()
                    .put("id", manifest.id())
                    .put("family", manifest.family().id())
                    .put("precision", manifest.precision().label())
                    .put("recipe", manifest.made().recipe())
                    .put("licence", manifest.licence())
                    .put("quality", manifest.quality())
                    .put("builtIn", guard.size().isEmpty());
            guard.size().ifPresent(size -> node.put("bytes", size.bytes()).put("path", guard.place()));
        }
        ArrayNode weightArray = root.putArray("weights");
        for (Weights one : weights) {
            weightArray
                    .addObject()
                    .put("repository", one.repository())
                    .put("commit", one.commit())
                    .put("bytes", one.size().bytes())
                    .put("path", one.place().toString());
        }
        spec.commandLine().getOut().println(root.toPrettyString());
    }
}
