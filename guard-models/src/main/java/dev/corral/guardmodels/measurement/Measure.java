package dev.corral.guardmodels.measurement;

import java.util.OptionalDouble;

/** A figure of how well a guard tells unsafe from safe. */
public enum Measure {
    AUC("AUC", "auc"),
    F1("F1", "f1"),
    RECALL("recall", "recall"),
    FALSE_POSITIVES("FPR", "fpr"),
    AVERAGE_PRECISION("AP", "average_precision");

    private final String label;
    private final String key;

    Measure(String label, String key) {
        this.label = label;
        this.key = key;
    }

    /** For the head of a table. */
    public String label() {
        return label;
    }

    /** For programs. */
    public String key() {
        return key;
    }

    /** Its value, or empty where the rows do not define it. */
    public OptionalDouble of(Tally tally) {
        return switch (this) {
            case AUC -> tally.auc();
            case F1 -> tally.f1();
            case RECALL -> tally.recall();
            case FALSE_POSITIVES -> tally.falsePositives();
            case AVERAGE_PRECISION -> tally.averagePrecision();
        };
    }
}
