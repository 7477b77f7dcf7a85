package dev.corral.guardmodels;

import dev.corral.guardmodels.conversation.Conversation;
import dev.corral.guardmodels.guard.Guard;
import dev.corral.guardmodels.guard.GuardProfile;
import dev.corral.policies.assessment.Assessment;
import dev.corral.policies.assessment.Coverage;
import dev.corral.policies.assessment.Probability;
import dev.corral.policies.taxonomy.Hazard;
import dev.corral.policies.taxonomy.StandardHazard;
import dev.corral.policies.taxonomy.Taxonomy;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;

/** A guard that answers by a script and remembers what it was asked. */
public final class ScriptedGuard implements Guard {

    private final Function<Conversation, Assessment> script;
    public final List<Conversation> asked = Collections.synchronizedList(new ArrayList<>());
    public boolean closed;

    public ScriptedGuard(Function<Conversation, Assessment> script) {
        this.script = script;
    }

    /** Scores with a single hazard. */
    public static Assessment scored(double unsafe, StandardHazard hazard) {
        Map<Hazard, Probability> hazards = new LinkedHashMap<>();
        hazards.put(hazard, new Probability(unsafe));
        hazards.putIfAbsent(StandardHazard.S13, Probability.ZERO);
        return new Assessment.Scored(new Probability(unsafe), hazards, Coverage.ofText(1));
    }

    @Override
    public GuardProfile profile() {
        return new GuardProfile(
                "scripted",
                "f00d",
                "corral-starter",
                Taxonomy.LLAMA_GUARD_3,
                "int8",
                100,
                new Probability(0.6),
                "none",
                "none");
    }

    @Override
    public Assessment assess(Conversation conversation) {
        asked.add(conversation);
        return script.apply(conversation);
    }

    @Override
    public void close() {
        closed = true;
    }
}
