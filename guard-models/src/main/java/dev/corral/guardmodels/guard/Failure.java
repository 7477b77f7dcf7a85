package dev.corral.guardmodels.guard;

import dev.corral.policies.assessment.Assessment.Inconclusive;
import dev.corral.policies.assessment.Assessment.Reason;
import dev.corral.policies.assessment.Coverage;

/** Why a guard of this machine has no verdict. */
final class Failure {

    private Failure() {}

    static Inconclusive interrupted(Coverage coverage) {
        return new Inconclusive(Reason.TIMEOUT, "the guard was interrupted before it was done", coverage);
    }

    /** The kind of a failure and where it arose: its message might hold what was judged. */
    static Inconclusive of(RuntimeException failure, Coverage coverage) {
        StackTraceElement[] trace = failure.getStackTrace();
        String place = failure.getClass().getSimpleName() + (trace.length == 0 ? "" : " at " + trace[0]);
        return new Inconclusive(Reason.FAILED, "the guard failed: " + place, coverage);
    }
}
