package dev.corral.policies.pattern;

import java.util.List;
import java.util.Random;

/** Makes texts that patterns nearly match, the same for the same seed. */
final class RandomTexts {

    private static final List<String> PIECES = List.of(
            "4111 1111 1111 1111",
            "4111-1111-1111-1111",
            "378282246310005",
            "4111 1111 1111 1112",
            "4111",
            "1111 ",
            " 12 ",
            "7",
            "DE89 3704 0044 0532 0130 00",
            "GB82WEST12345698765432",
            "DE88 3704 0044 0532 0130 00",
            "DE89",
            " 3704",
            "E123456",
            "E12345",
            "falcon",
            "Falcon Nine",
            "falcons",
            "ann@example.com",
            "ann@",
            "\uD83D\uDE00",
            "é",
            "鷹",
            "x",
            " ",
            "-",
            "\n",
            ".");

    private final Random random;

    RandomTexts(long seed) {
        random = new Random(seed);
    }

    String text() {
        StringBuilder text = new StringBuilder();
        for (int i = random.nextInt(24); i > 0; i--) {
            text.append(PIECES.get(random.nextInt(PIECES.size())));
        }
        return text.toString();
    }

    int below(int bound) {
        return random.nextInt(bound);
    }
}
