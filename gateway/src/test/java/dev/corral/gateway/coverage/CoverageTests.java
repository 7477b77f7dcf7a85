package dev.corral.gateway.coverage;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * A harmful text in every place of every API is judged, refused, told to the policy as unscanned, or passes for a reason that
 * stands in a table. The table is {@code docs/coverage.md}; {@code -Dcoverage.write=true} writes it anew.
 */
@Tag("slow")
class CoverageTests {

    private static final Path TABLE = Path.of("../docs/coverage.md");
    private static final int AT_ONCE = 8;

    @TempDir
    static Path folder;

    @Test
    void filterWhenATextHarmsInAnyPlaceOfAnyApiTreatsItAsTheTableSays() throws Exception {
        Path policy = Files.writeString(folder.resolve("coverage.yaml"), """
                policy: coverage
                version: 1
                unscanned: flag
                rules:
                  - { id: all, when: { hazard: any }, then: block }
                """);
        CoverageTable table = new CoverageTable();
        try (Prober prober = new Prober(policy)) {
            for (Surface surface : Surface.all()) {
                treatments(prober, surface).forEach((place, treatment) -> table.add(surface, place, treatment));
            }
        }

        assertThat(table.unexplained())
                .as("places where a text passes, and nothing says why")
                .isEmpty();
        assertThat(table.idleReasons())
                .as("reasons for places that there are not")
                .isEmpty();
        if (Boolean.getBoolean("coverage.write")) {
            Files.writeString(TABLE, table.written());
        }
        assertThat(Files.readString(TABLE)).isEqualTo(table.written());
    }

    private static Map<Place, Treatment> treatments(Prober prober, Surface surface) throws Exception {
        Map<Place, Future<Treatment>> asked = new LinkedHashMap<>();
        try (ExecutorService threads = Executors.newFixedThreadPool(AT_ONCE)) {
            surface.places().forEach(place -> asked.put(place, threads.submit(() -> prober.treatment(surface, place))));
        }
        Map<Place, Treatment> treatments = new LinkedHashMap<>();
        for (Map.Entry<Place, Future<Treatment>> each : asked.entrySet()) {
            treatments.put(each.getKey(), each.getValue().get());
        }
        return treatments;
    }
}
