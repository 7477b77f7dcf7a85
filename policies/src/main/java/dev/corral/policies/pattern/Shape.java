package dev.corral.policies.pattern;

import java.util.ArrayList;
import java.util.BitSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What can be told of an expression's matches without a text.
 *
 * @param shortest in UTF-16 units
 * @param longest in UTF-16 units; {@link #ENDLESS} for no limit
 * @param needed of these characters, each match has at least one; empty where that cannot be told. Characters from U+0080
 *     on are one: {@link #OTHERS}
 * @param size steps of its machine, roughly
 * @param examples texts of which most are matches; at most {@link #EXAMPLES}
 */
record Shape(long shortest, long longest, Optional<BitSet> needed, long size, List<String> examples) {

    static final long ENDLESS = Long.MAX_VALUE;
    static final int OTHERS = 128;

    private static final int EXAMPLES = 6;
    private static final int MOST_COPIES = 64;
    private static final Shape NOTHING = new Shape(0, 0, Optional.empty(), 0, List.of(""));

    /** Of an expression in RE2's syntax, which must be valid. */
    static Shape of(String expression) {
        Reader reader = new Reader(expression);
        return reader.alternatives();
    }

    private static Shape character(BitSet characters, boolean mayBePair) {
        List<String> examples = new ArrayList<>();
        for (int c = characters.nextSetBit('0');
                c >= 0 && c < OTHERS && examples.size() < 2;
                c = characters.nextSetBit(c + 1)) {
            examples.add(Character.toString(c));
        }
        for (int c = characters.nextSetBit(' ');
                c >= 0 && c < OTHERS && examples.size() < 3;
                c = characters.nextSetBit(c + 1)) {
            examples.add(Character.toString(c));
        }
        if (examples.isEmpty()) {
            examples.add("é");
        }
        return new Shape(1, mayBePair ? 2 : 1, Optional.of(characters), 1, examples);
    }

    private Shape then(Shape next) {
        Set<String> joined = new LinkedHashSet<>();
        for (int i = 0; i < Math.max(examples.size(), next.examples.size()); i++) {
            joined.add(examples.get(i % examples.size()) + next.examples.get(i % next.examples.size()));
        }
        return new Shape(
                shortest + next.shortest,
                sum(longest, next.longest),
                rarer(needed, next.needed),
                size + next.size,
                few(joined));
    }

    private Shape or(Shape other) {
        Set<String> both = new LinkedHashSet<>(examples);
        both.addAll(other.examples);
        Optional<BitSet> either = needed.flatMap(mine -> other.needed.map(theirs -> {
            BitSet union = (BitSet) mine.clone();
            union.or(theirs);
            return union;
        }));
        return new Shape(
                Math.min(shortest, other.shortest),
                Math.max(longest, other.longest),
                either,
                size + other.size + 1,
                few(both));
    }

    private Shape repeated(int least, int most) {
        Set<String> texts = new LinkedHashSet<>();
        for (String example : examples) {
            texts.add(example.repeat(Math.min(least, MOST_COPIES)));
            if (most != least) {
                texts.add(example.repeat(Math.min(least + 1, MOST_COPIES)));
            }
        }
        long copies = most < 0 ? least + 1L : Math.max(1, most);
        long length =
                most < 0 ? (longest == 0 ? 0 : ENDLESS) : longest == ENDLESS && most > 0 ? ENDLESS : longest * most;
        return new Shape(
                shortest * least,
                length,
                least == 0 ? Optional.empty() : needed,
                Math.min(size * copies, Integer.MAX_VALUE),
                few(texts));
    }

    private static List<String> few(Set<String> texts) {
        return texts.stream().limit(EXAMPLES).toList();
    }

    private static long sum(long a, long b) {
        return a == ENDLESS || b == ENDLESS ? ENDLESS : a + b;
    }

    private static Optional<BitSet> rarer(Optional<BitSet> a, Optional<BitSet> b) {
        if (a.isEmpty() || b.isEmpty()) {
            return a.isPresent() ? a : b;
        }
        return weight(a.get()) <= weight(b.get()) ? a : b;
    }

    /** How often a character of ordinary text is among these, roughly. */
    private static int weight(BitSet characters) {
        int weight = 0;
        for (int c = characters.nextSetBit(0); c >= 0; c = characters.nextSetBit(c + 1)) {
            weight += c == ' ' ? 40 : c >= 'a' && c <= 'z' ? 10 : c == OTHERS ? 20 : 1;
        }
        return weight;
    }

    /** Reads the syntax. What it does not know it takes for something of any length. */
    private static final class Reader {

        private static final Shape ANYTHING = new Shape(0, ENDLESS, Optional.empty(), 1, List.of("x"));

        private final String expression;
        private int at;
        private boolean ignoreCase;

        Reader(String expression) {
            this.expression = expression;
        }

        Shape alternatives() {
            boolean outer = ignoreCase;
            Shape shape = sequence();
            while (peek('|')) {
                at++;
                shape = shape.or(sequence());
            }
            ignoreCase = outer;
            return shape;
        }

        private Shape sequence() {
            Shape shape = NOTHING;
            while (at < expression.length() && !peek('|') && !peek(')')) {
                shape = shape.then(repetition(atom()));
            }
            return shape;
        }

        private Shape repetition(Shape atom) {
            Shape shape = atom;
            while (at < expression.length()) {
                char c = expression.charAt(at);
                if (c == '*' || c == '+' || c == '?') {
                    at++;
                    shape = shape.repeated(c == '+' ? 1 : 0, c == '?' ? 1 : -1);
                } else if (c == '{' && expression.substring(at).matches("(?s)\\{\\d+(,\\d*)?}.*")) {
                    String[] bounds = expression
                            .substring(at + 1, expression.indexOf('}', at))
                            .split(",", -1);
                    at = expression.indexOf('}', at) + 1;
                    int least = Integer.parseInt(bounds[0]);
                    int most = bounds.length == 1 ? least : bounds[1].isEmpty() ? -1 : Integer.parseInt(bounds[1]);
                    shape = shape.repeated(least, most);
                } else {
                    return shape;
                }
                // a question mark behind a repetition makes it prefer less, and changes nothing of what it may be
                at += peek('?') ? 1 : 0;
            }
            return shape;
        }

        private Shape atom() {
            int c = next();
            return switch (c) {
                case '(' -> group();
                case '[' -> set();
                case '\\' -> escape();
                case '.' -> character(all(), true);
                case '^', '$' -> NOTHING;
                default -> literal(c);
            };
        }

        private Shape group() {
            boolean outer = ignoreCase;
            if (peek('?')) {
                at++;
                if (peek('P') || peek('<')) {
                    at = expression.indexOf('>', at) + 1;
                } else {
                    boolean on = true;
                    for (char c = (char) next(); c != ':' && c != ')'; c = (char) next()) {
                        on &= c != '-';
                        ignoreCase = c == 'i' ? on : ignoreCase;
                    }
                    if (expression.charAt(at - 1) == ')') {
                        return NOTHING;
                    }
                }
            }
            Shape shape = alternatives();
            at++;
            ignoreCase = outer;
            return shape;
        }

        private Shape escape() {
            int c = next();
            if (c == 'Q') {
                int end = expression.indexOf("\\E", at);
                String quoted = expression.substring(at, end < 0 ? expression.length() : end);
                at = end < 0 ? expression.length() : end + 2;
                return quoted.codePoints().mapToObj(this::literal).reduce(NOTHING, Shape::then);
            }
            if (c == 'b' || c == 'B' || c == 'A' || c == 'z') {
                return NOTHING;
            }
            if (c == 'C') {
                return ANYTHING;
            }
            BitSet known = known(c);
            return known == null ? literal(escaped(c)) : character(known, known.get(OTHERS));
        }

        private @Nullable BitSet known(int c) {
            BitSet set = new BitSet();
            switch (c) {
                case 'd', 'D' -> set.set('0', '9' + 1);
                case 'w', 'W' -> {
                    set.set('0', '9' + 1);
                    set.set('A', 'Z' + 1);
                    set.set('a', 'z' + 1);
                    set.set('_');
                }
                case 's', 'S' -> "\t\n\f\r ".chars().forEach(set::set);
                case 'p', 'P' -> {
                    at = peek('{') ? expression.indexOf('}', at) + 1 : at + 1;
                    return all();
                }
                default -> {
                    return null;
                }
            }
            if (Character.isUpperCase(c)) {
                set.flip(0, OTHERS + 1);
            }
            return set;
        }

        private int escaped(int c) {
            return switch (c) {
                case 'a' -> 7;
                case 'f' -> '\f';
                case 'n' -> '\n';
                case 'r' -> '\r';
                case 't' -> '\t';
                case 'v' -> 11;
                case 'x' -> hexadecimal();
                default -> c >= '0' && c <= '7' ? octal(c) : c;
            };
        }

        private int hexadecimal() {
            if (peek('{')) {
                int end = expression.indexOf('}', at);
                int value = Integer.parseInt(expression.substring(at + 1, end), 16);
                at = end + 1;
                return value;
            }
            at += 2;
            return Integer.parseInt(expression.substring(at - 2, at), 16);
        }

        private int octal(int first) {
            int value = first - '0';
            for (int i = 0; i < 2 && at < expression.length() && Character.digit(expression.charAt(at), 8) >= 0; i++) {
                value = value * 8 + Character.digit(next(), 8);
            }
            return value;
        }

        private Shape set() {
            BitSet set = new BitSet();
            boolean mayBePair = false;
            boolean negated = peek('^');
            at += negated ? 1 : 0;
            boolean first = true;
            while (first || !peek(']')) {
                first = false;
                if (expression.startsWith("[:", at)) {
                    at = expression.indexOf(":]", at) + 2;
                    set.or(all());
                    continue;
                }
                int from = next();
                if (from == '\\') {
                    int c = next();
                    BitSet known = known(c);
                    if (known != null) {
                        set.or(known);
                        mayBePair |= known.get(OTHERS);
                        continue;
                    }
                    from = escaped(c);
                }
                int to = from;
                if (peek('-') && at + 1 < expression.length() && expression.charAt(at + 1) != ']') {
                    at++;
                    to = next();
                    to = to == '\\' ? escaped(next()) : to;
                }
                mayBePair |= to > Character.MAX_VALUE;
                for (int c = from; c <= Math.min(to, OTHERS - 1); c++) {
                    set.or(withCases(c));
                }
                if (to >= OTHERS) {
                    set.or(ignoreCase ? all() : others());
                }
            }
            at++;
            if (negated) {
                set.flip(0, OTHERS + 1);
                set.set(OTHERS);
                return character(set, true);
            }
            return character(set, mayBePair || (ignoreCase && set.get(OTHERS)));
        }

        private Shape literal(int c) {
            return new Shape(
                    Character.charCount(c),
                    Character.charCount(c),
                    Optional.of(withCases(c)),
                    1,
                    List.of(Character.toString(c)));
        }

        /** With what a comparison without case takes for it: K is also the Kelvin sign, s the long s. */
        private BitSet withCases(int c) {
            BitSet set = new BitSet();
            if (c >= OTHERS) {
                return ignoreCase ? all() : others();
            }
            set.set(c);
            if (ignoreCase && Character.isLetter(c)) {
                set.set(Character.toLowerCase(c));
                set.set(Character.toUpperCase(c));
                set.set(OTHERS, "kKsS".indexOf(c) >= 0);
            }
            return set;
        }

        private static BitSet others() {
            BitSet set = new BitSet();
            set.set(OTHERS);
            return set;
        }

        private static BitSet all() {
            BitSet set = new BitSet();
            set.set(0, OTHERS + 1);
            return set;
        }

        private boolean peek(char c) {
            return at < expression.length() && expression.charAt(at) == c;
        }

        private int next() {
            int c = expression.codePointAt(at);
            at += Character.charCount(c);
            return c;
        }
    }
}
