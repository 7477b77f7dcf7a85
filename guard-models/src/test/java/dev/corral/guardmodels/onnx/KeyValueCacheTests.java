package dev.corral.guardmodels.onnx;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import ai.onnxruntime.OrtEnvironment;
import org.junit.jupiter.api.Test;

class KeyValueCacheTests {

    private static final OrtEnvironment ENVIRONMENT = QuietRuntime.environment();

    @Test
    void createWhenThereIsNoSuchMemorySaysHowMuchWasWanted() {
        ModelShape huge = new ModelShape(32, 8, 128, 20, Integer.MAX_VALUE);
        assertThatExceptionOfType(ModelException.class)
                .isThrownBy(() -> new KeyValueCache(ENVIRONMENT, huge, Integer.MAX_VALUE))
                .withMessage(
                        "there is no memory for the keys and values of 2147483647 tokens, which take 536870911 MB");
    }

    @Test
    void ensureCapacityWhenThereIsNoSuchMemoryKeepsWhatIsHeld() {
        ModelShape huge = new ModelShape(2, 8, 128, 20, Integer.MAX_VALUE);
        try (KeyValueCache cache = new KeyValueCache(ENVIRONMENT, huge, 16)) {
            cache.appended(new int[] {1, 2, 3}, 0, 3);
            assertThatExceptionOfType(ModelException.class)
                    .isThrownBy(() -> cache.ensureCapacity(Integer.MAX_VALUE - 1_000));
            assertThat(cache.commonPrefix(new int[] {1, 2, 3, 4})).isEqualTo(3);
            assertThat(cache.bytes()).isEqualTo(2L * 2 * 8 * 128 * 4 * 256);
        }
    }

    @Test
    void startFromWhenBothShareTokensTakesTheOthersUpToTheCount() {
        ModelShape shape = new ModelShape(2, 2, 16, 20, 1_000);
        try (KeyValueCache cache = new KeyValueCache(ENVIRONMENT, shape, 4);
                KeyValueCache other = new KeyValueCache(ENVIRONMENT, shape, 600)) {
            cache.appended(new int[] {1, 2, 9}, 0, 3);
            other.appended(new int[] {1, 2, 3, 4, 5, 6}, 0, 6);
            cache.startFrom(other, 5);
            assertThat(cache.length()).isEqualTo(5);
            assertThat(cache.commonPrefix(new int[] {1, 2, 3, 4, 5, 6})).isEqualTo(5);
        }
    }

    @Test
    void resourcesWhenLanesShareThreadsAddUpToLanesTimesThreads() {
        assertThat(new Resources(1, 2, 0).poolThreads()).isEqualTo(2);
        assertThat(new Resources(2, 1, 0).poolThreads()).isEqualTo(1);
        // each of 8 lanes works itself, 8 more threads help
        assertThat(new Resources(8, 2, 0).poolThreads() - 1 + 8).isEqualTo(16);
        assertThatIllegalArgumentException().isThrownBy(() -> new Resources(0, 1, 0));
        assertThatIllegalArgumentException().isThrownBy(() -> new Resources(1, 1, -1));
    }
}
