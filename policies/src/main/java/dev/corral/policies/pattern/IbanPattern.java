package dev.corral.policies.pattern;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalInt;

/**
 * International bank account numbers (ISO 13616): a country of the registry, as many characters as it prescribes, and a
 * remainder of 1 when divided by 97. Single spaces or hyphens may stand between the characters.
 */
public record IbanPattern() implements TextPattern {

    private static final int MOST = 34;

    /** Lengths by country, from the SWIFT IBAN registry. */
    private static final Map<String, Integer> LENGTHS = lengths("""
            AD24 AE23 AL28 AT20 AZ28 BA20 BE16 BG22 BH22 BI27 BR29 BY28 CH21 CR22 CY28 CZ24 DE22 DJ27 DK18 DO28 EE20 EG29
            ES24 FI18 FK18 FO18 FR27 GB22 GE22 GI23 GL18 GR27 GT28 HN28 HR21 HU28 IE22 IL23 IQ23 IS26 IT27 JO30 KW30 KZ20
            LB28 LC32 LI21 LT20 LU20 LV21 LY25 MC27 MD24 ME22 MK19 MN20 MR27 MT31 MU30 NI28 NL18 NO15 OM23 PK24 PL28 PS29
            PT25 QA29 RO24 RS22 RU33 SA24 SC31 SD18 SE24 SI19 SK24 SM27 SO23 ST25 SV28 TL23 TN24 TR26 UA29 VA22 VG24 XK20
            YE30
            """);

    @Override
    public List<Span> find(String text, int most) {
        List<Span> spans = new ArrayList<>();
        int at = 0;
        while (spans.size() < most && at + FIRST_GROUP <= text.length()) {
            int end = starts(text, at) ? end(text, at) : 0;
            if (end > 0) {
                spans.add(new Span(at, end));
                at = end;
            } else {
                at++;
            }
        }
        return spans;
    }

    private static final int FIRST_GROUP = 4;

    /** 34 characters, 33 separators, and the unit that shows that the number is over. */
    @Override
    public OptionalInt longest() {
        return OptionalInt.of(MOST + MOST - 1 + 1);
    }

    private static boolean starts(String text, int at) {
        return isLetter(text.charAt(at))
                && isLetter(text.charAt(at + 1))
                && isDigit(text.charAt(at + 2))
                && isDigit(text.charAt(at + 3))
                && (at == 0 || !Character.isLetterOrDigit(text.charAt(at - 1)));
    }

    /** Where the number ends that starts here; 0 for none. */
    private static int end(String text, int start) {
        Integer length = LENGTHS.get(text.substring(start, start + 2).toUpperCase(Locale.ROOT));
        if (length == null) {
            return 0;
        }
        StringBuilder characters = new StringBuilder(length);
        int at = start;
        while (characters.length() < length) {
            if (at == text.length()) {
                return 0;
            }
            char c = text.charAt(at);
            if (isLetter(c) || isDigit(c)) {
                characters.append(c);
            } else if (!isSeparator(c) || isSeparator(text.charAt(at - 1))) {
                return 0;
            }
            at++;
        }
        boolean over = at == text.length() || !Character.isLetterOrDigit(text.charAt(at));
        return over && remainder(characters) == 1 ? at : 0;
    }

    private static int remainder(StringBuilder characters) {
        int remainder = 0;
        for (int i = 0; i < characters.length(); i++) {
            int value = Character.digit(characters.charAt((i + FIRST_GROUP) % characters.length()), 36);
            remainder = (remainder * (value < 10 ? 10 : 100) + value) % 97;
        }
        return remainder;
    }

    private static boolean isLetter(char c) {
        return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
    }

    private static boolean isDigit(char c) {
        return c >= '0' && c <= '9';
    }

    private static boolean isSeparator(char c) {
        return c == ' ' || c == '-' || c == '\u00A0';
    }

    private static Map<String, Integer> lengths(String registry) {
        Map<String, Integer> lengths = new HashMap<>();
        for (String entry : registry.split("\\s+", -1)) {
            if (!entry.isEmpty()) {
                lengths.put(entry.substring(0, 2), Integer.valueOf(entry.substring(2)));
            }
        }
        return Map.copyOf(lengths);
    }
}
