package dev.corral.gateway.audit;

import dev.corral.gateway.audit.AuditLine.BrokenException;
import dev.corral.gateway.audit.AuditLine.Entry;
import dev.corral.gateway.configuration.CorralProperties.Audit.OnFailure;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.time.InstantSource;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Keeps events in a file of JSON lines, each of which holds the hash of the one before. */
public final class FileAuditSink implements AuditSink, AutoCloseable {

    /*
     * One thread writes. Whoever records an event leaves it in a queue and goes on; the thread takes what is there, writes
     * it in one go, forces it to the disk, and only then forgets it.
     *
     * Failing: what could not be written whole is cut off again, so that no half line is ever followed by another one, and
     * is tried again until it can be. Meanwhile the queue fills up. With 'block', nothing begins as long as writing fails
     * or the queue is full; exchanges under way end and are kept. With 'continue', events that find the queue full are
     * lost. They are counted, and when writing works again a line of the chain says how many are missing at its place.
     *
     * A file that ends in half a line, after a loss of power, is cut to its last whole line; the rest is kept beside it.
     */

    private static final Logger log = LoggerFactory.getLogger(FileAuditSink.class);
    private static final int MOST_AT_ONCE = 256;
    private static final Duration PATIENCE = Duration.ofMillis(200);
    private static final Duration CLOSING = Duration.ofSeconds(10);
    private static final DateTimeFormatter STAMP =
            DateTimeFormatter.ofPattern("yyyyMMdd'T'HHmmss.SSS'Z'").withZone(ZoneOffset.UTC);

    private final Path file;
    private final long largest;
    private final OnFailure onFailure;
    private final int most;
    private final InstantSource clock;
    private final LinkedBlockingQueue<AuditEvent> queue = new LinkedBlockingQueue<>();
    private final AtomicLong lost = new AtomicLong();
    private final CountDownLatch closing = new CountDownLatch(1);
    private final Counter lostEvents;
    private final Thread writer;
    private volatile boolean failing;
    private @Nullable FileChannel channel;
    private long length;
    private String previous = AuditLine.FIRST;

    /**
     * Opens the file, or begins it.
     *
     * @param file whose folder exists; a chain that it has is gone on with
     * @param largest bytes after which it is put aside under a name with the time, and a new one is begun
     * @param queue events that may wait
     * @throws IOException if it cannot be written, or does not end as an audit ends
     */
    public FileAuditSink(
            Path file, long largest, OnFailure onFailure, int queue, InstantSource clock, MeterRegistry metrics)
            throws IOException {
        this.file = file;
        this.largest = largest;
        this.onFailure = onFailure;
        this.most = queue;
        this.clock = clock;
        repair();
        previous = lastHash();
        open();
        lostEvents = Counter.builder("corral.audit.lost")
                .description("Events that could not be kept")
                .register(metrics);
        Gauge.builder("corral.audit.failing", this, sink -> sink.failing ? 1 : 0)
                .description("1 while events cannot be written")
                .register(metrics);
        Gauge.builder("corral.audit.waiting", this.queue, LinkedBlockingQueue::size)
                .description("Events that wait to be written")
                .register(metrics);
        writer = Thread.ofPlatform().name("audit").daemon().start(this::run);
    }

    @Override
    public boolean isOpen() {
        return onFailure == OnFailure.CONTINUE || (!failing && queue.size() < most);
    }

    @Override
    public void record(AuditEvent event) {
        if (onFailure == OnFailure.CONTINUE && queue.size() >= most) {
            lost.incrementAndGet();
            lostEvents.increment();
        } else {
            queue.add(event);
        }
    }

    private void run() {
        List<AuditEvent> events = new ArrayList<>();
        try {
            while (closing.getCount() > 0 || !queue.isEmpty()) {
                AuditEvent first = queue.poll(PATIENCE.toMillis(), TimeUnit.MILLISECONDS);
                if (first != null) {
                    events.add(first);
                    queue.drainTo(events, MOST_AT_ONCE - 1);
                    persist(events);
                    events.clear();
                }
            }
        } catch (InterruptedException _) {
            log.error("{} events were not written to {}: the gateway stopped", events.size() + queue.size(), file);
        }
    }

    /** Writes, as often as it takes. */
    private void persist(List<AuditEvent> events) throws InterruptedException {
        boolean written = false;
        while (!written) {
            long missing = lost.get();
            try {
                write(events, missing);
                written = true;
                lost.addAndGet(-missing);
                if (failing) {
                    failing = false;
                    log.info("Events are written to {} again", file);
                }
            } catch (IOException e) {
                if (!failing) {
                    failing = true;
                    log.error(
                            "Events cannot be written to {}: {}; corral.audit.on-failure says {}",
                            file,
                            e,
                            onFailure == OnFailure.BLOCK
                                    ? "block: exchanges are refused until it works again"
                                    : "continue: traffic goes on, and events are lost when too many wait");
                }
                shut();
                if (closing.await(PATIENCE.toMillis(), TimeUnit.MILLISECONDS)) {
                    throw new InterruptedException();
                }
            }
        }
    }

    private void write(List<AuditEvent> events, long missing) throws IOException {
        FileChannel open = channel == null ? open() : channel;
        if (length >= largest) {
            open = rotate();
        }
        StringBuilder text = new StringBuilder();
        String last = previous;
        if (missing > 0) {
            last = append(text, new Entry.Lost(clock.instant(), missing), last);
        }
        for (AuditEvent event : events) {
            last = append(text, new Entry.Of(event), last);
        }
        ByteBuffer bytes = ByteBuffer.wrap(text.toString().getBytes(StandardCharsets.UTF_8));
        int size = bytes.remaining();
        while (bytes.hasRemaining()) {
            open.write(bytes);
        }
        open.force(false);
        length += size;
        previous = last;
    }

    private static String append(StringBuilder text, Entry entry, String previous) {
        String line = AuditLine.write(entry, previous);
        text.append(line).append('\n');
        try {
            return AuditLine.read(line).hash();
        } catch (BrokenException e) {
            throw new IllegalStateException("a line must be as it was written", e);
        }
    }

    private FileChannel open() throws IOException {
        FileChannel open = FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
        if (Files.isRegularFile(file)) {
            if (channel == null && length > 0 && open.size() > length) {
                open.truncate(length);
            }
            length = open.size();
            open.position(length);
        }
        channel = open;
        return open;
    }

    private void shut() {
        try {
            if (channel != null) {
                channel.close();
            }
        } catch (IOException e) {
            log.warn("{} could not be closed: {}", file, e.toString());
        }
        channel = null;
    }

    private FileChannel rotate() throws IOException {
        shut();
        Files.move(file, beside(STAMP.format(clock.instant())));
        length = 0;
        return open();
    }

    /** Another name for the file, which sorts before it: {@code audit-20261124T101500.000Z.jsonl}. */
    private Path beside(String stamp) {
        String name = file.getFileName().toString();
        int dot = name.lastIndexOf('.') < 0 ? name.length() : name.lastIndexOf('.');
        Path free = file.resolveSibling(name.substring(0, dot) + "-" + stamp + name.substring(dot));
        for (int i = 2; Files.exists(free); i++) {
            free = file.resolveSibling(name.substring(0, dot) + "-" + stamp + "_" + i + name.substring(dot));
        }
        return free;
    }

    private void repair() throws IOException {
        if (!Files.isRegularFile(file)) {
            return;
        }
        try (FileChannel open = FileChannel.open(file, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
            long end = endOfLines(open);
            if (end < open.size()) {
                ByteBuffer half = ByteBuffer.allocate(Math.toIntExact(open.size() - end));
                open.read(half, end);
                Path torn = beside(STAMP.format(clock.instant()) + "-torn");
                Files.write(torn, half.array());
                open.truncate(end);
                log.warn("{} ended in half a line, as after a loss of power; it is in {} now", file, torn);
            }
        }
    }

    /** Behind the last end of a line. */
    private static long endOfLines(FileChannel open) throws IOException {
        ByteBuffer one = ByteBuffer.allocate(1);
        long end = open.size();
        while (end > 0) {
            one.clear();
            open.read(one, end - 1);
            if (one.get(0) == '\n') {
                return end;
            }
            end--;
        }
        return 0;
    }

    private String lastHash() throws IOException {
        if (!Files.isRegularFile(file) || Files.size(file) == 0) {
            return AuditLine.FIRST;
        }
        try (FileChannel open = FileChannel.open(file, StandardOpenOption.READ)) {
            long end = open.size() - 1;
            long start = end;
            ByteBuffer one = ByteBuffer.allocate(1);
            while (start > 0) {
                one.clear();
                open.read(one, start - 1);
                if (one.get(0) == '\n') {
                    break;
                }
                start--;
            }
            ByteBuffer line = ByteBuffer.allocate(Math.toIntExact(end - start));
            open.read(line, start);
            return AuditLine.read(new String(line.array(), StandardCharsets.UTF_8))
                    .hash();
        } catch (BrokenException e) {
            throw new IOException(
                    file + " is not to be gone on with: its last line is broken (" + e.getMessage()
                            + "). Move it away, and keep it for whoever examines it; a new one is begun then.",
                    e);
        }
    }

    /** Writes what waits, for a few seconds at most. */
    @Override
    public void close() {
        closing.countDown();
        try {
            if (!writer.join(CLOSING)) {
                writer.interrupt();
                writer.join();
            }
            shut();
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
        }
    }
}
