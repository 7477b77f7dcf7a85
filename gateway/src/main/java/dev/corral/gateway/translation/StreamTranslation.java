package dev.corral.gateway.translation;

import dev.corral.gateway.dialect.DialectException;
import dev.corral.gateway.dialect.FrameSplitter;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Translates one streamed answer, whatever the chunks it comes in. Not thread-safe. */
public final class StreamTranslation {

    private final FrameSplitter frames;
    private final AnswerReader reader;
    private final AnswerWriter writer;
    private @Nullable DialectException failure;
    private boolean stopped;
    private boolean ended;

    StreamTranslation(FrameSplitter frames, AnswerReader reader, AnswerWriter writer) {
        this.frames = frames;
        this.reader = reader;
        this.writer = writer;
    }

    /**
     * The client's frames that the upstream's next chunk makes; none, one or several.
     *
     * @throws DialectException with status 502 where it cannot be read, or not be said to the client
     */
    public List<byte[]> next(byte[] chunk) {
        fail();
        List<byte[]> written = new ArrayList<>();
        try {
            frames.split(chunk).forEach(frame -> translate(frame, written));
        } catch (DialectException unreadable) {
            failure = unreadable;
            if (written.isEmpty()) {
                fail();
            }
        }
        return written;
    }

    /**
     * The rest, when the upstream has nothing more to say. Some servers leave their last word out.
     *
     * @throws DialectException with status 502 where the answer is not complete
     */
    public List<byte[]> end() {
        fail();
        List<byte[]> written = new ArrayList<>();
        frames.flush().ifPresent(frame -> translate(frame, written));
        if (!ended && !stopped) {
            throw AnswerReader.incomplete();
        }
        if (!ended) {
            written.addAll(writer.write(new Delta.End()));
        }
        return written;
    }

    /** What came before a failure is said first, whatever the chunks. */
    private void fail() {
        if (failure != null) {
            throw failure;
        }
    }

    /** What follows the end is for nobody. */
    private void translate(byte[] frame, List<byte[]> written) {
        for (Delta delta : ended ? List.<Delta>of() : reader.frame(frame)) {
            stopped |= delta instanceof Delta.Stopped;
            ended |= delta instanceof Delta.End || delta instanceof Delta.Failed;
            written.addAll(writer.write(delta));
        }
    }
}
