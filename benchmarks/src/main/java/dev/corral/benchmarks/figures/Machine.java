package dev.corral.benchmarks.figures;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;

/** What figures depend on. */
final class Machine {

    private static final Path LINUX = Path.of("/proc/cpuinfo");

    private Machine() {}

    static Map<String, String> facts() {
        Map<String, String> facts = new LinkedHashMap<>();
        facts.put("cpu", cpu());
        facts.put("processors", Runtime.getRuntime().availableProcessors() + " processors");
        facts.put("system", System.getProperty("os.name") + " " + System.getProperty("os.arch"));
        facts.put("java", "Java " + Runtime.version());
        return facts;
    }

    private static String cpu() {
        try (var lines = Files.lines(LINUX)) {
            return lines.filter(line -> line.startsWith("model name"))
                    .map(line -> line.substring(line.indexOf(':') + 1).strip())
                    .findFirst()
                    .orElse("unknown CPU");
        } catch (IOException e) {
            return "unknown CPU";
        }
    }
}
