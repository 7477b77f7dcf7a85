package dev.corral.quantization.hub;

import java.io.Closeable;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.http.HttpResponse.BodySubscriber;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Flow;
import java.util.function.LongConsumer;
import org.jspecify.annotations.Nullable;

/**
 * Writes a body to the end of a file as it comes, and no more than the file is to have. What fails in the file itself is an
 * {@link UncheckedIOException}, so that it is not taken for a broken connection.
 */
final class FileReceiver implements BodySubscriber<Boolean>, Closeable {

    private final FileChannel file;
    private final long limit;
    private final LongConsumer received;
    private final CompletableFuture<Boolean> result = new CompletableFuture<>();
    private Flow.@Nullable Subscription subscription;
    private long size;

    /**
     * A receiver.
     *
     * @param file open at the place where the body goes; closed at the body's end
     * @param limit size that the file must not exceed
     * @param received told the file's size after each piece
     */
    FileReceiver(FileChannel file, long limit, LongConsumer received) throws IOException {
        this.file = file;
        this.limit = limit;
        this.received = received;
        this.size = file.position();
    }

    @Override
    public CompletionStage<Boolean> getBody() {
        return result;
    }

    @Override
    public void onSubscribe(Flow.Subscription given) {
        subscription = given;
        given.request(Long.MAX_VALUE);
    }

    @Override
    public void onNext(List<ByteBuffer> buffers) {
        try {
            for (ByteBuffer buffer : buffers) {
                size += buffer.remaining();
                if (size > limit) {
                    refuse(new IOException("more than the %d bytes came that the file has".formatted(limit)));
                    return;
                }
                while (buffer.hasRemaining()) {
                    file.write(buffer);
                }
            }
            received.accept(size);
        } catch (IOException e) {
            refuse(new UncheckedIOException(e));
        }
    }

    private void refuse(Exception why) {
        if (subscription != null) {
            subscription.cancel();
        }
        end(why);
    }

    @Override
    public void onError(Throwable failure) {
        end(failure);
    }

    @Override
    public void onComplete() {
        end(null);
    }

    private void end(@Nullable Throwable failure) {
        Throwable why = failure;
        try {
            close();
        } catch (IOException e) {
            why = why == null ? new UncheckedIOException(e) : why;
        }
        if (why == null) {
            result.complete(true);
        } else {
            result.completeExceptionally(why);
        }
    }

    /** Ends the writing, even where the body has not come to its end. */
    @Override
    public void close() throws IOException {
        file.close();
    }
}
