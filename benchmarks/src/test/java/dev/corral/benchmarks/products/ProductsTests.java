package dev.corral.benchmarks.products;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.corral.benchmarks.Fixtures;
import dev.corral.guardmodels.onnx.Resources;
import dev.corral.guardmodels.store.Precision;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class ProductsTests {

    private static final int LAYERS = 3;
    private static final int PRODUCTS_OF_A_LAYER = 5;

    @TempDir
    private Path folder;

    @ParameterizedTest
    @EnumSource(Precision.class)
    void ofWhenGuardHasAnyPrecisionHasAllItsProducts(Precision precision) throws IOException {
        Path guard = Fixtures.guard(folder, precision);
        try (Products products = Products.of(guard.resolve("model.onnx"), Resources.oneLane(1));
                Products.Pass pass = products.pass(300, 2)) {
            assertThat(products.count()).isEqualTo(LAYERS * PRODUCTS_OF_A_LAYER + 1);
            pass.run();
        }
    }

    @Test
    void ofWhenFileIsNoModelSaysSo() throws IOException {
        Path file = Files.writeString(folder.resolve("model.onnx"), "no model");
        assertThatThrownBy(() -> Products.of(file, Resources.oneLane(1)))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("model.onnx is no ONNX model");
    }
}
