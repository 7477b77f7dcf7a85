package dev.corral.policies.policy;

/** Everything that can be wrong with a policy file. Codes are stable: none is ever reused. */
enum Problem {
    /** The file is missing, not readable, or not UTF-8. */
    UNREADABLE("POL001"),
    /** Not YAML. */
    SYNTAX("POL002"),
    /** YAML, but not one mapping of keys to values. */
    NOT_A_POLICY("POL003"),
    /** An anchor or an alias. */
    ANCHOR("POL004"),
    /** Deeper than any policy. */
    NESTING("POL005"),
    DUPLICATE_KEY("POL006"),
    UNKNOWN_KEY("POL007"),
    MISSING_KEY("POL008"),
    WRONG_TYPE("POL009"),
    /** A name with forbidden characters, or a text that is blank. */
    BAD_TEXT("POL010"),
    OUT_OF_RANGE("POL011"),
    BAD_DURATION("POL012"),
    /** A number of characters that says no unit. */
    BAD_LENGTH("POL013"),
    /** A word that is not one of the few that a key takes, such as an action. */
    UNKNOWN_WORD("POL014"),
    UNKNOWN_HAZARD("POL015"),
    /** A hazard that exists, but that the guard in use does not look for. */
    HAZARD_NOT_SEEN("POL016"),
    DUPLICATE_RULE("POL017"),
    MESSAGE_MISSING("POL018"),
    /** A message that no client would ever see. */
    MESSAGE_IGNORED("POL019"),
    REPEATED_HAZARD("POL020"),
    UNREACHABLE_RULE("POL021"),
    THRESHOLD_WITHOUT_EFFECT("POL022", Severity.WARNING);

    private final String code;
    private final Severity severity;

    Problem(String code) {
        this(code, Severity.ERROR);
    }

    Problem(String code, Severity severity) {
        this.code = code;
        this.severity = severity;
    }

    PolicyIssue at(SourceLocation location, String message, String advice) {
        return new PolicyIssue(severity, code, location, message, advice);
    }
}
