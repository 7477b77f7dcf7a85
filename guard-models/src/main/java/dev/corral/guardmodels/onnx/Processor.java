package dev.corral.guardmodels.onnx;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;

/** What matters of the CPU. */
final class Processor {

    private static final Path LINUX = Path.of("/proc/cpuinfo");

    private Processor() {}

    /**
     * Whether sums of 8-bit products may saturate at 16 bits: on x64 without VNNI instructions, or where that cannot be
     * found out ({@code onnxruntime:docs} on quantisation: "U8S8 ... saturation issue").
     */
    static boolean saturates() {
        String architecture = System.getProperty("os.arch", "").toLowerCase(Locale.ROOT);
        return (architecture.equals("amd64") || architecture.equals("x86_64")) && !hasVnni();
    }

    private static boolean hasVnni() {
        try {
            String flags = Files.readString(LINUX);
            return flags.contains("avx512_vnni") || flags.contains("avx_vnni");
        } catch (IOException e) {
            return false;
        }
    }
}
