package dev.corral.guardmodels.onnx;

import ai.onnxruntime.OrtEnvironment;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.util.Optional;

/**
 * The process's ONNX Runtime, which tells nobody that it is used.
 *
 * <p>From 1.29 on its builds for Linux and macOS send events about processes and models to their vendor, unless
 * {@code ORT_DISABLE_TELEMETRY} is set before the library is initialised (microsoft/onnxruntime#27379), and keep an id of
 * the machine in its user's cache folder. A guard of private texts has no business with that; moreover the process dies
 * at once where its command line has more than some 4,000 characters, which the events are made of. A Java process cannot
 * set its own environment, but C's {@code setenv} can.
 */
final class QuietRuntime {

    private static final String SWITCH = "ORT_DISABLE_TELEMETRY";

    private QuietRuntime() {}

    /** The environment; nothing else may initialise the library. */
    static OrtEnvironment environment() {
        return Holder.ENVIRONMENT;
    }

    private static final class Holder {

        static final OrtEnvironment ENVIRONMENT = quiet();

        @SuppressWarnings("restricted") // ONNX Runtime needs native access, too
        private static OrtEnvironment quiet() {
            Linker linker = Linker.nativeLinker();
            Optional<MemorySegment> setenv = linker.defaultLookup().find("setenv");
            // Windows has none, and sends nothing by itself
            if (setenv.isPresent()) {
                set(linker.downcallHandle(
                        setenv.get(),
                        FunctionDescriptor.of(
                                ValueLayout.JAVA_INT, ValueLayout.ADDRESS, ValueLayout.ADDRESS, ValueLayout.JAVA_INT)));
            }
            return OrtEnvironment.getEnvironment();
        }

        private static void set(MethodHandle setenv) {
            try (Arena arena = Arena.ofConfined()) {
                int failed = (int) setenv.invokeExact(arena.allocateFrom(SWITCH), arena.allocateFrom("1"), 1);
                if (failed != 0) {
                    throw new IllegalStateException("the environment variable " + SWITCH + " cannot be set");
                }
            } catch (RuntimeException | Error e) {
                throw e;
            } catch (Throwable e) {
                throw new IllegalStateException("setenv cannot be called", e);
            }
        }
    }
}
