package dev.corral.guardmodels.store;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Consumer;
import java.util.stream.Stream;

/** Opens guard directories: every file is read once and compared with {@code SHA256SUMS} before anything is used. */
public final class GuardStore {

    private static final String MANIFEST = "guard.yaml";
    private static final String MODEL = "model.onnx";
    private static final String ENCODER = "vision.onnx";
    private static final String TOKENIZER = "tokenizer.json";

    private static final int BUFFER = 1 << 20;

    private GuardStore() {}

    /**
     * Opens a directory and verifies all its files; this takes seconds for gigabytes.
     *
     * @throws UnusableGuardException if a file is missing, truncated or changed, or {@code guard.yaml} is wrong
     */
    public static GuardDirectory open(Path directory) {
        if (!Files.isDirectory(directory)) {
            throw new UnusableGuardException(
                    directory + " is not a directory; give the directory that 'corral quantize' wrote");
        }
        GuardFolder folder = new GuardFolder.OnDisk(directory);
        Checksums checksums = checksums(folder);
        try (Stream<Path> files = Files.list(directory)) {
            files.map(file -> file.getFileName().toString())
                    .filter(name -> (name.startsWith(MODEL) || name.startsWith(ENCODER))
                            && !checksums.digests().containsKey(name))
                    .findFirst()
                    .ifPresent(name -> {
                        throw unlisted(folder, name);
                    });
        } catch (IOException e) {
            throw unreadable(directory.toString(), e);
        }
        for (String name : checksums.digests().keySet()) {
            if (!List.of(MANIFEST, TOKENIZER).contains(name)) {
                verify(folder, name, checksums, (_, _) -> {});
            }
        }
        ModelSource model = new ModelSource.InFile(directory.resolve(MODEL));
        GuardDirectory guard =
                directory(folder, directory.toString(), checksums, model, Optional.of(directory.resolve(ENCODER)));
        if (guard.encoder().isPresent() && !checksums.digests().containsKey(ENCODER)) {
            throw unlisted(folder, ENCODER);
        }
        return guard;
    }

    /**
     * The guard that is built in.
     *
     * @throws UnusableGuardException if this build has none
     */
    public static GuardDirectory starter() {
        GuardFolder folder = new GuardFolder.BuiltIn("/dev/corral/guardmodels/starter");
        Checksums checksums = checksums(folder);
        ByteBuffer bytes = bytes(folder, MODEL, checksums, true);
        return directory(
                folder,
                "the built-in guard",
                checksums,
                new ModelSource.InMemory(bytes.asReadOnlyBuffer()),
                Optional.empty());
    }

    /**
     * Writes {@code SHA256SUMS} for all files of a directory that was just made.
     *
     * @throws IOException if a file cannot be read or written
     */
    public static void seal(Path directory) throws IOException {
        SortedMap<String, String> digests = new TreeMap<>();
        Map<String, Long> sizes = new TreeMap<>();
        try (Stream<Path> files = Files.list(directory)) {
            for (Path file : files.filter(Files::isRegularFile).toList()) {
                String name = file.getFileName().toString();
                if (!name.equals(Checksums.FILE)) {
                    digests.put(name, digest(file));
                    sizes.put(name, Files.size(file));
                }
            }
        }
        Files.writeString(directory.resolve(Checksums.FILE), new Checksums(digests, sizes).format());
    }

    /**
     * Compares every file of a directory that was {@linkplain #seal sealed} with its checksums: a guard's, or weights.
     *
     * @param each told of each file as soon as it was read
     * @return all files, in the order of their names; hidden ones are left out
     * @throws UnusableGuardException if there is no {@code SHA256SUMS}, or a file cannot be read
     */
    public static List<FileCheck> check(Path directory, Consumer<FileCheck> each) {
        GuardFolder folder = new GuardFolder.OnDisk(directory);
        Checksums checksums = readChecksums(folder);
        Set<String> names = new TreeSet<>(checksums.digests().keySet());
        try (Stream<Path> files = Files.list(directory)) {
            files.filter(Files::isRegularFile)
                    .map(file -> file.getFileName().toString())
                    .filter(name -> !name.startsWith(".") && !name.equals(Checksums.FILE))
                    .forEach(names::add);
        } catch (IOException e) {
            throw unreadable(directory.toString(), e);
        }
        List<FileCheck> checks = new ArrayList<>();
        for (String name : names) {
            FileCheck check = check(folder, name, checksums, (_, _) -> {});
            each.accept(check);
            checks.add(check);
        }
        return checks;
    }

    /** The SHA-256 of a file, in hex. */
    public static String digest(Path file) throws IOException {
        try (InputStream in = Files.newInputStream(file)) {
            return digest(in, (_, _) -> {});
        }
    }

    private static GuardDirectory directory(
            GuardFolder folder, String origin, Checksums checksums, ModelSource model, Optional<Path> encoder) {
        GuardManifest manifest =
                GuardManifest.parse(text(bytes(folder, MANIFEST, checksums, false)), folder.path(MANIFEST));
        byte[] tokenizer = bytes(folder, TOKENIZER, checksums, false).array();
        return new GuardDirectory(
                origin,
                manifest,
                model,
                encoder.filter(_ -> manifest.vision().isPresent()),
                tokenizer,
                checksums.fingerprint(),
                NamedHazards.FIRST);
    }

    private static Checksums checksums(GuardFolder folder) {
        Checksums checksums = readChecksums(folder);
        for (String name : List.of(MANIFEST, MODEL, TOKENIZER)) {
            if (!checksums.digests().containsKey(name)) {
                throw unlisted(folder, name);
            }
        }
        return checksums;
    }

    private static Checksums readChecksums(GuardFolder folder) {
        String path = folder.path(Checksums.FILE);
        try (InputStream in = folder.open(Checksums.FILE)
                .orElseThrow(() -> new UnusableGuardException(
                        path + " is missing: it lists the guard's files" + folder.advice()))) {
            return Checksums.parse(new String(in.readAllBytes(), UTF_8), path);
        } catch (IOException e) {
            throw unreadable(path, e);
        }
    }

    private static ByteBuffer bytes(GuardFolder folder, String name, Checksums checksums, boolean direct) {
        try {
            int size = Math.toIntExact(folder.size(name));
            ByteBuffer bytes = direct ? ByteBuffer.allocateDirect(size) : ByteBuffer.allocate(size);
            verify(folder, name, checksums, (buffer, length) -> bytes.put(buffer, 0, length));
            return bytes.flip();
        } catch (IOException e) {
            throw missing(folder, name);
        } catch (ArithmeticException | java.nio.BufferOverflowException e) {
            throw new UnusableGuardException(folder.path(name) + " is too large, or changed while it was read", e);
        }
    }

    private static void verify(GuardFolder folder, String name, Checksums checksums, Sink sink) {
        FileCheck check = check(folder, name, checksums, sink);
        String path = folder.path(name);
        switch (check.state()) {
            case WHOLE -> {}
            case MISSING -> throw missing(folder, name);
            case TRUNCATED ->
                throw new UnusableGuardException(path + " is truncated: " + check.detail() + folder.advice());
            case CHANGED ->
                throw new UnusableGuardException(path + " is not the file that " + Checksums.FILE + " describes: "
                        + check.detail() + folder.advice());
            case UNLISTED -> throw unlisted(folder, name);
        }
    }

    private static FileCheck check(GuardFolder folder, String name, Checksums checksums, Sink sink) {
        String expected = checksums.digests().get(name);
        if (expected == null) {
            return new FileCheck(name, FileCheck.State.UNLISTED, Checksums.FILE + " does not list it");
        }
        try {
            Optional<InputStream> file = folder.open(name);
            if (file.isEmpty()) {
                return new FileCheck(name, FileCheck.State.MISSING, Checksums.FILE + " lists it");
            }
            try (InputStream in = file.get()) {
                long size = folder.size(name);
                long expectedSize = checksums.size(name).orElse(size);
                if (size < expectedSize) {
                    return new FileCheck(
                            name, FileCheck.State.TRUNCATED, "it has " + size + " bytes, expected " + expectedSize);
                }
                String found = digest(in, sink);
                return found.equals(expected)
                        ? new FileCheck(name, FileCheck.State.WHOLE, size + " bytes")
                        : new FileCheck(
                                name, FileCheck.State.CHANGED, "its SHA-256 is " + found + ", expected " + expected);
            }
        } catch (IOException e) {
            throw unreadable(folder.path(name), e);
        }
    }

    private static String digest(InputStream in, Sink sink) throws IOException {
        MessageDigest digest = Checksums.sha256();
        byte[] buffer = new byte[BUFFER];
        for (int length = in.read(buffer); length >= 0; length = in.read(buffer)) {
            digest.update(buffer, 0, length);
            sink.accept(buffer, length);
        }
        return HexFormat.of().formatHex(digest.digest());
    }

    private static String text(ByteBuffer bytes) {
        return UTF_8.decode(bytes.duplicate()).toString();
    }

    private static UnusableGuardException missing(GuardFolder folder, String name) {
        return new UnusableGuardException(
                folder.path(name) + " is missing: " + Checksums.FILE + " lists it" + folder.advice());
    }

    private static UnusableGuardException unlisted(GuardFolder folder, String name) {
        return new UnusableGuardException(folder.path(Checksums.FILE) + " does not list " + name
                + ", so it cannot be verified" + folder.advice());
    }

    private static UnusableGuardException unreadable(String path, IOException e) {
        return new UnusableGuardException(path + " cannot be read: " + e.getMessage(), e);
    }

    /** Takes what was read. */
    private interface Sink {
        void accept(byte[] buffer, int length);
    }
}
