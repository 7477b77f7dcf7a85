package dev.corral.guardmodels.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.tuple;

import dev.corral.guardmodels.GuardDirectories;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class GuardStoreTests {

    @TempDir
    private Path directory;

    @BeforeEach
    void write() throws IOException {
        GuardDirectories.write(directory, GuardDirectories.TINY);
    }

    private void assertRefused(String... parts) {
        assertThatExceptionOfType(UnusableGuardException.class)
                .isThrownBy(() -> GuardStore.open(directory))
                .withMessageContainingAll(parts);
    }

    @Test
    void openWhenWholeGivesItsParts() {
        GuardDirectory guard = GuardStore.open(directory);
        assertThat(guard.manifest().id()).isEqualTo("tiny-guard");
        assertThat(guard.model()).isEqualTo(new ModelSource.InFile(directory.resolve("model.onnx")));
        assertThat(guard.tokenizerJson()).hasSizeGreaterThan(20_000);
        assertThat(guard.fingerprint()).matches("[0-9a-f]{64}");
        assertThat(guard.origin()).isEqualTo(directory.toString());
    }

    @Test
    void openWhenAnyFileIsOtherHasOtherFingerprint() throws IOException {
        String before = GuardStore.open(directory).fingerprint();
        Files.writeString(directory.resolve("model.onnx"), "another model");
        GuardStore.seal(directory);
        assertThat(GuardStore.open(directory).fingerprint()).isNotEqualTo(before);
    }

    @Test
    void checkWhenEverythingIsAsListedSaysSoForEachFile() {
        List<FileCheck> told = new ArrayList<>();

        List<FileCheck> checks = GuardStore.check(directory, told::add);

        assertThat(checks)
                .isEqualTo(told)
                .contains(new FileCheck("model.onnx", FileCheck.State.WHOLE, "11 bytes"))
                .extracting(FileCheck::name)
                .containsExactly("guard.yaml", "model.onnx", "tokenizer.json");
        assertThat(checks).extracting(FileCheck::state).containsOnly(FileCheck.State.WHOLE);
    }

    @Test
    void checkWhenFilesAreOtherNamesEachAndGoesOn() throws IOException {
        Files.delete(directory.resolve("guard.yaml"));
        Files.writeString(directory.resolve("model.onnx"), "not a");
        Files.writeString(directory.resolve("model.onnx.data"), "weights");
        Files.writeString(directory.resolve(".hidden"), "not looked at");
        Files.writeString(directory.resolve("tokenizer.json"), " ", StandardOpenOption.APPEND);

        List<FileCheck> checks = GuardStore.check(directory, _ -> {});

        assertThat(checks)
                .extracting(FileCheck::name, FileCheck::state)
                .containsExactly(
                        tuple("guard.yaml", FileCheck.State.MISSING),
                        tuple("model.onnx", FileCheck.State.TRUNCATED),
                        tuple("model.onnx.data", FileCheck.State.UNLISTED),
                        tuple("tokenizer.json", FileCheck.State.CHANGED));
        assertThat(checks.get(1).detail()).isEqualTo("it has 5 bytes, expected 11");
    }

    @Test
    void openWhenNoDirectorySaysWhatToGive() {
        assertThatExceptionOfType(UnusableGuardException.class)
                .isThrownBy(() -> GuardStore.open(directory.resolve("model.onnx")))
                .withMessageEndingWith(
                        "model.onnx is not a directory; give the directory that 'corral quantize' wrote");
    }

    @Test
    void openWhenFileIsMissingSaysWhich() throws IOException {
        Files.delete(directory.resolve("model.onnx"));
        assertRefused("model.onnx is missing: SHA256SUMS lists it", "copy the whole guard directory again");
    }

    @Test
    void openWhenTokenizerIsMissingSaysWhich() throws IOException {
        Files.delete(directory.resolve("tokenizer.json"));
        assertRefused("tokenizer.json is missing: SHA256SUMS lists it");
    }

    @Test
    void openWhenFileIsTruncatedTellsBothSizes() throws IOException {
        Files.writeString(directory.resolve("model.onnx"), "not a");
        assertRefused("model.onnx is truncated: it has 5 bytes, expected 11", "copy the whole guard directory again");
    }

    @Test
    void openWhenFileIsChangedTellsBothDigests() throws IOException {
        Files.writeString(directory.resolve("model.onnx"), "n0t a model");
        assertRefused("model.onnx is not the file that SHA256SUMS describes: its SHA-256 is ", ", expected ");
    }

    @Test
    void openWhenManifestIsChangedIsRefusedBeforeItIsRead() throws IOException {
        Files.writeString(directory.resolve("guard.yaml"), "#", StandardOpenOption.APPEND);
        assertRefused("guard.yaml is not the file that SHA256SUMS describes");
    }

    @Test
    void openWhenChecksumsAreMissingSaysSo() throws IOException {
        Files.delete(directory.resolve("SHA256SUMS"));
        assertRefused("SHA256SUMS is missing");
    }

    @Test
    void openWhenChecksumsAreBrokenNamesTheLine() throws IOException {
        Files.writeString(directory.resolve("SHA256SUMS"), "oops\n", StandardOpenOption.APPEND);
        assertRefused("SHA256SUMS line 7 must be a SHA-256 in hex");
    }

    @Test
    void openWhenChecksumsPointOutsideIsRefused() throws IOException {
        Files.writeString(directory.resolve("SHA256SUMS"), "0".repeat(64) + "  ../secret\n", StandardOpenOption.APPEND);
        assertRefused("SHA256SUMS line 7 must be");
    }

    @Test
    void openWhenModelDataIsNotListedIsRefused() throws IOException {
        Files.writeString(directory.resolve("model.onnx.data"), "weights");
        assertRefused("SHA256SUMS does not list model.onnx.data");
    }

    @Test
    void openWhenChecksumsAreOfSha256sumAreRead() throws IOException {
        Path sums = directory.resolve("SHA256SUMS");
        String plain = Files.readString(sums).replaceAll("(?m)^#.*\n", "").replace("  model", " *model");
        Files.writeString(sums, plain);
        assertThat(GuardStore.open(directory).manifest().id()).isEqualTo("tiny-guard");
    }

    @Test
    void openWhenFolderOfClassPathIsIncompleteSaysThatCorralIsNotWhole() throws IOException {
        GuardFolder folder = new GuardFolder.BuiltIn("/no/such/folder");
        assertThat(folder.open("SHA256SUMS")).isEmpty();
        assertThat(folder.advice()).contains("install it again");
    }
}
