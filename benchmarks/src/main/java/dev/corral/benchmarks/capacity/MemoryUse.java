package dev.corral.benchmarks.capacity;

import dev.corral.benchmarks.figures.Row;
import dev.corral.benchmarks.figures.Sample;
import dev.corral.benchmarks.figures.Table;
import dev.corral.benchmarks.figures.Unit;
import dev.corral.benchmarks.processes.JavaProcess;
import dev.corral.benchmarks.processes.Memory;
import dev.corral.guardmodels.onnx.Resources;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/** The memory of a process that holds a guard and does nothing else. */
final class MemoryUse {

    private static final String LOADED = "resident after load, one lane";
    private static final String JUDGED = "resident after the first long texts";

    private final Path guard;
    private final Resources resources;
    private final Table table;

    MemoryUse(Path guard, Resources resources, Table table) {
        this.guard = guard;
        this.resources = resources;
        this.table = table;
    }

    /** All rows; the limit is that of the memory after loading. */
    void all(Optional<Row.Bar> bar) throws IOException {
        try (JavaProcess process = JavaProcess.start(GuardProcess.class, arguments())) {
            await(process, GuardProcess.LOADED);
            Optional<Memory> loaded = process.memory();
            if (loaded.isEmpty()) {
                table.leaveOut("memory-loaded", LOADED, "only Linux tells a process's memory");
                return;
            }
            Row row = mebibytes("memory-loaded", LOADED, loaded.get().resident());
            table.add(bar.map(row::heldTo).orElse(row));
            table.add(mebibytes(
                    "memory-loaded-anonymous",
                    "  of it heap and native memory",
                    loaded.get().anonymous()));
            process.goOn();
            await(process, GuardProcess.JUDGED);
            Memory judged = process.memory().orElseThrow();
            table.add(mebibytes("memory-judged", JUDGED, judged.resident()));
            table.add(mebibytes("memory-judged-anonymous", "  of it heap and native memory", judged.anonymous()));
            table.add(mebibytes("memory-most", "the most that was ever resident", judged.mostResident()));
            process.goOn();
        }
    }

    private List<String> arguments() {
        return List.of(guard.toString(), Integer.toString(resources.threads()), Long.toString(resources.cacheBytes()));
    }

    /** Libraries may print lines of their own. */
    private static void await(JavaProcess process, String line) throws IOException {
        String read = process.line();
        while (!read.equals(line)) {
            read = process.line();
        }
    }

    private static Row mebibytes(String id, String what, double value) {
        return Row.of(id, what, Unit.MEBIBYTES, Sample.once(value));
    }
}
