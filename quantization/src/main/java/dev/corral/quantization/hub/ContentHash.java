package dev.corral.quantization.hub;

import static java.nio.charset.StandardCharsets.US_ASCII;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;

/** What a hub says of a file's content. */
public sealed interface ContentHash {

    int BUFFER = 1 << 20;

    /** The hash, in hex. */
    String hex();

    /** The kind of hash, for messages. */
    String kind();

    /** The hash of this kind of a file that is here. */
    String of(Path file) throws IOException;

    /** Of files in Git LFS: SHA-256. */
    record Sha256(String hex) implements ContentHash {

        @Override
        public String kind() {
            return "SHA-256";
        }

        @Override
        public String of(Path file) throws IOException {
            return digest(digest("SHA-256"), file);
        }
    }

    /** Of files in Git itself: SHA-1 of {@code "blob " + size + "\0"} and the content. */
    record GitBlob(String hex) implements ContentHash {

        @Override
        public String kind() {
            return "Git blob id";
        }

        @Override
        public String of(Path file) throws IOException {
            MessageDigest digest = digest("SHA-1");
            digest.update(("blob " + Files.size(file) + "\0").getBytes(US_ASCII));
            return digest(digest, file);
        }
    }

    private static MessageDigest digest(String algorithm) {
        try {
            return MessageDigest.getInstance(algorithm);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java has " + algorithm, e);
        }
    }

    private static String digest(MessageDigest digest, Path file) throws IOException {
        byte[] buffer = new byte[BUFFER];
        try (InputStream in = Files.newInputStream(file)) {
            for (int length = in.read(buffer); length >= 0; length = in.read(buffer)) {
                digest.update(buffer, 0, length);
            }
        }
        return HexFormat.of().formatHex(digest.digest());
    }
}
