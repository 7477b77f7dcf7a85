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
    THRESHOLD_WITHOUT_EFFECT("POL022", Severity.WARNING),
    /** A file that a policy names is not beside it. */
    FILE_NOT_FOUND("POL023"),
    CIRCULAR_EXTENDS("POL024"),
    NOTHING_TO_OVERRIDE("POL025"),
    /** A hazard or list that there is already. */
    ALREADY_DEFINED("POL026"),
    UNKNOWN_LIST("POL027"),
    /** A condition or an expression that cannot be read. */
    BAD_EXPRESSION("POL028"),
    UNKNOWN_VARIABLE("POL029"),
    EXPRESSION_TYPE("POL030"),
    /** A condition that could take long. */
    EXPRESSION_COST("POL031"),
    /** A hazard of a policy's own that nothing finds, or that two different things find. */
    BAD_HAZARD("POL032"),
    /** Redaction of what has no span. */
    CANNOT_REDACT("POL033"),
    /** A range of probabilities without any. */
    EMPTY_RANGE("POL034"),
    /** Probabilities below the threshold of the hazard. */
    BELOW_THRESHOLD("POL035", Severity.WARNING),
    PATTERNS_OVERLAP("POL036", Severity.WARNING),
    MESSAGE_LANGUAGE("POL037", Severity.WARNING),
    ALLOWS_EVERYTHING("POL038", Severity.WARNING),
    /** A test without something to say, or with too much. */
    BAD_TEST("POL039"),
    UNKNOWN_RULE("POL040"),
    /** A weaker finding would be treated more strictly than a stronger one. */
    STRONGER_IS_KINDER("POL041", Severity.WARNING),
    /** More hazards than the guard can be asked for at once. */
    NO_PLACE("POL043"),
    /** What would be done with images that are fetched, where none is. */
    NOTHING_FETCHED("POL044", Severity.WARNING),
    /** Prompts that are sent before they are redacted. */
    OPTIMISTIC_REDACTION("POL045"),
    /** A guard that the gateway does not have. */
    UNKNOWN_GUARD("POL046");

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
