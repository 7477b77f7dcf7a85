package dev.corral.guardmodels.tokenizer;

import org.jspecify.annotations.Nullable;

/** A {@code tokenizer.json} that cannot be used; the message says why and what to do. */
public final class UnusableTokenizerException extends RuntimeException {

    UnusableTokenizerException(String message, @Nullable Throwable cause) {
        super(message, cause);
    }
}
