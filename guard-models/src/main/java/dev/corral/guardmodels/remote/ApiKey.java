package dev.corral.guardmodels.remote;

/** What a server wants to see before it answers. Prints as stars, wherever it is printed. */
public final class ApiKey {

    private final String value;

    private ApiKey(String value) {
        this.value = value;
    }

    /**
     * A key; blanks around it are none of it. Accepts any text: whoever refuses a setting prints it, and {@link
     * #isUsable} can be asked by somebody who does not.
     */
    public static ApiKey of(String text) {
        return new ApiKey(text.strip());
    }

    /** Whether it can stand in a header. */
    public boolean isUsable() {
        return !value.isEmpty() && value.chars().allMatch(c -> c > ' ' && c < 0x7F);
    }

    /**
     * The value of a header that shows it.
     *
     * @param scheme what stands before it, such as {@code Bearer}; empty for nothing
     */
    public String header(String scheme) {
        return scheme.isEmpty() ? value : scheme + " " + value;
    }

    @Override
    public String toString() {
        return "***";
    }
}
