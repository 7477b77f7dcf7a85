package dev.corral.benchmarks.figures;

/** Of a figure. */
public enum Unit {
    MILLISECONDS("ms", false),
    SECONDS("s", false),
    MEBIBYTES("MiB", false),
    VERDICTS_PER_SECOND("verdicts/s", true);

    private final String label;
    private final boolean moreIsBetter;

    Unit(String label, boolean moreIsBetter) {
        this.label = label;
        this.moreIsBetter = moreIsBetter;
    }

    /** As it is printed. */
    public String label() {
        return label;
    }

    /** How many times worse a figure is than another one. */
    double ratio(double measured, double other) {
        return moreIsBetter ? other / measured : measured / other;
    }
}
