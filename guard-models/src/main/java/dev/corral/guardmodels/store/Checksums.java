package dev.corral.guardmodels.store;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * {@code SHA256SUMS}, as {@code sha256sum -c} reads it. Before each file a comment tells its size, so that a copy that
 * was broken off can be told from one that was changed.
 *
 * @param digests hex SHA-256 by file name
 * @param sizes bytes by file name, where the file tells
 */
record Checksums(SortedMap<String, String> digests, Map<String, Long> sizes) {

    static final String FILE = "SHA256SUMS";

    private static final Pattern DIGEST = Pattern.compile("([0-9a-f]{64}) [ *]([^/\\\\]+)");
    private static final Pattern SIZE = Pattern.compile("# ([0-9]{1,18}) bytes: ([^/\\\\]+)");

    static Checksums parse(String content, String origin) {
        SortedMap<String, String> digests = new TreeMap<>();
        Map<String, Long> sizes = new TreeMap<>();
        List<String> lines = content.lines().toList();
        for (int i = 0; i < lines.size(); i++) {
            String line = lines.get(i);
            Matcher digest = DIGEST.matcher(line);
            Matcher size = SIZE.matcher(line);
            if (digest.matches()) {
                digests.put(digest.group(2), digest.group(1));
            } else if (size.matches()) {
                sizes.put(size.group(2), Long.parseLong(size.group(1)));
            } else if (!line.isBlank() && !line.startsWith("#")) {
                throw new UnusableGuardException(origin + " line " + (i + 1)
                        + " must be a SHA-256 in hex, two spaces and the name of a file in the same directory");
            }
        }
        return new Checksums(digests, sizes);
    }

    String format() {
        StringBuilder lines = new StringBuilder();
        digests.forEach((name, digest) -> {
            if (sizes.containsKey(name)) {
                lines.append("# ")
                        .append(sizes.get(name))
                        .append(" bytes: ")
                        .append(name)
                        .append('\n');
            }
            lines.append(digest).append("  ").append(name).append('\n');
        });
        return lines.toString();
    }

    OptionalLong size(String name) {
        Long size = sizes.get(name);
        return size == null ? OptionalLong.empty() : OptionalLong.of(size);
    }

    /** Changes when a file's content or name does. */
    String fingerprint() {
        MessageDigest digest = sha256();
        digests.forEach((name, hex) -> digest.update((hex + "  " + name + "\n").getBytes(UTF_8)));
        return HexFormat.of().formatHex(digest.digest());
    }

    static MessageDigest sha256() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java has SHA-256", e);
        }
    }
}
