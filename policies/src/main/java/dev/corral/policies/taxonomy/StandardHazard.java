package dev.corral.policies.taxonomy;

import java.util.Arrays;
import java.util.Optional;

/**
 * The hazards of Llama Guard 3, with the names of its prompt (model card {@code PurpleLlama:Llama-Guard3/1B/MODEL_CARD.md}).
 * {@link #S14} is known to the 8B model only.
 */
public enum StandardHazard implements Hazard {
    S1("Violent Crimes"),
    S2("Non-Violent Crimes"),
    S3("Sex Crimes"),
    S4("Child Exploitation"),
    S5("Defamation"),
    S6("Specialized Advice"),
    S7("Privacy"),
    S8("Intellectual Property"),
    S9("Indiscriminate Weapons"),
    S10("Hate"),
    S11("Self-Harm"),
    S12("Sexual Content"),
    S13("Elections"),
    S14("Code Interpreter Abuse");

    private final String displayName;

    StandardHazard(String displayName) {
        this.displayName = displayName;
    }

    @Override
    public String code() {
        return name();
    }

    @Override
    public String displayName() {
        return displayName;
    }

    /** The hazard with this exact code, or empty. */
    public static Optional<StandardHazard> byCode(String code) {
        return Arrays.stream(values())
                .filter(hazard -> hazard.code().equals(code))
                .findFirst();
    }
}
