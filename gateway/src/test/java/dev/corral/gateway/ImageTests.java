package dev.corral.gateway;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.corral.gateway.testing.LeakCheck;
import dev.corral.gateway.testing.ScriptedGuard;
import dev.corral.gateway.testing.ScriptedUpstream;
import dev.corral.gateway.testing.TestGateway;
import dev.corral.guardmodels.conversation.Conversation;
import dev.corral.guardmodels.conversation.Image;
import dev.corral.guardmodels.conversation.Part;
import dev.corral.guardmodels.guard.Guard;
import dev.corral.guardmodels.guard.GuardProfile;
import dev.corral.guardmodels.guard.VisionGuard;
import dev.corral.policies.assessment.Assessment;
import dev.corral.policies.assessment.Assessment.Inconclusive;
import dev.corral.policies.assessment.Assessment.Reason;
import dev.corral.policies.assessment.Assessment.Scored;
import dev.corral.policies.assessment.Coverage;
import dev.corral.policies.assessment.Coverage.Extent;
import dev.corral.policies.assessment.Coverage.Unscanned;
import dev.corral.policies.assessment.Probability;
import dev.corral.policies.taxonomy.StandardHazard;
import dev.corral.policies.taxonomy.Taxonomy;
import java.net.http.HttpResponse;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Requests with images, with a guard that sees and without one. */
@ExtendWith(LeakCheck.class)
class ImageTests {

    private final ScriptedUpstream upstream = new ScriptedUpstream();
    private final ScriptedGuard guard = new ScriptedGuard();
    private final List<Conversation> seen = new CopyOnWriteArrayList<>();

    @BeforeEach
    void write() {
        upstream.says("Fine.");
    }

    @AfterEach
    void stop() {
        upstream.close();
    }

    /** Sees what an image's bytes say: one with {@code weapon} is S9, {@code broken} cannot be seen, {@code mute} has no verdict. */
    private final class SeeingGuard implements Guard {

        @Override
        public GuardProfile profile() {
            return new GuardProfile(
                    "seeing",
                    "01",
                    "scripted",
                    Taxonomy.LLAMA_GUARD_3,
                    "int4",
                    8192,
                    new Probability(0.5),
                    "Apache-2.0",
                    "sees what the bytes say");
        }

        @Override
        public Assessment assess(Conversation conversation) {
            seen.add(conversation);
            List<Part.ImagePart> images = VisionGuard.imagesOf(conversation);
            List<Unscanned> unscanned = images.stream()
                    .filter(image -> says(image, "broken"))
                    .map(image -> new Unscanned("image", image.where(), "the file ends too early"))
                    .toList();
            Coverage coverage =
                    new Coverage(Extent.NONE, new Extent(images.size() - unscanned.size(), images.size()), unscanned);
            if (images.stream().anyMatch(image -> says(image, "mute"))) {
                return new Inconclusive(Reason.FAILED, "scripted", coverage);
            }
            double unsafe = images.stream().anyMatch(image -> says(image, "weapon")) ? 0.9 : 0.01;
            return new Scored(new Probability(unsafe), Map.of(StandardHazard.S9, new Probability(unsafe)), coverage);
        }

        @Override
        public void close() {}
    }

    private static boolean says(Part.ImagePart part, String word) {
        return part.image() instanceof Image.File file && new String(file.bytes(), UTF_8).contains(word);
    }

    private TestGateway seeing() {
        return TestGateway.start(guard, new SeeingGuard(), Map.of("corral.upstream.url", upstream.url()));
    }

    private static String request(String image, String question) {
        return """
                {"model":"m","messages":[
                  {"role":"user","content":[
                    {"type":"text","text":"Look at this."},
                    {"type":"image_url","image_url":{"url":"data:image/png;base64,%s"}}]},
                  {"role":"assistant","content":"I see."},
                  {"role":"user","content":"%s"}]}""".formatted(Base64.getEncoder().encodeToString(image.getBytes(UTF_8)), question);
    }

    @Test
    void chatWhenBothGuardsFindNothingPasses() {
        try (TestGateway gateway = seeing()) {
            String body = request("cat", "What is it?");
            HttpResponse<String> answer = gateway.chat(body);
            assertThat(answer.body()).contains("Fine.");
            assertThat(answer.headers().firstValue("x-corral-decision")).contains("allow");
            assertThat(upstream.last().body()).asString().isEqualTo(body);
        }
        assertThat(seen)
                .isNotEmpty()
                .allSatisfy(conversation ->
                        assertThat(VisionGuard.imagesOf(conversation)).hasSize(1));
        assertThat(guard.asked)
                .as("the text alone is judged, too")
                .anySatisfy(conversation ->
                        assertThat(VisionGuard.imagesOf(conversation)).isEmpty());
    }

    @Test
    void chatWhenAnImageOfAnOldTurnIsHarmfulRefuses() {
        try (TestGateway gateway = seeing()) {
            HttpResponse<String> answer = gateway.chat(request("weapon", "What is it?"));
            assertThat(answer.statusCode()).isEqualTo(200);
            assertThat(answer.body()).contains("\"finish_reason\":\"content_filter\"");
            assertThat(upstream.received).isEmpty();
        }
    }

    @Test
    void chatWhenOnlyTheTextBesideAnImageIsHarmfulRefuses() {
        try (TestGateway gateway = seeing()) {
            assertThat(gateway.chat(request("cat", "How? <S9>")).body()).contains("content_filter");
            assertThat(upstream.received).isEmpty();
        }
    }

    @Test
    void chatWhenAnImageCannotBeSeenIsBlockedAsUnscanned() {
        try (TestGateway gateway = seeing()) {
            assertThat(gateway.chat(request("broken", "What is it?")).body())
                    .contains("content_filter")
                    .contains("image");
            assertThat(upstream.received).isEmpty();
        }
    }

    @Test
    void chatWhenTheSeeingGuardHasNoVerdictIsUnavailable() {
        try (TestGateway gateway = seeing()) {
            HttpResponse<String> answer = gateway.chat(request("mute", "What is it?"));
            assertThat(answer.statusCode()).isEqualTo(503);
            assertThat(answer.body()).contains("guard_unavailable");
        }
    }

    @Test
    void chatWhenThereIsNoImageNeverAsksTheSeeingGuard() {
        try (TestGateway gateway = seeing()) {
            assertThat(gateway.chat("""
                    {"model":"m","messages":[{"role":"user","content":"Hello"}]}""").body()).contains("Fine.");
        }
        assertThat(seen).isEmpty();
    }

    @Test
    void chatWhenNoGuardSeesBlocksTheImage() {
        try (TestGateway gateway = TestGateway.start(guard, Map.of("corral.upstream.url", upstream.url()))) {
            assertThat(gateway.chat(request("cat", "What is it?")).body()).contains("content_filter");
            assertThat(upstream.received).isEmpty();
        }
    }
}
