package dev.corral.guardmodels.image;

import java.awt.image.BufferedImage;
import java.awt.image.Raster;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.util.Iterator;
import java.util.function.Predicate;
import javax.imageio.ImageIO;
import javax.imageio.ImageReader;
import javax.imageio.spi.ImageReaderSpi;

/** One file in the hands of an image reader of the JDK or of a library; whatever it throws, the file is corrupt. */
final class Library implements AutoCloseable {

    private final ImageReader reader;
    private final Predicate<String> harmless;
    private String warning = "";

    private Library(ImageReader reader, byte[] file, Predicate<String> harmless) {
        this.reader = reader;
        this.harmless = harmless;
        reader.addIIOReadWarningListener((_, message) -> warned(message));
        reader.setInput(new ByteInput(file), false, true);
    }

    /** The JDK's reader for a format. */
    static Library jdk(String format, byte[] file) {
        return jdk(format, file, _ -> false);
    }

    /** The same, which may utter these warnings. */
    static Library jdk(String format, byte[] file, Predicate<String> harmless) {
        Iterator<ImageReader> readers = ImageIO.getImageReadersByFormatName(format);
        while (readers.hasNext()) {
            ImageReader reader = readers.next();
            if (reader.getClass().getModule().equals(ImageIO.class.getModule())) {
                return new Library(reader, file, harmless);
            }
        }
        throw new IllegalStateException("this Java has no reader for " + format + "; use one with java.desktop");
    }

    /** A reader of a library. */
    static Library of(ImageReaderSpi provider, byte[] file) throws UndecodableException {
        try {
            return new Library(provider.createReaderInstance(), file, _ -> false);
        } catch (IOException e) {
            throw UndecodableException.corrupt(reason(e));
        }
    }

    /** The image with this number. */
    BufferedImage image(int index) throws UndecodableException {
        return guarded(() -> reader.read(index));
    }

    /** The samples of the first image as they are stored, in no colour model. */
    Raster raster() throws UndecodableException {
        return guarded(() -> reader.readRaster(0, null));
    }

    private interface Reading<T> {
        T read() throws IOException;
    }

    private <T> T guarded(Reading<T> reading) throws UndecodableException {
        try {
            T read = reading.read();
            if (!warning.isEmpty()) {
                throw UndecodableException.corrupt(warning);
            }
            return read;
        } catch (InterruptedIOException _) {
            throw UndecodableException.interrupted();
        } catch (IOException | RuntimeException e) {
            throw Thread.currentThread().isInterrupted()
                    ? UndecodableException.interrupted()
                    : UndecodableException.corrupt(reason(e));
        }
    }

    private void warned(String message) {
        if (warning.isEmpty() && !harmless.test(message)) {
            warning = "its decoder says: " + message;
        }
    }

    private static String reason(Exception failure) {
        return failure.getMessage() == null || !(failure instanceof IOException)
                ? "its decoder cannot make sense of it"
                : "its decoder says: " + failure.getMessage();
    }

    @Override
    public void close() {
        reader.dispose();
    }
}
