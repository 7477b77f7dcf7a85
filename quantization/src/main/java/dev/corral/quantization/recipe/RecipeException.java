package dev.corral.quantization.recipe;

/** A recipe that cannot be followed; the message names all problems. */
public final class RecipeException extends RuntimeException {

    public RecipeException(String message) {
        super(message);
    }

    public RecipeException(String message, Throwable cause) {
        super(message, cause);
    }
}
