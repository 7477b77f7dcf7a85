package dev.corral.guardmodels.image;

import dev.corral.guardmodels.image.DecodedImage.Reason;
import dev.corral.guardmodels.image.DecodedImage.Refused;

/** Ends the decoding of a file. */
final class UndecodableException extends Exception {

    private final Reason reason;

    private UndecodableException(Reason reason, String detail) {
        super(detail);
        this.reason = reason;
    }

    static UndecodableException corrupt(String detail) {
        return new UndecodableException(Reason.CORRUPT, detail);
    }

    static UndecodableException truncated() {
        return corrupt("the file ends too early");
    }

    static UndecodableException unsupported(String detail) {
        return new UndecodableException(Reason.UNSUPPORTED, detail);
    }

    static UndecodableException tooLarge(String detail) {
        return new UndecodableException(Reason.TOO_LARGE, detail);
    }

    static UndecodableException interrupted() {
        return new UndecodableException(Reason.INTERRUPTED, "there was no time to decode it");
    }

    Refused refused() {
        return new Refused(reason, String.valueOf(getMessage()));
    }
}
