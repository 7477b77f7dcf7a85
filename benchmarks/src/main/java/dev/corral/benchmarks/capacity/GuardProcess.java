package dev.corral.benchmarks.capacity;

import dev.corral.guardmodels.conversation.Conversation;
import dev.corral.guardmodels.conversation.Role;
import dev.corral.guardmodels.conversation.Turn;
import dev.corral.guardmodels.guard.Guard;
import dev.corral.guardmodels.guard.OnnxGuard;
import dev.corral.guardmodels.onnx.Resources;
import dev.corral.guardmodels.store.GuardStore;
import dev.corral.policies.assessment.Assessment;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/**
 * A process that does nothing but hold a guard of one lane: it loads it and says so; told to go on, it judges some long
 * texts and says so; told to go on, it ends.
 */
public final class GuardProcess {

    static final String LOADED = "loaded";
    static final String JUDGED = "judged";

    private static final int TEXTS = 3;
    private static final int WORDS = 2_000;

    private GuardProcess() {}

    private static Resources resources(String[] args) {
        return new Resources(1, Integer.parseInt(args[1]), Long.parseLong(args[2]));
    }

    /** Takes a guard directory, a number of threads, and bytes for what was read. */
    public static void main(String[] args) throws IOException {
        try (Guard guard = OnnxGuard.load(GuardStore.open(Path.of(args[0])), resources(args))) {
            System.out.println(LOADED);
            if (System.in.read() < 0) {
                return;
            }
            Words words = new Words();
            for (int i = 0; i < TEXTS; i++) {
                Turn turn = Turn.of(Role.USER, words.text(WORDS));
                if (guard.assess(new Conversation(List.of(turn))) instanceof Assessment.Inconclusive failed) {
                    throw new IOException("the guard has no verdict: " + failed);
                }
            }
            System.out.println(JUDGED);
            int _ = System.in.read();
        }
    }
}
