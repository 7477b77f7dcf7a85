package dev.corral.guardmodels.onnx;

import ai.onnxruntime.OrtEnvironment;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.util.Optional;

/**
 * The process's ONNX Runtime, which tells nobody that it is used, and which lives as long as the process.
 *
 * <p>From 1.29 on its builds for Linux and macOS send events about processes and models to their vendor, unless
 * {@code ORT_DISABLE_TELEMETRY} is set before the library is initialised (microsoft/onnxruntime#27379), and keep an id of
 * the machine in its user's cache folder. A guard of private texts has no business with that; moreover the process dies
 * at once where its command line has more than some 4,000 characters, which the events are made of. A Java process cannot
 * set its own environment, but C's {@code setenv} can.
 */
final class QuietRuntime {

    private static final String SWITCH = "ORT_DISABLE_TELEMETRY";

    /** Any version that the library still serves has the function at this place. */
    private static final int API_VERSION = 11;

    private static final int CREATE_ENVIRONMENT = 3;
    private static final int WARNINGS = 2;

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
            OrtEnvironment environment = OrtEnvironment.getEnvironment();
            keep(linker);
            return environment;
        }

        /** Creates an environment once more, which is the same one, and never releases it. */
        @SuppressWarnings("restricted")
        private static void keep(Linker linker) {
            Optional<MemorySegment> base = SymbolLookup.loaderLookup().find("OrtGetApiBase");
            if (base.isEmpty()) {
                return; // a library that was loaded in another way; it then ends as its vendor meant it to
            }
            FunctionDescriptor getter = FunctionDescriptor.of(ValueLayout.ADDRESS);
            FunctionDescriptor versioned = FunctionDescriptor.of(ValueLayout.ADDRESS, ValueLayout.JAVA_INT);
            FunctionDescriptor creator = FunctionDescriptor.of(
                    ValueLayout.ADDRESS, ValueLayout.JAVA_INT, ValueLayout.ADDRESS, ValueLayout.ADDRESS);
            try (Arena arena = Arena.ofConfined()) {
                MemorySegment functions = (MemorySegment)
                        linker.downcallHandle(base.get(), getter).invokeExact();
                MemorySegment api = (MemorySegment)
                        linker.downcallHandle(function(functions, 0), versioned).invokeExact(API_VERSION);
                MemorySegment failure = (MemorySegment) linker.downcallHandle(
                                function(api, CREATE_ENVIRONMENT), creator)
                        .invokeExact(WARNINGS, arena.allocateFrom("corral"), arena.allocate(ValueLayout.ADDRESS));
                if (!failure.equals(MemorySegment.NULL)) {
                    throw new IllegalStateException("ONNX Runtime's environment cannot be kept");
                }
            } catch (RuntimeException | Error e) {
                throw e;
            } catch (Throwable e) {
                throw new IllegalStateException("ONNX Runtime's C interface cannot be called", e);
            }
        }

        @SuppressWarnings("restricted")
        private static MemorySegment function(MemorySegment table, int index) {
            return table.reinterpret((index + 1) * ValueLayout.ADDRESS.byteSize())
                    .getAtIndex(ValueLayout.ADDRESS, index);
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
