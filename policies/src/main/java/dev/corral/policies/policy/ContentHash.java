package dev.corral.policies.policy;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * SHA-256 of a content. It is worked out when somebody first asks for it, which most policies never do, and then kept. Safe
 * for use by many threads.
 */
public final class ContentHash {

    /** Of no content. */
    public static final ContentHash NONE = known("");

    private final Supplier<String> text;
    private volatile @Nullable String hex;

    private ContentHash(Supplier<String> text, @Nullable String hex) {
        this.text = text;
        this.hex = hex;
    }

    /** Of a text that need not be put together before. */
    public static ContentHash of(Supplier<String> text) {
        return new ContentHash(text, null);
    }

    /** One that was worked out elsewhere, in hexadecimal digits. */
    public static ContentHash known(String hex) {
        return new ContentHash(() -> "", hex);
    }

    /** In hexadecimal digits; empty where there is no content. */
    public String hex() {
        String known = hex;
        if (known == null) {
            known = sha256(text.get());
            hex = known;
        }
        return known;
    }

    private static String sha256(String text) {
        try {
            return HexFormat.of()
                    .formatHex(MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8)));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every JDK has SHA-256", e);
        }
    }
}
