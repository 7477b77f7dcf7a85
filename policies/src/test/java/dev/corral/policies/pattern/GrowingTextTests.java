package dev.corral.policies.pattern;

import static org.assertj.core.api.Assertions.assertThat;

import dev.corral.policies.pattern.Redaction.Replacement;
import java.util.List;
import org.junit.jupiter.api.Test;

class GrowingTextTests {

    private static final KeywordPattern FALCON = new KeywordPattern(List.of("falcon"));

    @Test
    void releaseWhenTextGrowsHoldsItsEndBack() {
        GrowingText text = new GrowingText(_ -> Redaction.of(List.of()), 3);

        text.append("abc");
        assertThat(text.release()).isEmpty();
        text.append("de");
        assertThat(text.release()).isEqualTo("ab");
        assertThat(text.release()).isEmpty();
        text.append("f");
        assertThat(text.release()).isEqualTo("c");
        assertThat(text.end()).isEqualTo("def");
        assertThat(text.end()).isEmpty();
    }

    @Test
    void releaseWhenASpanReachesIntoTheEndHoldsAllOfItBack() {
        GrowingText text = new GrowingText(GrowingTextTests::redacted, 8);

        text.append("the Falcon is");
        assertThat(text.release()).isEqualTo("the ");
        text.append(" late, they say");
        assertThat(text.release()).isEqualTo("[bird] is late, ");
        assertThat(text.end()).isEqualTo("they say");
    }

    @Test
    void releaseWhenACharacterIsAPairNeverSplitsIt() {
        GrowingText text = new GrowingText(_ -> Redaction.of(List.of()), 2);

        text.append("a😀b");
        assertThat(text.release()).isEqualTo("a");
        text.append("c");
        assertThat(text.release()).isEqualTo("😀");
        assertThat(text.end()).isEqualTo("bc");
    }

    private static Redaction redacted(String text) {
        return Redaction.of(FALCON.find(text).stream()
                .map(span -> new Replacement(span, "[bird]"))
                .toList());
    }
}
