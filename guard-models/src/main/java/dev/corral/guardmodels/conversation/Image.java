package dev.corral.guardmodels.conversation;

import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;

/** An image as far as it has come: only its address, its file, or the reason why there is no file. */
public sealed interface Image {

    /**
     * An image that nobody has fetched.
     *
     * @param url as it was sent: a {@code data:} or {@code https:} address, or anything else
     */
    record Reference(String url) implements Image {}

    /**
     * A file, not decoded. Equal to another one with the same bytes.
     *
     * @param bytes not copied, and not to be written to
     * @param sha256 of the bytes, in hexadecimal digits
     */
    @SuppressWarnings("ArrayRecordComponent") // compared by their hash, see equals
    record File(byte[] bytes, String sha256) implements Image {

        /** A file with these bytes. */
        public static File of(byte[] bytes) {
            try {
                return new File(
                        bytes,
                        HexFormat.of()
                                .formatHex(MessageDigest.getInstance("SHA-256").digest(bytes)));
            } catch (NoSuchAlgorithmException e) {
                throw new IllegalStateException("every Java has SHA-256", e);
            }
        }

        @Override
        public boolean equals(Object other) {
            return other instanceof File file && sha256.equals(file.sha256);
        }

        @Override
        public int hashCode() {
            return sha256.hashCode();
        }

        @Override
        public String toString() {
            return "File[" + bytes.length + " bytes, sha256 " + sha256 + "]";
        }
    }

    /**
     * An image that cannot be had.
     *
     * @param why in a sentence's words, with what to do about it where there is something
     */
    record Unavailable(String why) implements Image {}
}
