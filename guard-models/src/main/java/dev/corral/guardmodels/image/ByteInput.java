package dev.corral.guardmodels.image;

import java.io.InterruptedIOException;
import javax.imageio.stream.ImageInputStreamImpl;

/** Bytes for an image reader, until the thread is interrupted. */
final class ByteInput extends ImageInputStreamImpl {

    private final byte[] bytes;

    ByteInput(byte[] bytes) {
        this.bytes = bytes;
    }

    @Override
    public int read() throws InterruptedIOException {
        ensureTime();
        bitOffset = 0;
        return streamPos < bytes.length ? bytes[(int) streamPos++] & 0xff : -1;
    }

    @Override
    public int read(byte[] target, int from, int length) throws InterruptedIOException {
        ensureTime();
        bitOffset = 0;
        if (streamPos >= bytes.length) {
            return -1;
        }
        int read = (int) Math.min(length, bytes.length - streamPos);
        System.arraycopy(bytes, (int) streamPos, target, from, read);
        streamPos += read;
        return read;
    }

    @Override
    public long length() {
        return bytes.length;
    }

    private static void ensureTime() throws InterruptedIOException {
        if (Thread.currentThread().isInterrupted()) {
            throw new InterruptedIOException();
        }
    }
}
