package dev.corral.policies.assessment;

import java.util.List;
import java.util.stream.Stream;

/**
 * How much of the content a guard saw.
 *
 * @param characters UTF-16 units of text
 * @param images whole images
 * @param unscanned what was left out, and why; empty when everything was seen
 */
public record Coverage(Extent characters, Extent images, List<Unscanned> unscanned) {

    public static final Coverage NOTHING = new Coverage(Extent.NONE, Extent.NONE, List.of());

    public Coverage {
        unscanned = List.copyOf(unscanned);
    }

    /** All of a text of this many characters, and nothing else. */
    public static Coverage ofText(long characters) {
        return new Coverage(new Extent(characters, characters), Extent.NONE, List.of());
    }

    /** Both contents together. */
    public Coverage plus(Coverage other) {
        return new Coverage(
                characters.plus(other.characters),
                images.plus(other.images),
                Stream.concat(unscanned.stream(), other.unscanned.stream()).toList());
    }

    /** What was seen by one or the other of two guards that judged the same content. */
    public Coverage or(Coverage other) {
        return new Coverage(
                characters.or(other.characters),
                images.or(other.images),
                Stream.concat(unscanned.stream(), other.unscanned.stream())
                        .distinct()
                        .toList());
    }

    /**
     * Part of a whole.
     *
     * @param scanned at most {@code total}
     * @param total 0 or more
     */
    public record Extent(long scanned, long total) {

        public static final Extent NONE = new Extent(0, 0);

        public Extent {
            if (scanned < 0 || scanned > total) {
                throw new IllegalArgumentException("scanned must be between 0 and total: " + scanned + " of " + total);
            }
        }

        Extent or(Extent other) {
            return new Extent(Math.max(scanned, other.scanned), Math.max(total, other.total));
        }

        Extent plus(Extent other) {
            return new Extent(scanned + other.scanned, total + other.total);
        }
    }

    /**
     * Something that no guard read.
     *
     * @param what such as {@code image} or {@code field 'audio'}
     * @param where its place in the request or answer, such as {@code messages[2].content[0]}
     * @param why in a sentence's words, with what to do about it where there is something
     */
    public record Unscanned(String what, String where, String why) {}
}
