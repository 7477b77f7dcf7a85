package dev.corral.gateway.testing;

import dev.corral.guardmodels.conversation.Conversation;
import dev.corral.guardmodels.conversation.Part;
import dev.corral.guardmodels.guard.Guard;
import dev.corral.guardmodels.guard.GuardProfile;
import dev.corral.policies.assessment.Assessment;
import dev.corral.policies.assessment.Assessment.Inconclusive;
import dev.corral.policies.assessment.Assessment.Reason;
import dev.corral.policies.assessment.Assessment.Scored;
import dev.corral.policies.assessment.Coverage;
import dev.corral.policies.assessment.Coverage.Extent;
import dev.corral.policies.assessment.Coverage.Unscanned;
import dev.corral.policies.assessment.Probability;
import dev.corral.policies.taxonomy.Hazard;
import dev.corral.policies.taxonomy.Taxonomy;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * A guard that does what the text says: {@code <S9>} is hazard S9 with 0.95, {@code <S9:0.4>} with 0.4, {@code <hold>}
 * waits for {@link #release}, {@code <fail>} throws, {@code <mute>} is inconclusive.
 */
public final class ScriptedGuard implements Guard {

    private static final Pattern MARK = Pattern.compile("<(S\\d+)(?::([0-9.]+))?>");

    private static final GuardProfile PROFILE = new GuardProfile(
            "scripted",
            "00",
            "scripted",
            Taxonomy.LLAMA_GUARD_3,
            "fp32",
            8192,
            new Probability(0.5),
            "Apache-2.0",
            "does what it is told");

    public final List<Conversation> asked = new CopyOnWriteArrayList<>();
    public final List<String> threads = new CopyOnWriteArrayList<>();
    public final AtomicInteger holding = new AtomicInteger();
    public final AtomicInteger interrupted = new AtomicInteger();
    private volatile CountDownLatch latch = new CountDownLatch(1);

    @Override
    public GuardProfile profile() {
        return PROFILE;
    }

    /** Lets all those go that wait; later ones wait again. */
    public void release() {
        CountDownLatch previous = latch;
        latch = new CountDownLatch(1);
        previous.countDown();
    }

    @Override
    public Assessment assess(Conversation conversation) {
        asked.add(conversation);
        threads.add(Thread.currentThread().getName());
        List<Part> parts = conversation.turns().getLast().parts();
        String text = parts.stream().map(ScriptedGuard::text).collect(Collectors.joining("\n"));
        Coverage coverage = new Coverage(new Extent(text.length(), text.length()), Extent.NONE, unscanned(parts));
        if (text.contains("<hold>")) {
            holding.incrementAndGet();
            try {
                latch.await();
            } catch (InterruptedException e) {
                interrupted.incrementAndGet();
                return new Inconclusive(Reason.FAILED, "interrupted", coverage);
            } finally {
                holding.decrementAndGet();
            }
        }
        if (text.contains("<fail>")) {
            throw new IllegalStateException("scripted failure");
        }
        if (text.contains("<mute>")) {
            return new Inconclusive(Reason.FAILED, "scripted", coverage);
        }
        return scored(text, coverage);
    }

    private static Scored scored(String text, Coverage coverage) {
        Map<Hazard, Probability> hazards = new LinkedHashMap<>();
        PROFILE.taxonomy().hazards().forEach(hazard -> hazards.put(hazard, new Probability(0.0001)));
        double unsafe = 0.0012;
        for (Matcher mark = MARK.matcher(text); mark.find(); ) {
            double probability = mark.group(2) == null ? 0.95 : Double.parseDouble(mark.group(2));
            hazards.put(PROFILE.taxonomy().byCode(mark.group(1)).orElseThrow(), new Probability(probability));
            unsafe += probability;
        }
        return new Scored(new Probability(Math.min(1, unsafe)), hazards, coverage);
    }

    private static String text(Part part) {
        return switch (part) {
            case Part.TextPart text -> text.text();
            case Part.ToolCallPart call -> call.name() + " " + call.arguments();
            case Part.ToolResultPart result -> result.text();
            case Part.ToolDefinitionPart definition -> definition.text();
            case Part.ImagePart _, Part.OpaquePart _ -> "";
        };
    }

    private static List<Unscanned> unscanned(List<Part> parts) {
        List<Unscanned> unscanned = new ArrayList<>();
        for (Part part : parts) {
            switch (part) {
                case Part.ImagePart image ->
                    unscanned.add(new Unscanned("image", image.where(), "this guard reads text only"));
                case Part.OpaquePart opaque ->
                    unscanned.add(new Unscanned(opaque.what(), opaque.where(), "this guard reads text only"));
                default -> {}
            }
        }
        return unscanned;
    }

    @Override
    public void close() {}
}
