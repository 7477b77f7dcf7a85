package dev.corral.gateway.audit;

import dev.corral.gateway.audit.AuditLine.BrokenException;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/** Reads a file of an audit line by line, and checks that each follows the one before. */
public final class AuditFile implements AutoCloseable {

    private final Path file;
    private final BufferedReader lines;
    private String expected;
    private int number;

    private AuditFile(Path file, BufferedReader lines, String expected) {
        this.file = file;
        this.lines = lines;
        this.expected = expected;
    }

    /**
     * What a line says.
     *
     * @param number from 1
     * @param event null where events were lost instead
     * @param lost so many of them
     */
    public record Entry(int number, @Nullable AuditEvent event, long lost) {}

    /** A line that breaks the chain; the message names its place, and says what is wrong with it. */
    public static final class BrokenChainException extends IOException {

        private static final long serialVersionUID = 1L;

        BrokenChainException(String message) {
            super(message);
        }
    }

    /** Opens a file; what its first line follows is not checked. */
    public static AuditFile open(Path file) throws IOException {
        return new AuditFile(file, Files.newBufferedReader(file), "");
    }

    /** Opens a file that must go on where another one, read to its end, ended. */
    public static AuditFile open(Path file, AuditFile before) throws IOException {
        return new AuditFile(file, Files.newBufferedReader(file), before.expected);
    }

    /**
     * The next line; null at the end.
     *
     * @throws BrokenChainException if it is not as it was written, or does not follow the line before
     */
    public @Nullable Entry next() throws IOException {
        try {
            String text = lines.readLine();
            if (text == null) {
                return null;
            }
            number++;
            AuditLine line = AuditLine.read(text);
            if (!expected.isEmpty() && !line.previous().equals(expected)) {
                throw new BrokenException(
                        "it does not follow the line before: lines were taken out, put in or changed between them");
            }
            expected = line.hash();
            return line.lost() > 0 ? new Entry(number, null, line.lost()) : new Entry(number, line.event(), 0);
        } catch (CharacterCodingException e) {
            throw broken("it is not UTF-8");
        } catch (BrokenException e) {
            throw broken(String.valueOf(e.getMessage()));
        }
    }

    /** What is to be told of a failure to read. */
    static String reason(IOException failure) {
        return failure instanceof NoSuchFileException missing
                ? "there is no file " + missing.getFile()
                : String.valueOf(failure.getMessage());
    }

    private BrokenChainException broken(String message) {
        return new BrokenChainException(file + ":" + number + ": " + message);
    }

    /** Hash of the line that was read last; empty before the first. */
    public String hash() {
        return expected;
    }

    @Override
    public void close() throws IOException {
        lines.close();
    }
}
