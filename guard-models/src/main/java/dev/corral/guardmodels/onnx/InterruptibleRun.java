package dev.corral.guardmodels.onnx;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import java.nio.channels.AsynchronousCloseException;
import java.nio.channels.spi.AbstractInterruptibleChannel;
import java.util.Map;
import java.util.Set;

/**
 * One run of a session that ends when its thread is interrupted: within an operator of the graph, some milliseconds.
 *
 * <p>A thread in native code does not notice an interrupt by itself. The JDK has one way to be told of it, made for
 * channels that block: between {@code begin} and {@code end} an interrupt closes the channel, on the thread that
 * interrupts. To close this one is to tell ONNX Runtime to terminate the run.
 */
final class InterruptibleRun extends AbstractInterruptibleChannel {

    private final OrtSession.RunOptions options;
    private boolean over;

    InterruptibleRun() throws OrtException {
        this.options = new OrtSession.RunOptions();
    }

    /**
     * Runs, once.
     *
     * @throws InterruptedException if the thread was interrupted; what the pinned outputs hold is garbage then
     */
    OrtSession.Result run(
            OrtSession session, Map<String, OnnxTensor> inputs, Set<String> outputs, Map<String, OnnxTensor> pinned)
            throws OrtException, InterruptedException {
        OrtSession.Result result = null;
        try {
            begin();
            try {
                result = session.run(inputs, outputs, pinned, options);
            } finally {
                end(result != null);
            }
            return result;
        } catch (AsynchronousCloseException _) {
            if (result != null) {
                result.close();
            }
            Thread.interrupted();
            throw new InterruptedException();
        } finally {
            finish();
        }
    }

    private synchronized void finish() {
        over = true;
        options.close();
    }

    @Override
    protected synchronized void implCloseChannel() {
        if (!over) {
            try {
                options.setTerminate(true);
            } catch (OrtException e) {
                throw new IllegalStateException("ONNX Runtime cannot terminate a run", e);
            }
        }
    }
}
