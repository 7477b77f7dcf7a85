package dev.corral.gateway.policy;

import dev.corral.guardmodels.conversation.Conversation;
import dev.corral.guardmodels.conversation.Role;
import dev.corral.guardmodels.conversation.Turn;
import dev.corral.guardmodels.guard.CachingGuard;
import dev.corral.guardmodels.guard.Guard;
import dev.corral.policies.assessment.Assessment;
import dev.corral.policies.policy.CompiledPolicy;
import dev.corral.policies.policy.Direction;
import dev.corral.policies.policy.PolicyTest;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The real guard, loaded when it is first asked; what it was asked before, it remembers. */
final class LiveGuard implements AutoCloseable {

    private static final long REMEMBERED = 64 << 20;

    private final GuardChoice choice;
    private @Nullable Guard loaded;

    LiveGuard(GuardChoice choice) {
        this.choice = choice;
    }

    Assessment assess(CompiledPolicy policy, PolicyTest test) {
        return assess(policy, test.text(), test.facts().direction() == Direction.PROMPT);
    }

    Assessment assess(CompiledPolicy policy, String text, boolean isPrompt) {
        Turn said = Turn.of(isPrompt ? Role.USER : Role.ASSISTANT, text);
        return assess(policy, new Conversation(List.of(said)));
    }

    /** What it finds in the last turn, asked for what the policy looks for. */
    Assessment assess(CompiledPolicy policy, Conversation conversation) {
        Guard guard = loaded;
        if (guard == null) {
            guard = new CachingGuard(choice.load(), REMEMBERED);
            loaded = guard;
        }
        return guard.asking(policy.asked()).assess(conversation);
    }

    @Override
    public void close() {
        if (loaded != null) {
            loaded.close();
        }
    }
}
