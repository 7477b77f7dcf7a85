package dev.corral.gateway.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.springframework.boot.test.system.CapturedOutput;
import org.springframework.boot.test.system.OutputCaptureExtension;

/** Starts that are to use a GPU where there is none. */
@ExtendWith(OutputCaptureExtension.class)
class GpuBuildTests {

    @Test
    void startWhenBuildOfOnnxRuntimeHasNoCudaSaysHowToGetIt(CapturedOutput output) {
        assertThat(catchThrowable(() -> GatewayServer.start(Map.of("corral.port", "0", "corral.guard.provider", "cuda"))
                        .close()))
                .isNotNull();

        assertThat(output)
                .contains("this build of ONNX Runtime has no CUDA; start Corral with './corral run --gpu'")
                .contains("or start without --gpu (corral.guard.provider: cpu)")
                .doesNotContain("\tat ");
    }

    /** With ONNX Runtime's build for CUDA, which 'mvn -Pgpu dependency:resolve' fetches: 642 MB. */
    @Test
    @Tag("slow")
    void startWhenCudaIsMissingSaysWhatIsMissing() throws IOException, InterruptedException {
        assumeTrue(!Files.exists(Path.of("/dev/nvidiactl")), "there is a GPU here, and the start might succeed");
        List<String> classPath =
                Arrays.asList(System.getProperty("java.class.path").split(File.pathSeparator, -1));
        String usual = classPath.stream()
                .filter(entry -> entry.matches(".*[/\\\\]onnxruntime-[^/\\\\]*\\.jar"))
                .findFirst()
                .orElseThrow();
        Path version = Path.of(usual).getParent();
        Path cuda = version.getParent()
                .resolveSibling("onnxruntime_gpu")
                .resolve(version.getFileName())
                .resolve(Path.of(usual).getFileName().toString().replace("onnxruntime-", "onnxruntime_gpu-"));
        assumeTrue(Files.exists(cuda), "there is no " + cuda + "; 'mvn -Pgpu dependency:resolve' fetches it");
        ProcessBuilder builder = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "--enable-native-access=ALL-UNNAMED",
                        "dev.corral.gateway.GatewayApplication",
                        "run",
                        "--gpu",
                        "--port",
                        "0")
                .redirectErrorStream(true);
        builder.environment()
                .put(
                        "CLASSPATH",
                        classPath.stream()
                                .map(entry -> entry.equals(usual) ? cuda.toString() : entry)
                                .collect(Collectors.joining(File.pathSeparator)));

        Process process = builder.start();
        String said = new String(process.getInputStream().readAllBytes());

        assertThat(process.waitFor()).isEqualTo(1);
        assertThat(said)
                .contains("The guard cannot be used: ONNX Runtime cannot use CUDA: ")
                .contains("on a machine with an NVIDIA GPU, CUDA 12 and cuDNN 9")
                .contains("See to CUDA 12, cuDNN 9 and the driver of the GPU, or start without --gpu")
                .doesNotContain("\tat dev.corral");
    }
}
