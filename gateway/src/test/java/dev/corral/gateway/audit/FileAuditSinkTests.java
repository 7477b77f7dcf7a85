package dev.corral.gateway.audit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assumptions.assumeThat;
import static org.awaitility.Awaitility.await;

import dev.corral.gateway.configuration.CorralProperties.Audit.OnFailure;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

/** What a sink writes, what it does when it cannot, and what the commands say of it. */
class FileAuditSinkTests {

    /** A device of Linux that is always full. */
    private static final Path FULL = Path.of("/dev/full");

    @TempDir
    private Path folder;

    private final SimpleMeterRegistry metrics = new SimpleMeterRegistry();
    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();
    private Path file;

    @BeforeEach
    void name() {
        file = folder.resolve("audit.jsonl");
    }

    @Test
    void recordWhenClosedAndOpenedAgainGoesOnWithTheChain() throws IOException {
        AuditEvent one = AuditEvents.full("one");
        record(one, AuditEvents.refused("two"));
        record(AuditEvents.heated("three", 0.75, "Toren! 😀 \"'"));

        assertThat(events(file))
                .containsExactly(one, AuditEvents.refused("two"), AuditEvents.heated("three", 0.75, "Toren! 😀 \"'"));
        assertThat(run("verify", file.toString())).isZero();
        assertThat(out.toString()).startsWith("unbroken: 3 events; last hash ");
    }

    @Test
    void verifyWhenALineIsChangedTakenOutOrPutInNamesTheFirstOne() throws IOException {
        record(IntStream.range(0, 5).mapToObj(i -> AuditEvents.refused("e" + i)).toArray(AuditEvent[]::new));
        List<String> lines = Files.readAllLines(file);

        assertThat(verify(changed(lines, 2, lines.get(2).replace("\"e2\"", "\"x2\""))))
                .contains(":3: ", "not as it was written");
        assertThat(verify(changed(lines, 4, lines.get(4).replace("\"e4\"", "\"x4\""))))
                .contains(":5: ");
        List<String> without = new ArrayList<>(lines);
        without.remove(2);
        assertThat(verify(without)).contains(":3: ", "does not follow the line before");
        List<String> twice = new ArrayList<>(lines);
        twice.add(1, lines.get(0));
        assertThat(verify(twice)).contains(":2: ");
        assertThat(verify(changed(lines, 3, "{\"a\":1}"))).contains(":4: ", "lacks 'previous' or 'hash'");
        assertThat(verify(changed(lines, 0, "nonsense"))).contains(":1: ", "not a whole JSON object");
    }

    @Test
    void recordWhenFileIsLargePutsItAsideAndTheChainGoesOn() throws IOException {
        try (FileAuditSink sink = sink(OnFailure.BLOCK, 10, 600)) {
            for (int i = 0; i < 6; i++) {
                sink.record(AuditEvents.refused("e" + i));
                int expected = i + 1;
                await().until(() -> all().size() == expected);
            }
        }
        List<Path> files = files();
        assertThat(files).hasSizeGreaterThan(1).last().isEqualTo(file);
        assertThat(all()).containsExactly("e0", "e1", "e2", "e3", "e4", "e5");
        assertThat(run(Stream.concat(Stream.of("verify"), files.stream().map(Path::toString))
                        .toArray(String[]::new)))
                .isZero();
        assertThat(out.toString()).startsWith("unbroken: 6 events");

        assertThat(run("verify", files.get(1).toString(), files.get(0).toString()))
                .isEqualTo(1);
    }

    @Test
    void openWhenLastLineIsHalfCutsItOffAndKeepsItBeside() throws IOException {
        record(AuditEvents.refused("one"), AuditEvents.refused("two"));
        Files.writeString(file, Files.readString(file) + "{\"previous\":\"0");
        record(AuditEvents.refused("three"));

        assertThat(events(file)).hasSize(3);
        assertThat(run("verify", file.toString())).isZero();
        assertThat(files()).anySatisfy(torn -> {
            assertThat(torn.toString()).contains("-torn");
            assertThat(torn).hasContent("{\"previous\":\"0");
        });
    }

    @Test
    void openWhenFileIsNoAuditRefusesToGoOn() throws IOException {
        Files.writeString(file, "something else\n");
        assertThatExceptionOfType(IOException.class)
                .isThrownBy(() -> sink(OnFailure.BLOCK, 1, 1_000))
                .withMessageContaining("last line is broken")
                .withMessageContaining("Move it away");
    }

    @Test
    void recordWhenDiskIsFullAndPolicyIsBlockClosesAndLosesNothing() throws IOException {
        assumeThat(FULL).exists();
        Files.createSymbolicLink(file, FULL);
        Path disk = folder.resolve("disk");
        try (FileAuditSink sink = sink(OnFailure.BLOCK, 2, 1_000_000)) {
            assertThat(sink.isOpen()).isTrue();
            sink.record(AuditEvents.refused("one"));
            await().until(() -> !sink.isOpen());
            IntStream.range(0, 5).forEach(i -> sink.record(AuditEvents.refused("more" + i)));
            assertThat(metrics.get("corral.audit.failing").gauge().value()).isEqualTo(1);

            turn(disk);
            await().until(sink::isOpen);
        }
        assertThat(events(disk)).hasSize(6);
        assertThat(metrics.get("corral.audit.lost").counter().count()).isZero();
        assertThat(run("verify", disk.toString())).isZero();
    }

    @Test
    void recordWhenDiskIsFullAndPolicyIsContinueSaysInTheChainHowManyAreMissing() throws IOException {
        assumeThat(FULL).exists();
        Files.createSymbolicLink(file, FULL);
        Path disk = folder.resolve("disk");
        try (FileAuditSink sink = sink(OnFailure.CONTINUE, 2, 1_000_000)) {
            sink.record(AuditEvents.refused("one"));
            await().until(() -> metrics.get("corral.audit.failing").gauge().value() == 1);
            IntStream.range(0, 5).forEach(i -> sink.record(AuditEvents.refused("more" + i)));
            assertThat(sink.isOpen()).isTrue();
            assertThat(metrics.get("corral.audit.lost").counter().count()).isEqualTo(3);

            turn(disk);
            await().until(() -> Files.exists(disk) && Files.readAllLines(disk).size() == 4);
        }
        assertThat(run("verify", disk.toString())).isZero();
        assertThat(out.toString()).contains(": 3 events were lost here", "unbroken: 3 events, and 3 lost");
    }

    @Test
    void showWhenAskedForSomePrintsThose() throws IOException {
        record(AuditEvents.full("one"), AuditEvents.heated("two", 0.75, "secret"), AuditEvents.refused("three"));

        assertThat(run("show", file.toString())).isZero();
        assertThat(out.toString().lines())
                .containsExactly(
                        AuditEvents.TIME
                                + " one desk@1+00000000 tenant acme unavailable by a, b for S1, status 200, complete",
                        AuditEvents.TIME
                                + " two desk@1+00000000 tenant acme flag by heated for S10, status 200, complete",
                        AuditEvents.TIME + " three desk@1+00000000 tenant acme none, status 200, invalid_json");
        out.getBuffer().setLength(0);
        assertThat(run("show", file.toString(), "--decision", "flag", "--last", "1"))
                .isZero();
        assertThat(out.toString().lines()).singleElement().asString().contains(" two ");
        out.getBuffer().setLength(0);
        assertThat(run("show", file.toString(), "--exchange", "three", "--tenant", "acme"))
                .isZero();
        assertThat(out.toString().lines()).hasSize(1);
        assertThat(run("show", folder.resolve("none").toString())).isEqualTo(1);
        assertThat(err.toString()).contains("there is no file ");
        assertThat(run("verify")).isEqualTo(2);
    }

    /** Puts room where the full disk was. */
    private void turn(Path disk) throws IOException {
        Path link = folder.resolve("link");
        Files.createSymbolicLink(link, disk);
        Files.move(link, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    }

    private void record(AuditEvent... events) throws IOException {
        try (FileAuditSink sink = sink(OnFailure.BLOCK, 100, 1_000_000)) {
            List.of(events).forEach(sink::record);
        }
    }

    private FileAuditSink sink(OnFailure onFailure, int queue, long largest) throws IOException {
        return new FileAuditSink(file, largest, onFailure, queue, () -> AuditEvents.TIME, metrics);
    }

    private static List<AuditEvent> events(Path file) throws IOException {
        List<AuditEvent> events = new ArrayList<>();
        try (AuditFile audit = AuditFile.open(file)) {
            for (AuditFile.Entry entry = audit.next(); entry != null; entry = audit.next()) {
                if (entry.event() != null) {
                    events.add(entry.event());
                }
            }
        }
        return events;
    }

    private List<Path> files() throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.filter(path -> path.toString().contains("audit"))
                    .sorted()
                    .toList();
        }
    }

    /** Exchanges of all files. */
    private List<String> all() throws IOException {
        List<String> all = new ArrayList<>();
        for (Path each : files()) {
            events(each).forEach(event -> all.add(event.exchange()));
        }
        return all;
    }

    private static List<String> changed(List<String> lines, int index, String line) {
        List<String> changed = new ArrayList<>(lines);
        changed.set(index, line);
        return changed;
    }

    private String verify(List<String> lines) throws IOException {
        Path forged = folder.resolve("forged");
        Files.write(forged, lines);
        err.getBuffer().setLength(0);
        assertThat(run("verify", forged.toString())).isEqualTo(1);
        return err.toString();
    }

    private int run(String... arguments) {
        CommandLine audit = AuditCommand.commandLine();
        audit.setOut(new PrintWriter(out));
        audit.setErr(new PrintWriter(err, true));
        return audit.execute(arguments);
    }
}
