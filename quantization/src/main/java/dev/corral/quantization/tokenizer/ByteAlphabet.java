package dev.corral.quantization.tokenizer;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/** The characters that GPT-2 writes for the 256 bytes, so that tokens are texts: themselves, where they are printable. */
public final class ByteAlphabet {

    /** By byte. */
    public static final List<String> CHARACTERS = characters();

    private static final Map<Character, Integer> CODES = IntStream.range(0, CHARACTERS.size())
            .boxed()
            .collect(Collectors.toMap(code -> CHARACTERS.get(code).charAt(0), code -> code));

    private ByteAlphabet() {}

    /**
     * Bytes as a text of that alphabet.
     *
     * @param latin1 a character for each byte, with its number
     */
    static String spell(String latin1) {
        return latin1.chars().mapToObj(CHARACTERS::get).collect(Collectors.joining());
    }

    /** The bytes that a text of that alphabet stands for. */
    public static byte[] bytes(String spelled) {
        byte[] bytes = new byte[spelled.length()];
        for (int i = 0; i < bytes.length; i++) {
            Integer code = CODES.get(spelled.charAt(i));
            if (code == null) {
                throw new IllegalArgumentException("no byte is written as '%s'".formatted(spelled.charAt(i)));
            }
            bytes[i] = code.byteValue();
        }
        return bytes;
    }

    /** Whether a byte stands for itself. */
    public static boolean isPrintable(int code) {
        return (code >= '!' && code <= '~') || (code >= 0xA1 && code != 0xAD);
    }

    private static List<String> characters() {
        List<String> characters = new ArrayList<>();
        int replaced = 0;
        for (int code = 0; code < 256; code++) {
            characters.add(Character.toString(isPrintable(code) ? code : 256 + replaced++));
        }
        return List.copyOf(characters);
    }
}
