package dev.corral.gateway.testing;

import static java.nio.charset.StandardCharsets.UTF_8;

/** JSON for tests, written with single quotes. */
public final class Quoted {

    private Quoted() {}

    public static byte[] json(String singleQuoted) {
        return singleQuoted.replace('\'', '"').getBytes(UTF_8);
    }

    public static byte[] frame(String singleQuoted) {
        return ("data: " + singleQuoted.replace('\'', '"') + "\n\n").getBytes(UTF_8);
    }
}
