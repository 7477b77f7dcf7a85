package dev.corral.guardmodels.remote;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.corral.guardmodels.conversation.Conversation;
import dev.corral.guardmodels.conversation.Part;
import dev.corral.guardmodels.conversation.Role;
import dev.corral.guardmodels.conversation.Turn;
import dev.corral.guardmodels.guard.Guard;
import dev.corral.guardmodels.guard.GuardProfile;
import dev.corral.guardmodels.guard.TextCoverage;
import dev.corral.guardmodels.guard.UnreadableImageException;
import dev.corral.guardmodels.guard.VisionGuard;
import dev.corral.guardmodels.prompt.Dialogue;
import dev.corral.guardmodels.remote.GeneratedVerdict.Unreadable;
import dev.corral.guardmodels.store.HazardCatalogue;
import dev.corral.guardmodels.store.NamedHazards;
import dev.corral.policies.assessment.Assessment;
import dev.corral.policies.assessment.Assessment.Inconclusive;
import dev.corral.policies.assessment.Assessment.Reason;
import dev.corral.policies.assessment.Assessment.Scored;
import dev.corral.policies.assessment.Coverage;
import dev.corral.policies.assessment.Coverage.Extent;
import dev.corral.policies.assessment.Coverage.Unscanned;
import dev.corral.policies.assessment.Meaning;
import dev.corral.policies.assessment.Probability;
import dev.corral.policies.taxonomy.Hazard;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Semaphore;
import tools.jackson.databind.JsonNode;

/**
 * A Llama Guard on a server that speaks OpenAI's API.
 *
 * <p>The guard writes its verdict; probabilities are those of the tokens that it wrote, where the server tells them. A
 * server that takes raw prompts is asked for the hazards even where the guard wrote that the content is safe, as long as
 * it is not all but certain: its answer is begun with the word for unsafe. A server with a chat template cannot be asked
 * so; what is unsafe there has no name.
 *
 * <p>A server makes special tokens of text that reads like one. So that nobody can end his turn and speak for the
 * template, every {@code <|} of a text is sent as {@code < |}, which a guard reads all the same.
 *
 * <p>Nobody here knows the server's tokens. A token of a byte-level tokenizer has at least one byte, so a prompt of so
 * many bytes as the context has tokens fits for sure. A longer one first loses its oldest turns, which had judgements of
 * their own; a judged turn that is too long by itself is judged in chunks that overlap, and the highest of all counts, as
 * for a guard on this machine.
 */
public final class RemoteGuard implements Guard {

    /** Bytes of text that a context must leave beside the template. */
    private static final int LEAST_ROOM = 64;

    private static final int OVERLAP_SHARE = 8;

    private final GuardProfile profile;
    private final Endpoint endpoint;
    private final RemotePrompts prompts;
    private final GeneratedScores.Reader reader;
    private final RemoteSettings settings;
    private final HazardCatalogue catalogue;
    private final Semaphore connections;
    private final int room;
    private final Optional<PngImages> images;

    private RemoteGuard(RemoteSettings settings, RemotePrompts prompts, int room, Optional<PngImages> images) {
        this.images = images;
        this.settings = settings;
        this.catalogue = settings.hazards().catalogue();
        this.prompts = prompts;
        this.room = room;
        this.reader = new GeneratedScores.Reader(
                catalogue.taxonomy(), settings.hazards().words(), settings.named());
        this.connections = new Semaphore(settings.connections(), true);
        this.profile = profile(settings);
        this.endpoint = new Endpoint(settings);
    }

    /**
     * A guard that asks a server. The server need not be there yet.
     *
     * @throws IllegalArgumentException if the settings do not make a guard
     */
    public static RemoteGuard of(RemoteSettings settings) {
        return of(settings, Optional.empty());
    }

    /**
     * A guard that is sent images, too: each by itself, beside the whole conversation, and each frame of an animation.
     * The highest of all counts. They are decoded here and sent as PNG, so that the server sees what was checked, whatever
     * formats it knows; it has nothing to fetch.
     *
     * @throws IllegalArgumentException if the settings do not make a guard
     */
    public static RemoteGuard seeing(RemoteSettings settings) {
        if (settings.api() != Api.CHAT) {
            throw new IllegalArgumentException("a remote guard is sent images by chat, not by raw prompts");
        }
        return of(settings, Optional.of(new PngImages()));
    }

    private static RemoteGuard of(RemoteSettings settings, Optional<PngImages> images) {
        if (!settings.family().promptHasCategories()) {
            throw new IllegalArgumentException("a remote guard must be of family llama-guard-3 or llama-guard-3-8b,"
                    + " which write their verdict: " + settings.family().id());
        }
        if (settings.apiKey().isPresent() && !settings.apiKey().get().isUsable()) {
            throw new IllegalArgumentException(
                    "an API key must be printable ASCII without blanks, and not empty (the key is not shown here)");
        }
        RemotePrompts prompts = new RemotePrompts(settings);
        int frame = Math.max(
                prompts.bytes(List.of(Turn.of(Role.USER, ""))), prompts.bytes(List.of(Turn.of(Role.ASSISTANT, ""))));
        int room = settings.contextTokens() - prompts.answerTokens();
        if (frame + LEAST_ROOM > room) {
            throw new IllegalArgumentException("a remote guard's context must be at least "
                    + (frame + LEAST_ROOM + prompts.answerTokens()) + " tokens for its prompt and answer: "
                    + settings.contextTokens());
        }
        return new RemoteGuard(settings, prompts, room, images);
    }

    private static GuardProfile profile(RemoteSettings settings) {
        return new GuardProfile(
                settings.model().replaceAll("[^A-Za-z0-9.-]+", "-"),
                fingerprint(settings),
                settings.family().id(),
                settings.hazards().catalogue().taxonomy(),
                "remote",
                settings.contextTokens(),
                settings.recommendedThreshold(),
                "licence of " + settings.model(),
                "on " + settings.url() + ", by " + settings.api().path() + "; not measured",
                meaning(settings));
    }

    private static Meaning meaning(RemoteSettings settings) {
        if (settings.topLogprobs() == 0) {
            return Meaning.VERDICT;
        }
        return settings.named() == NamedHazards.ALL ? Meaning.ALL_HAZARDS : Meaning.FIRST_HAZARD;
    }

    /** Of everything that a verdict depends on, as far as it is known here. */
    private static String fingerprint(RemoteSettings settings) {
        String asked = String.join(
                "\n",
                settings.url().toString(),
                settings.model(),
                settings.api().name(),
                settings.family().id(),
                settings.named().name(),
                Integer.toString(settings.contextTokens()),
                Integer.toString(settings.topLogprobs()),
                settings.hazards().toString());
        try {
            byte[] digest = MessageDigest.getInstance("SHA-256").digest(asked.getBytes(UTF_8));
            return HexFormat.of().formatHex(digest);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java has SHA-256", e);
        }
    }

    @Override
    public GuardProfile profile() {
        return profile;
    }

    @Override
    public Assessment assess(Conversation conversation) {
        Turn subject = conversation.turns().getLast();
        List<String> texts = Dialogue.texts(subject);
        long characters = texts.stream().mapToLong(String::length).sum();
        Coverage none = TextCoverage.of(subject, 0);
        try {
            List<Part.ImagePart> pictured = images.isPresent() ? VisionGuard.imagesOf(conversation) : List.of();
            if (!pictured.isEmpty()) {
                return look(conversation, pictured, images.get());
            }
            GeneratedScores scores = texts.stream().allMatch(String::isBlank)
                    ? GeneratedScores.harmless(catalogue.taxonomy())
                    : score(conversation.turns());
            return scored(scores, TextCoverage.of(subject, characters));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return new Inconclusive(Reason.TIMEOUT, "the guard was interrupted before it was done", none);
        } catch (RemoteFailure e) {
            return new Inconclusive(e.reason(), e.detail(), none);
        } catch (RuntimeException e) {
            // its message might hold what was judged
            return new Inconclusive(
                    Reason.FAILED, "the guard failed: " + e.getClass().getSimpleName(), none);
        }
    }

    private Scored look(Conversation conversation, List<Part.ImagePart> pictured, PngImages reader)
            throws InterruptedException, RemoteFailure {
        List<Unscanned> unscanned = new ArrayList<>();
        GeneratedScores worst = GeneratedScores.harmless(catalogue.taxonomy());
        for (Part.ImagePart part : pictured) {
            try {
                for (String image : reader.frames(part)) {
                    worst = worst.or(score(conversation.turns(), image));
                }
            } catch (UnreadableImageException e) {
                unscanned.add(new Unscanned("image", part.where(), String.valueOf(e.getMessage())));
            }
        }
        Turn subject = conversation.turns().getLast();
        boolean seen = unscanned.size() < pictured.size();
        TextCoverage.of(subject, 0).unscanned().stream()
                .filter(part -> !part.what().equals("image"))
                .forEach(unscanned::add);
        long characters =
                Dialogue.texts(subject).stream().mapToLong(String::length).sum();
        long unseen =
                unscanned.stream().filter(part -> part.what().equals("image")).count();
        return scored(
                worst,
                new Coverage(
                        new Extent(seen ? characters : 0, characters),
                        new Extent(pictured.size() - unseen, pictured.size()),
                        unscanned));
    }

    /** The verdict about an image, beside as many of the last turns as there is room for. */
    private GeneratedScores score(List<Turn> turns, String image) throws InterruptedException, RemoteFailure {
        int first = 0;
        while (first < turns.size() - 1 && prompts.bytesBesideImage(turns.subList(first, turns.size())) > room) {
            first++;
        }
        List<Turn> last = turns.subList(first, turns.size());
        Turn subject = last.getLast();
        if (prompts.bytesBesideImage(last) <= room) {
            return judge(prompts.verdict(last, image));
        }
        GeneratedScores worst = GeneratedScores.harmless(catalogue.taxonomy());
        for (String chunk : chunks(subject)) {
            worst = worst.or(judge(prompts.verdict(List.of(Turn.of(subject.role(), chunk)), image)));
        }
        return worst;
    }

    private static Scored scored(GeneratedScores scores, Coverage coverage) {
        Map<Hazard, Probability> hazards = new LinkedHashMap<>();
        scores.byHazard().forEach((hazard, probability) -> hazards.put(hazard, new Probability(probability)));
        return new Scored(
                new Probability(scores.unsafe()),
                hazards,
                new Probability(scores.unnamed()),
                scores.meaning(),
                coverage);
    }

    private GeneratedScores score(List<Turn> turns) throws InterruptedException, RemoteFailure {
        for (int first = 0; first < turns.size(); first++) {
            List<Turn> last = turns.subList(first, turns.size());
            if (prompts.bytes(last) <= room) {
                return judge(last);
            }
        }
        return scoreInChunks(turns.getLast());
    }

    private GeneratedScores scoreInChunks(Turn subject) throws InterruptedException, RemoteFailure {
        GeneratedScores worst = GeneratedScores.harmless(catalogue.taxonomy());
        for (String chunk : chunks(subject)) {
            worst = worst.or(judge(List.of(Turn.of(subject.role(), chunk))));
        }
        return worst;
    }

    /** The text of a turn in pieces that overlap, each of which there is room for. */
    private List<String> chunks(Turn subject) {
        String text = String.join("\n\n", Dialogue.texts(subject));
        int bytes = room - prompts.bytes(List.of(Turn.of(subject.role(), "")));
        List<String> chunks = new ArrayList<>();
        int start = 0;
        while (true) {
            int end = end(text, start, bytes);
            chunks.add(text.substring(start, end));
            if (end == text.length()) {
                return chunks;
            }
            int back = end - (end - start) / OVERLAP_SHARE;
            start = Character.isLowSurrogate(text.charAt(back)) ? back + 1 : back;
        }
    }

    /** The farthest end of a chunk of at most so many bytes as it is sent; at least one character is in it. */
    private static int end(String text, int start, int bytes) {
        int end = start;
        int used = 0;
        while (end < text.length()) {
            int point = text.codePointAt(end);
            used += RemotePrompts.bytes(point);
            if (used > bytes && end > start) {
                return end;
            }
            end += Character.charCount(point);
        }
        return end;
    }

    private GeneratedScores judge(JsonNode request) throws InterruptedException, RemoteFailure {
        connections.acquire();
        try {
            GeneratedAnswer answer = ask(request);
            return reader.read(verdict(answer.text()), answer);
        } finally {
            connections.release();
        }
    }

    private GeneratedScores judge(List<Turn> turns) throws InterruptedException, RemoteFailure {
        connections.acquire();
        try {
            GeneratedAnswer answer = ask(prompts.verdict(turns));
            GeneratedVerdict verdict = verdict(answer.text());
            GeneratedScores scores = reader.read(verdict, answer);
            return verdict instanceof GeneratedVerdict.Safe && prompts.mayForce(scores)
                    ? withHazards(scores, turns)
                    : scores;
        } finally {
            connections.release();
        }
    }

    /** Asks what an unlikely verdict of unsafe would be for; without an answer that can be read it is for nothing named. */
    private GeneratedScores withHazards(GeneratedScores scores, List<Turn> turns)
            throws InterruptedException, RemoteFailure {
        GeneratedAnswer answer = ask(prompts.hazards(turns));
        GeneratedVerdict forced = GeneratedVerdict.read(
                settings.hazards().words().unsafe() + "\n" + answer.text(),
                catalogue.taxonomy(),
                settings.hazards().words());
        GeneratedScores named = reader.scores(scores.unsafe(), forced, answer.tokens());
        return named.meaning() == Meaning.VERDICT ? scores : named;
    }

    private GeneratedAnswer ask(JsonNode request) throws InterruptedException, RemoteFailure {
        return GeneratedAnswer.read(endpoint.post(request), settings.api());
    }

    private GeneratedVerdict verdict(String text) throws RemoteFailure {
        GeneratedVerdict verdict = GeneratedVerdict.read(
                text, catalogue.taxonomy(), settings.hazards().words());
        if (verdict instanceof Unreadable unreadable) {
            throw new RemoteFailure(
                    Reason.FAILED, "the guard " + settings.model() + " gave no verdict: " + unreadable.why());
        }
        return verdict;
    }

    @Override
    public void close() {
        endpoint.close();
    }
}
