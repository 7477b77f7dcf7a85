package dev.corral.gateway.dialect.litellm;

import dev.corral.gateway.dialect.DialectException;
import dev.corral.gateway.dialect.GatewayError;
import dev.corral.gateway.dialect.Paths;
import dev.corral.gateway.dialect.Redactor;
import dev.corral.gateway.dialect.StrictJson;
import dev.corral.gateway.dialect.Verdict;
import dev.corral.gateway.dialect.VerdictDialect;
import dev.corral.gateway.dialect.VerdictRequest;
import dev.corral.gateway.dialect.WireResponse;
import dev.corral.gateway.dialect.openai.OpenAiChat;
import dev.corral.guardmodels.conversation.Conversation;
import dev.corral.guardmodels.conversation.Part;
import dev.corral.guardmodels.conversation.Role;
import dev.corral.guardmodels.conversation.Turn;
import dev.corral.guardmodels.guard.Judgements;
import dev.corral.policies.pattern.Redaction;
import dev.corral.policies.policy.ContentSource;
import dev.corral.policies.policy.Decision;
import dev.corral.policies.policy.Direction;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/**
 * {@code POST /beta/litellm_basic_guardrail_api}: LiteLLM shows what it is about to pass on, and is told whether it may,
 * or with which texts instead. Source: LiteLLM's "Generic Guardrail API".
 */
public final class LiteLlmGuardrail implements VerdictDialect {

    /*
     * LiteLLM sends the same content twice: all texts in a flat list, which is the one that it takes back changed, and the
     * messages that they stand in. The texts are judged, each as a turn of whoever says it in the messages; of the messages
     * is judged what is no text of the list: results of tools, calls, parts that nobody reads. Images and the definitions
     * and calls of tools come in lists of their own. Nothing is passed on from here, so that fields which are not known,
     * such as whose key it is, are left alone.
     */

    private static final int MAX_TEXTS = 1024;
    private static final String BLOCKED = "Content violates policy";

    private final OpenAiChat messages;

    /** With a clock for OpenAI's dialect, in which messages and errors are. */
    public LiteLlmGuardrail(InstantSource clock) {
        this.messages = new OpenAiChat(clock);
    }

    @Override
    public boolean serves(String path) {
        return Paths.ends(path, "/beta/litellm_basic_guardrail_api");
    }

    @Override
    public VerdictRequest read(byte[] body, String query) {
        JsonNode root = StrictJson.request(body);
        String type = root.path("input_type").asString("");
        if (!type.equals("request") && !type.equals("response")) {
            throw DialectException.invalidRequest("input_type", "'input_type' must be request or response");
        }
        Role speaker = type.equals("request") ? Role.USER : Role.ASSISTANT;
        List<Turn> structured = structured(root);
        List<String> texts = texts(root, "texts");
        Map<String, Role> speakers = new HashMap<>();
        structured.forEach(turn ->
                turn.parts().forEach(part -> text(part).ifPresent(text -> speakers.putIfAbsent(text, turn.role()))));
        List<Turn> turns = new ArrayList<>();
        for (int i = 0; i < texts.size(); i++) {
            Role role = speakers.getOrDefault(texts.get(i), speaker);
            turns.add(new Turn(role, List.of(new Part.TextPart(texts.get(i), "texts[" + i + "]"))));
        }
        turns.addAll(rest(structured, new HashSet<>(texts)));
        List<String> images = texts(root, "images");
        List<Part> shown = new ArrayList<>();
        for (int i = 0; i < images.size(); i++) {
            shown.add(new Part.ImagePart(images.get(i), "images[" + i + "]"));
        }
        turns.add(new Turn(speaker, shown));
        return new VerdictRequest(
                root.path("model").asString(""),
                speaker == Role.USER ? Direction.PROMPT : Direction.COMPLETION,
                Judgements.of(new Conversation(turns)),
                query);
    }

    @Override
    public WireResponse write(VerdictRequest request, String exchangeId, String guard, List<Verdict> verdicts) {
        return verdicts.stream()
                .map(Verdict::decision)
                .max(Comparator.comparing(Decision::outcome))
                .map(LiteLlmGuardrail::told)
                .orElseGet(() -> action("NONE"));
    }

    @Override
    public WireResponse write(
            VerdictRequest request, String exchangeId, String guard, List<Verdict> verdicts, Redactor redactor) {
        boolean redacts = verdicts.stream().anyMatch(verdict -> verdict.decision() instanceof Decision.Redact)
                && verdicts.stream()
                        .allMatch(verdict -> verdict.decision().outcome().compareTo(Decision.Outcome.REDACT) <= 0);
        return redacts ? redacted(verdicts, redactor) : write(request, exchangeId, guard, verdicts);
    }

    @Override
    public WireResponse error(GatewayError error) {
        return messages.error(error);
    }

    private static WireResponse told(Decision decision) {
        return switch (decision) {
            case Decision.Allow _, Decision.Flag _ -> action("NONE");
            case Decision.Redact _ -> blocked(BLOCKED);
            case Decision.Respond respond -> blocked(respond.message());
            case Decision.Block block -> blocked(block.message());
            case Decision.Unavailable unavailable -> blocked(unavailable.message());
        };
    }

    /** The texts anew, where each turn that must change is one of them and does; otherwise nothing may pass. */
    private static WireResponse redacted(List<Verdict> verdicts, Redactor redactor) {
        TreeMap<Integer, String> texts = new TreeMap<>();
        for (Verdict verdict : verdicts) {
            Turn turn = verdict.input().turns().getLast();
            Part part = turn.parts().getFirst();
            boolean listed = part instanceof Part.TextPart && part.where().startsWith("texts[");
            Redaction redaction = part instanceof Part.TextPart text
                    ? redactor.redaction(text.text(), source(turn))
                    : new Redaction(List.of());
            if (verdict.decision() instanceof Decision.Redact && (!listed || redaction.isEmpty())) {
                return blocked(BLOCKED);
            }
            if (listed && part instanceof Part.TextPart text) {
                texts.put(
                        Integer.parseInt(text.where().substring(6, text.where().length() - 1)),
                        redaction.isEmpty() ? text.text() : redaction.apply(text.text()));
            }
        }
        ObjectNode answer = JsonNodeFactory.instance.objectNode().put("action", "GUARDRAIL_INTERVENED");
        ArrayNode list = answer.putArray("texts");
        texts.values().forEach(list::add);
        return WireResponse.json(200, Map.of(), answer);
    }

    private static ContentSource source(Turn turn) {
        return switch (turn.role()) {
            case SYSTEM -> ContentSource.SYSTEM;
            case USER -> ContentSource.USER;
            case ASSISTANT -> ContentSource.ASSISTANT;
            case TOOL -> ContentSource.TOOL_RESULT;
        };
    }

    private static WireResponse blocked(String reason) {
        return WireResponse.json(
                200,
                Map.of(),
                JsonNodeFactory.instance.objectNode().put("action", "BLOCKED").put("blocked_reason", reason));
    }

    private static WireResponse action(String action) {
        return WireResponse.json(
                200, Map.of(), JsonNodeFactory.instance.objectNode().put("action", action));
    }

    private static List<String> texts(JsonNode root, String name) {
        JsonNode list = root.path(name);
        if (list.isMissingNode() || list.isNull()) {
            return List.of();
        }
        if (!list.isArray() || !list.values().stream().allMatch(JsonNode::isString)) {
            throw DialectException.invalidRequest(name, "'" + name + "' must be a list of texts");
        }
        if (list.size() > MAX_TEXTS) {
            throw DialectException.invalidRequest(
                    name, "'" + name + "' has " + list.size() + " items; at most " + MAX_TEXTS + " are judged at once");
        }
        return list.values().stream().map(JsonNode::stringValue).toList();
    }

    /** The messages, the calls and the definitions of tools, as a chat request would have them. */
    private List<Turn> structured(JsonNode root) {
        ObjectNode chat = JsonNodeFactory.instance.objectNode();
        ArrayNode list = chat.putArray("messages");
        root.path("structured_messages").values().forEach(list::add);
        if (!root.path("tool_calls").isEmpty()) {
            ObjectNode calls = JsonNodeFactory.instance.objectNode().put("role", "assistant");
            calls.set("tool_calls", root.path("tool_calls"));
            list.add(calls);
        }
        if (!root.path("tools").isEmpty()) {
            chat.set("tools", root.path("tools"));
        }
        if (list.isEmpty()) {
            list.add(JsonNodeFactory.instance.objectNode().put("role", "user").put("content", ""));
        }
        return messages.read(StrictJson.bytes(chat)).conversation().turns();
    }

    private static List<Turn> rest(List<Turn> structured, Set<String> texts) {
        return structured.stream()
                .map(turn -> new Turn(
                        turn.role(),
                        turn.parts().stream()
                                .filter(part -> text(part)
                                        .map(text -> !text.isEmpty() && !texts.contains(text))
                                        .orElse(true))
                                .toList()))
                .toList();
    }

    private static Optional<String> text(Part part) {
        return part instanceof Part.TextPart text ? Optional.of(text.text()) : Optional.empty();
    }
}
