package dev.corral.gateway.launcher;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The script in a made-up checkout, among made-up JDKs and a made-up Maven that write down how they were called. */
class LauncherTests {

    private static final Path SCRIPT = Path.of("").toAbsolutePath().resolveSibling("corral");

    @TempDir
    private Path folder;

    private Path checkout;

    private Path jdks;

    private Path programs;

    @BeforeEach
    void prepare() throws IOException {
        checkout = Files.createDirectories(folder.resolve("a check out"));
        jdks = Files.createDirectories(folder.resolve("installed jdks"));
        programs = Files.createDirectories(folder.resolve("programs"));
        Files.copy(SCRIPT, checkout.resolve("corral"));
        Files.writeString(checkout.resolve("pom.xml"), "<project>\n    <version>9.8.7</version>\n</project>\n");
        Files.createDirectories(checkout.resolve("gateway/src/main"));
    }

    @Test
    void helpWhenThereIsNoJdkExplainsEveryCommand() throws Exception {
        Run run = corral(List.of("help"), Map.of());
        assertThat(run.status).isZero();
        assertThat(run.out)
                .contains(
                        "./corral demo",
                        "  run ",
                        "  assess ",
                        "  evaluate ",
                        "  model ",
                        "  quantize ",
                        "  test ",
                        "  bench ")
                .contains("Examples", "CORRAL_JAVA_HOME");
        assertThat(corral(List.of(), Map.of()).out).isEqualTo(run.out);
        assertThat(corral(List.of("--help"), Map.of()).out).isEqualTo(run.out);
    }

    @Test
    void versionWhenThereIsNoJdkIsTheCheckoutsVersion() throws Exception {
        assertThat(corral(List.of("--version"), Map.of()).out).isEqualTo("corral 9.8.7\n");
    }

    @ParameterizedTest
    @CsvSource({"rnu, Did you mean 'run'?", "asess, Did you mean 'assess'?", "frobnicate, All commands: ./corral help"})
    void commandWhenUnknownIsWrongUsageWithAHint(String command, String hint) throws Exception {
        Run run = corral(List.of(command), Map.of());
        assertThat(run.status).isEqualTo(2);
        assertThat(run.err).contains("there is no command '" + command + "'").contains(hint);
        assertThat(run.out).isEmpty();
    }

    @Test
    void jdkWhenOnlyOlderOnesExistSaysWhatWasFoundAndHowToGetOne() throws Exception {
        Path old = jdk(jdks.resolve("java-17"), "17.0.9");
        built();
        Run run = corral(List.of("demo"), Map.of("JAVA_HOME", old.toString()));
        assertThat(run.status).isEqualTo(3);
        assertThat(run.err)
                .contains("needs a JDK 25 or newer")
                .containsOnlyOnce("  17.0.9  " + old)
                .contains("adoptium.net", "apt install", "brew install", "sdk install");
    }

    @Test
    void jdkWhenNoneExistsSaysHowToGetOne() throws Exception {
        Run run = corral(List.of("demo"), Map.of());
        assertThat(run.status).isEqualTo(3);
        assertThat(run.err).contains("needs a JDK 25 or newer").doesNotContain("Too old");
    }

    @Test
    void jdkWhenJavaHomeIsOlderIsAnotherThatIsNewEnough() throws Exception {
        Path old = jdk(folder.resolve("jdk-8"), "1.8.0_392");
        jdk(jdks.resolve("java-21"), "21.0.4");
        Path fitting = jdk(jdks.resolve("java-25"), "25.0.3");
        built();
        Run run = corral(List.of("demo"), Map.of("JAVA_HOME", old.toString()));
        assertThat(run.status).as(run.err).isZero();
        assertThat(run.out).startsWith(fitting + "/bin/java\n");
    }

    @Test
    void jdkWhenJavaOnThePathIsOlderIsAnotherThatIsNewEnough() throws Exception {
        Path old = jdk(folder.resolve("jdk-17"), "17.0.9");
        Files.createSymbolicLink(programs.resolve("javac"), old.resolve("bin/javac"));
        Path fitting = jdk(jdks.resolve("java-26"), "26");
        built();
        assertThat(corral(List.of("demo"), Map.of()).out).startsWith(fitting + "/bin/java\n");
    }

    @Test
    void jdkWhenTheOneOnThePathFitsIsThatOne() throws Exception {
        Path fitting = jdk(folder.resolve("my jdk"), "25");
        Files.createSymbolicLink(programs.resolve("javac"), fitting.resolve("bin/javac"));
        built();
        assertThat(corral(List.of("demo"), Map.of()).out).startsWith(fitting + "/bin/java\n");
    }

    @ParameterizedTest
    @ValueSource(strings = {"Contents/Home", "libexec/openjdk.jdk/Contents/Home"})
    void jdkWhenItLiesAsOnMacIsFound(String inner) throws Exception {
        Path fitting = jdk(jdks.resolve("temurin-25.jdk").resolve(inner), "25.0.3");
        built();
        assertThat(corral(List.of("demo"), Map.of()).out).startsWith(fitting + "/bin/java\n");
    }

    @Test
    void jdkWhenItHasNoReleaseFileIsAskedForItsVersion() throws Exception {
        Path fitting = jdk(jdks.resolve("java-25"), "25.0.3");
        Files.delete(fitting.resolve("release"));
        built();
        assertThat(corral(List.of("demo"), Map.of()).out).startsWith(fitting + "/bin/java\n");
    }

    @Test
    void jdkWhenItIsOnlyARuntimeIsLeftAside() throws Exception {
        Files.delete(jdk(jdks.resolve("jre-25"), "25.0.3").resolve("bin/javac"));
        built();
        assertThat(corral(List.of("demo"), Map.of()).status).isEqualTo(3);
    }

    @Test
    void jdkWhenTheOneAskedForIsTooOldIsNoOther() throws Exception {
        Path old = jdk(folder.resolve("jdk-17"), "17.0.9");
        jdk(jdks.resolve("java-25"), "25.0.3");
        built();
        Run run = corral(List.of("demo"), Map.of("CORRAL_JAVA_HOME", old.toString()));
        assertThat(run.status).isEqualTo(3);
        assertThat(run.err).contains("CORRAL_JAVA_HOME must be the folder of a JDK 25 or newer: " + old + " is 17.0.9");
    }

    @Test
    void commandWhenBuiltGivesArgumentsOnAsTheyAre() throws Exception {
        jdk(jdks.resolve("java-25"), "25.0.3");
        built();
        Run run = corral(
                List.of("assess", "--json", "two  words", "", "*"), Map.of("CORRAL_JAVA_OPTS", "-Xmx1g -Dtwo=2"));
        assertThat(run.out)
                .contains(
                        "\n-Xmx1g\n-Dtwo=2\n-Dlauncher.home=" + checkout + "\n",
                        "\n-cp\n" + checkout + "/target/app/*\n")
                .endsWith("\ndev.corral.guardmodels.assess.AssessCommand\n--json\ntwo  words\n\n*\n");
        assertThat(run.err).isEmpty();
    }

    @Test
    void commandWhenModelsAreNamedTellsTheModelCommandAlone() throws Exception {
        Path fitting = jdk(jdks.resolve("java-25"), "25.0.3");
        program(fitting.resolve("bin/java"), "echo \"models: ${CORRAL_MODELS-unset}\"", "printf '%s\\n' \"$@\"");
        built();
        assertThat(corral(List.of("model", "pull", "a/b"), Map.of("CORRAL_MODELS", "/models")).out)
                .startsWith("models: /models\n")
                .endsWith("\ndev.corral.quantization.ModelCommand\npull\na/b\n");
        assertThat(corral(List.of("run"), Map.of("CORRAL_MODELS", "/models")).out)
                .as("the gateway refuses settings that it does not know")
                .startsWith("models: unset\n");
    }

    @Test
    void commandWhenHelpIsAskedForAsksTheCommand() throws Exception {
        jdk(jdks.resolve("java-25"), "25.0.3");
        built();
        assertThat(corral(List.of("help", "run"), Map.of()).out)
                .endsWith("\ndev.corral.gateway.GatewayApplication\nrun\n--help\n");
    }

    @Test
    void commandWhenCalledThroughALinkFindsItsCheckout() throws Exception {
        jdk(jdks.resolve("java-25"), "25.0.3");
        built();
        Path link = Files.createSymbolicLink(programs.resolve("corral"), Path.of("../a check out/corral"));
        assertThat(start(List.of(link.toString(), "demo"), Map.of()).out)
                .contains("\n-Dlauncher.home=" + checkout + "\n");
    }

    @Test
    void commandWhenNothingIsBuiltBuildsOnce() throws Exception {
        Path fitting = jdk(jdks.resolve("java-25"), "25.0.3");
        maven("echo '[INFO] Building policies 0.1.0 [1/2]'; echo '[INFO] BUILD SUCCESS'");
        Run first = corral(List.of("demo"), Map.of());
        assertThat(first.status).as(first.err).isZero();
        assertThat(first.err).contains("Building Corral");
        assertThat(first.out).startsWith(fitting + "/bin/java\n");
        assertThat(calls()).singleElement().asString().startsWith(fitting + " " + checkout + " ");
        assertThat(corral(List.of("demo"), Map.of()).err).isEmpty();
        assertThat(calls()).hasSize(1);
    }

    @ParameterizedTest
    @ValueSource(strings = {"pom.xml", "gateway/src/main/New.java"})
    void commandWhenAFileIsNewerBuildsAgain(String file) throws Exception {
        jdk(jdks.resolve("java-25"), "25.0.3");
        maven("true");
        built();
        Files.setLastModifiedTime(checkout.resolve("target/app/.built"), FileTime.fromMillis(1_000_000));
        Files.writeString(checkout.resolve(file), "<version>9</version>");
        assertThat(corral(List.of("demo"), Map.of("CORRAL_BUILD", "never")).status)
                .isZero();
        assertThat(calls()).isEmpty();
        assertThat(corral(List.of("demo"), Map.of()).status).isZero();
        assertThat(calls()).hasSize(1);
    }

    @Test
    void commandWhenTheBuildFailsShowsTheErrorsAndKeepsTheLog() throws Exception {
        jdk(jdks.resolve("java-25"), "25.0.3");
        maven("echo '[INFO] chatter'; echo '[ERROR] Foo.java:[3,1] cannot find symbol'; exit 1");
        Run run = corral(List.of("demo"), Map.of());
        assertThat(run.status).isEqualTo(1);
        assertThat(run.err)
                .contains("the build failed", "Foo.java:[3,1] cannot find symbol", checkout + "/target/build.log")
                .doesNotContain("chatter");
        assertThat(checkout.resolve("target/build.log")).content().contains("chatter");
        assertThat(corral(List.of("demo"), Map.of()).status).isEqualTo(1);
        assertThat(calls()).as("a failed build is tried again").hasSize(2);
    }

    @Test
    void runWhenOnAGpuBuildsBesideTheUsualBuild() throws Exception {
        jdk(jdks.resolve("java-25"), "25.0.3");
        maven("true");
        built();
        Run run = corral(List.of("run", "--port", "0", "--gpu"), Map.of());
        assertThat(run.status).as(run.err).isZero();
        assertThat(calls()).singleElement().asString().endsWith(" -Pgpu package");
        assertThat(run.out).contains("app-gpu/*", "--gpu");
        assertThat(checkout.resolve("target/app/.built")).exists();
        assertThat(corral(List.of("run"), Map.of()).out).contains("target/app/*");
        assertThat(calls()).hasSize(1);
    }

    @Test
    void commandWhenThereIsNoMavenSaysHowToGetIt() throws Exception {
        jdk(jdks.resolve("java-25"), "25.0.3");
        Run run = corral(List.of("demo"), Map.of());
        assertThat(run.status).isEqualTo(3);
        assertThat(run.err).contains("Maven (mvn) is not on the PATH", "apt install maven", "brew install maven");
    }

    @Test
    void testWhenCalledShowsMavensOutputAndPassesOptionsOn() throws Exception {
        jdk(jdks.resolve("java-25"), "25.0.3");
        maven("echo 'Tests run: 7'");
        Run run = corral(List.of("test", "--all", "-pl", "policies"), Map.of());
        assertThat(run.status).as(run.err).isZero();
        assertThat(run.out).contains("Tests run: 7");
        assertThat(calls()).singleElement().asString().endsWith(" -Dtests.excluded= verify -pl policies");
        maven("exit 1");
        assertThat(corral(List.of("test"), Map.of()).status).isEqualTo(1);
    }

    /** A folder that looks like a JDK of this version; its java prints its own path and its arguments, one a line. */
    private Path jdk(Path home, String version) throws IOException {
        Path bin = Files.createDirectories(home.resolve("bin"));
        program(
                bin.resolve("java"),
                "[ \"$1\" != -version ] || { echo 'openjdk version \"" + version + "\"' >&2; exit; }",
                "printf '%s\\n' \"$0\" \"$@\"");
        program(bin.resolve("javac"), "exit 9");
        Files.writeString(home.resolve("release"), "IMPLEMENTOR=\"Nobody\"\nJAVA_VERSION=\"" + version + "\"\n");
        return home;
    }

    private void maven(String then) throws IOException {
        program(programs.resolve("mvn"), "echo \"$JAVA_HOME $PWD $*\" >>'" + folder.resolve("calls") + "'", then);
    }

    private List<String> calls() throws IOException {
        Path calls = folder.resolve("calls");
        return Files.exists(calls) ? Files.readAllLines(calls) : List.of();
    }

    private void built() throws IOException {
        Files.writeString(
                Files.createDirectories(checkout.resolve("target/app")).resolve(".built"), "");
    }

    private static void program(Path file, String... lines) throws IOException {
        Files.writeString(file, "#!/bin/sh\n" + String.join("\n", lines) + "\n");
        assertThat(file.toFile().setExecutable(true)).isTrue();
    }

    private Run corral(List<String> arguments, Map<String, String> environment) throws Exception {
        List<String> command =
                new ArrayList<>(List.of(checkout.resolve("corral").toString()));
        command.addAll(arguments);
        return start(command, environment);
    }

    private Run start(List<String> command, Map<String, String> environment) throws Exception {
        Path out = folder.resolve("out");
        Path err = folder.resolve("err");
        ProcessBuilder builder = new ProcessBuilder(command)
                .directory(folder.toFile())
                .redirectOutput(out.toFile())
                .redirectError(err.toFile());
        builder.environment().clear();
        builder.environment()
                .putAll(Map.of(
                        "PATH",
                        programs + ":" + toolsOnly(),
                        "HOME",
                        folder.toString(),
                        "CORRAL_JDK_FOLDERS",
                        "" + jdks));
        builder.environment().putAll(environment);
        Process process = builder.start();
        assertThat(process.waitFor(30, TimeUnit.SECONDS))
                .as("%s ended", command)
                .isTrue();
        return new Run(process.exitValue(), read(out), read(err));
    }

    /** A folder of links to the tools that the script may use: the machine's own Java and Maven stay out of sight. */
    private Path toolsOnly() throws IOException {
        Path tools = folder.resolve("tools");
        if (Files.exists(tools)) {
            return tools;
        }
        Files.createDirectories(tools);
        for (String tool : List.of(
                "sh",
                "sed",
                "awk",
                "find",
                "head",
                "tail",
                "grep",
                "dirname",
                "readlink",
                "tr",
                "cat",
                "tee",
                "mkdir",
                "rm",
                "mv")) {
            for (String bin : List.of("/bin", "/usr/bin")) {
                if (Files.exists(Path.of(bin, tool))) {
                    Files.createSymbolicLink(tools.resolve(tool), Path.of(bin, tool));
                    break;
                }
            }
        }
        return tools;
    }

    private static String read(Path file) throws IOException {
        return Files.readString(file, StandardCharsets.UTF_8);
    }

    private record Run(int status, String out, String err) {}
}
