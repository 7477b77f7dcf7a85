package dev.corral.guardmodels.remote;

/** What a server wants to see before it answers. Prints as stars, wherever it is printed. */
public final class ApiKey {

    private final String value;

    private ApiKey(String value) {
        this.value = value;
    }

    /**
     * A key.
     *
     * @throws IllegalArgumentException if it cannot stand in a header; the message does not hold it
     */
    public static ApiKey of(String text) {
        String value = text.strip();
        if (value.isEmpty() || !value.chars().allMatch(c -> c > ' ' && c < 0x7F)) {
            throw new IllegalArgumentException(
                    "an API key must be printable ASCII without blanks, and not empty (the key is not shown here)");
        }
        return new ApiKey(value);
    }

    String header() {
        return "Bearer " + value;
    }

    @Override
    public String toString() {
        return "***";
    }
}
