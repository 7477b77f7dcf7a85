package dev.corral.guardmodels.remote;

import dev.corral.policies.assessment.Assessment.Reason;

/** Why a server gave no verdict. The message says what to do, and holds nothing of what was judged. */
final class RemoteFailure extends Exception {

    private final Reason reason;

    RemoteFailure(Reason reason, String message) {
        super(message);
        this.reason = reason;
    }

    Reason reason() {
        return reason;
    }

    /** What people are told. */
    String detail() {
        return String.valueOf(getMessage());
    }
}
