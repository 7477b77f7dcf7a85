package dev.corral.gateway;

import static dev.corral.gateway.testing.Completions.quoted;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.corral.gateway.testing.LeakCheck;
import dev.corral.gateway.testing.ScriptedGuard;
import dev.corral.gateway.testing.ScriptedUpstream;
import dev.corral.gateway.testing.TestGateway;
import dev.corral.gateway.translation.ChatApi;
import dev.corral.guardmodels.conversation.Part;
import java.io.IOException;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import reactor.core.publisher.Flux;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** Clients of each API in front of upstreams of each other one: what each side sees, and what is judged. */
@ExtendWith(LeakCheck.class)
class TranslationTests {

    private static final String POLICY = """
            policy: %s
            version: 1
            rules:
              - { id: rest, when: { hazard: any }, then: block, message: Not here. }
            streaming: { window: 8 characters, first-window: 4 characters, lookback: all }
            %s
            """;

    private static final String CARDS = """
            policy: cards
            version: 1
            hazards:
              cards: { name: Card numbers, numbers: card, replacement: "[card]" }
            rules:
              - { id: cards, when: { hazard: cards }, then: redact }
            """;

    private static final String CARD = "4111 1111 1111 1111";
    private static final JsonMapper JSON = JsonMapper.builder().build();
    private static final ScriptedGuard guard = new ScriptedGuard();
    private static final Map<ChatApi, ScriptedUpstream> upstreams = new EnumMap<>(ChatApi.class);
    private static TestGateway gateway;

    private record Pair(ChatApi client, ChatApi upstream) {

        String model() {
            return name(upstream);
        }

        ScriptedUpstream server() {
            return upstreams.get(upstream);
        }
    }

    static Stream<Pair> pairs() {
        return Arrays.stream(ChatApi.values())
                .flatMap(client -> Arrays.stream(ChatApi.values())
                        .filter(upstream -> upstream != client)
                        .map(upstream -> new Pair(client, upstream)));
    }

    @BeforeAll
    static void start(@TempDir Path folder) throws IOException {
        Files.writeString(folder.resolve("usual.yaml"), POLICY.formatted("usual", ""));
        Files.writeString(folder.resolve("quick.yaml"), POLICY.formatted("quick", "optimistic: true"));
        Files.writeString(folder.resolve("cards.yaml"), CARDS);
        Map<String, String> settings = new LinkedHashMap<>();
        settings.put("corral.policy.file", folder.resolve("usual.yaml").toString());
        settings.put("corral.policy.directory", folder.toString());
        for (ChatApi api : ChatApi.values()) {
            ScriptedUpstream server = new ScriptedUpstream();
            upstreams.put(api, server);
            settings.put("corral.upstreams." + name(api) + ".url", server.url());
            settings.put("corral.upstreams." + name(api) + ".dialect", name(api));
            settings.put("corral.upstreams." + name(api) + ".models", name(api) + ",shared");
        }
        settings.put("corral.upstreams.anthropic.preset", "anthropic");
        settings.put("corral.upstreams.anthropic.api-key", "sk-ant");
        settings.put("corral.upstreams.gone.url", "http://127.0.0.1:1/v1");
        settings.put("corral.upstreams.gone.dialect", "ollama");
        settings.put("corral.upstreams.gone.models", "fallback");
        settings.put("corral.upstreams.spare.url", upstreams.get(ChatApi.OPENAI).url());
        settings.put("corral.upstreams.spare.dialect", "openai");
        settings.put("corral.upstreams.spare.models", "fallback");
        settings.put("corral.upstreams.spare.weight", "0");
        List<String> policies = List.of("quick", "cards");
        for (int i = 0; i < policies.size(); i++) {
            String route = "spring.cloud.gateway.server.webflux.routes[" + i + "].";
            settings.put(route + "id", policies.get(i));
            settings.put(route + "uri", "upstream://by-model");
            settings.put(route + "predicates[0]", "Path=/" + policies.get(i) + "/**");
            settings.put(route + "filters[0]", "StripPrefix=1");
            settings.put(route + "filters[1]", "Moderate=" + policies.get(i));
        }
        gateway = TestGateway.start(guard, settings);
    }

    @AfterAll
    static void stop() {
        gateway.close();
        upstreams.values().forEach(ScriptedUpstream::close);
    }

    @BeforeEach
    void reset() {
        upstreams.values().forEach(ScriptedUpstream::reset);
        guard.asked.clear();
    }

    private static String name(ChatApi api) {
        return api.name().toLowerCase(Locale.ROOT);
    }

    private static String request(String model, String prompt, boolean stream) {
        return "{\"model\":" + quoted(model) + ",\"stream\":" + stream
                + ",\"messages\":[{\"role\":\"user\",\"content\":" + quoted(prompt) + "}]}";
    }

    private static HttpResponse<String> ask(ChatApi client, String body) {
        return gateway.post(client.chatPath(), body);
    }

    private static HttpResponse<String> ask(Pair pair, String prompt, boolean stream) {
        return ask(pair.client(), request(pair.model(), prompt, stream));
    }

    /** Under the policy of this name. */
    private static HttpResponse<String> askUnder(String policy, Pair pair, String prompt, boolean stream) {
        return gateway.post("/" + policy + pair.client().chatPath(), request(pair.model(), prompt, stream));
    }

    /** A whole answer with this text, as each API writes it. */
    private static String whole(ChatApi api, String text) {
        return switch (api) {
            case OPENAI ->
                "{\"id\":\"chatcmpl-1\",\"model\":\"llama\",\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\","
                        + "\"content\":" + quoted(text) + "},\"finish_reason\":\"stop\"}],"
                        + "\"usage\":{\"prompt_tokens\":3,\"completion_tokens\":5,\"total_tokens\":8}}";
            case ANTHROPIC ->
                "{\"id\":\"msg_1\",\"type\":\"message\",\"role\":\"assistant\",\"model\":\"llama\",\"content\":[{\"type\":"
                        + "\"text\",\"text\":" + quoted(text)
                        + "}],\"stop_reason\":\"end_turn\",\"stop_sequence\":null,"
                        + "\"usage\":{\"input_tokens\":3,\"output_tokens\":5}}";
            case OLLAMA ->
                "{\"model\":\"llama\",\"created_at\":\"2026-01-01T00:00:00Z\",\"message\":{\"role\":\"assistant\","
                        + "\"content\":" + quoted(text) + "},\"done\":true,\"done_reason\":\"stop\","
                        + "\"prompt_eval_count\":3,\"eval_count\":5}";
        };
    }

    /** The frames of a stream with these texts. */
    private static List<byte[]> frames(ChatApi api, String... texts) {
        List<String> frames = new ArrayList<>();
        switch (api) {
            case OPENAI -> {
                for (String text : texts) {
                    frames.add("data: {\"id\":\"chatcmpl-1\",\"model\":\"llama\",\"choices\":[{\"index\":0,\"delta\":{"
                            + "\"content\":" + quoted(text) + "},\"finish_reason\":null}]}\n\n");
                }
                frames.add("data: {\"id\":\"chatcmpl-1\",\"model\":\"llama\",\"choices\":[{\"index\":0,\"delta\":{},"
                        + "\"finish_reason\":\"stop\"}]}\n\n");
                frames.add("data: {\"id\":\"chatcmpl-1\",\"model\":\"llama\",\"choices\":[],\"usage\":"
                        + "{\"prompt_tokens\":3,\"completion_tokens\":5,\"total_tokens\":8}}\n\ndata: [DONE]\n\n");
            }
            case ANTHROPIC -> {
                frames.add(event(
                        "message_start",
                        "\"message\":{\"id\":\"msg_1\",\"model\":\"llama\",\"usage\":"
                                + "{\"input_tokens\":3,\"output_tokens\":1}}"));
                frames.add(event(
                        "content_block_start", "\"index\":0,\"content_block\":{\"type\":\"text\",\"text\":\"\"}"));
                for (String text : texts) {
                    frames.add(event(
                            "content_block_delta",
                            "\"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":" + quoted(text) + "}"));
                }
                frames.add(event("content_block_stop", "\"index\":0"));
                frames.add(
                        event(
                                "message_delta",
                                "\"delta\":{\"stop_reason\":\"end_turn\",\"stop_sequence\":null},\"usage\":{\"output_tokens\":5}"));
                frames.add(event("message_stop", "\"x\":0"));
            }
            case OLLAMA -> {
                for (String text : texts) {
                    frames.add("{\"model\":\"llama\",\"message\":{\"role\":\"assistant\",\"content\":" + quoted(text)
                            + "},\"done\":false}\n");
                }
                frames.add(whole(api, "") + "\n");
            }
        }
        return frames.stream().map(frame -> frame.getBytes(UTF_8)).toList();
    }

    private static String event(String type, String fields) {
        return "event: " + type + "\ndata: {\"type\":\"" + type + "\"," + fields + "}\n\n";
    }

    private static void says(Pair pair, String text) {
        pair.server()
                .answers(200, "application/json", whole(pair.upstream(), text).getBytes(UTF_8));
    }

    private static void streams(Pair pair, String... texts) {
        pair.server()
                .streams(pair.upstream().streamType().toString(), Flux.fromIterable(frames(pair.upstream(), texts)));
    }

    /** The values in a stream, in whichever frames. */
    private static List<JsonNode> values(String stream) {
        return stream.lines()
                .map(line -> line.startsWith("data: ") ? line.substring(6) : line)
                .filter(line -> line.startsWith("{"))
                .map(JSON::readTree)
                .toList();
    }

    /** The text of a whole answer, or of a value of a stream. */
    private static String text(ChatApi api, JsonNode said) {
        return switch (api) {
            case OPENAI ->
                said.path("choices").path(0).path("message").path("content").asString("")
                        + said.path("choices")
                                .path(0)
                                .path("delta")
                                .path("content")
                                .asString("");
            case ANTHROPIC ->
                said.path("content").path(0).path("text").asString("")
                        + said.path("delta").path("text").asString("");
            case OLLAMA -> said.path("message").path("content").asString("");
        };
    }

    private static String streamed(ChatApi api, String stream) {
        StringBuilder text = new StringBuilder();
        values(stream).forEach(value -> text.append(text(api, value)));
        return text.toString();
    }

    /** How each API says that an answer was filtered. */
    private static String refused(ChatApi api) {
        return api == ChatApi.ANTHROPIC ? "\"stop_reason\":\"refusal\"" : "content_filter";
    }

    @ParameterizedTest
    @MethodSource("pairs")
    void postWhenAllIsSafeIsTheUpstreamsThereAndTheClientsBack(Pair pair) {
        says(pair, "Hello to you");

        HttpResponse<String> answer = ask(pair, "hello", false);

        assertThat(answer.statusCode()).as(answer.body()).isEqualTo(200);
        assertThat(answer.headers().firstValue("content-type")).contains("application/json");
        assertThat(answer.headers().firstValue("x-corral-decision")).contains("allow");
        assertThat(text(pair.client(), JSON.readTree(answer.body()))).isEqualTo("Hello to you");
        assertThat(answer.body()).containsAnyOf("\"completion_tokens\":5", "\"output_tokens\":5", "\"eval_count\":5");
        ScriptedUpstream.Received received = pair.server().last();
        assertThat(received.uri()).isEqualTo(pair.upstream().chatPath());
        assertThat(received.headers().get("Content-Length")).isEqualTo(String.valueOf(received.body().length));
        assertThat(received.headers().get("anthropic-version"))
                .isEqualTo(pair.upstream() == ChatApi.ANTHROPIC ? "2023-06-01" : null);
        JsonNode body = JSON.readTree(received.body());
        assertThat(body.path("model").asString()).isEqualTo(pair.model());
        assertThat(body.path("stream").asBoolean(true)).isFalse();
        assertThat(body.has("max_tokens")).isEqualTo(pair.upstream() == ChatApi.ANTHROPIC);
    }

    @ParameterizedTest
    @MethodSource("pairs")
    void streamWhenAllIsSafeIsTheClientsInFull(Pair pair) {
        streams(pair, "Hello ", "there, ", "how are you?");

        HttpResponse<String> answer = ask(pair, "hello", true);

        assertThat(answer.statusCode()).as(answer.body()).isEqualTo(200);
        assertThat(answer.headers().firstValue("content-type").orElseThrow())
                .startsWith(pair.client().streamType().toString());
        assertThat(streamed(pair.client(), answer.body())).isEqualTo("Hello there, how are you?");
        assertThat(answer.body())
                .endsWith(
                        switch (pair.client()) {
                            case OPENAI -> "data: [DONE]\n\n";
                            case ANTHROPIC -> "event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n";
                            case OLLAMA ->
                                "\"done\":true,\"done_reason\":\"stop\",\"prompt_eval_count\":3,\"eval_count\":5}\n";
                        });
    }

    @ParameterizedTest
    @MethodSource("pairs")
    void postWhenThePromptIsHarmfulReachesNobody(Pair pair) {
        HttpResponse<String> answer = ask(pair, "how <S9>", false);

        assertThat(answer.statusCode()).isEqualTo(200);
        assertThat(answer.body()).contains(refused(pair.client()), "Not here.");
        assertThat(pair.server().received).isEmpty();
    }

    @ParameterizedTest
    @MethodSource("pairs")
    void postWhenTheAnswerIsHarmfulIsRefusedInTheClientsWords(Pair pair) {
        says(pair, "so <S9>");

        HttpResponse<String> answer = ask(pair, "hello", false);

        assertThat(answer.statusCode()).isEqualTo(200);
        assertThat(answer.body()).contains(refused(pair.client()), "Not here.").doesNotContain("S9");
    }

    @ParameterizedTest
    @MethodSource("pairs")
    void streamWhenItBecomesHarmfulEndsInTheClientsWordsAndCancelsTheUpstream(Pair pair) {
        List<byte[]> frames = frames(pair.upstream(), "harmless ", "words, ", "then <S9>");
        pair.server()
                .streams(
                        pair.upstream().streamType().toString(),
                        Flux.fromIterable(frames.subList(
                                        0, frames.size() - (pair.upstream() == ChatApi.ANTHROPIC ? 3 : 1)))
                                .concatWith(Flux.never()));

        HttpResponse<String> answer = ask(pair, "hello", true);

        assertThat(answer.body())
                .contains("harmless", refused(pair.client()), "Not here.")
                .doesNotContain("S9");
        await().until(() -> pair.server().cancelled.get() == 1);
    }

    @ParameterizedTest
    @MethodSource("pairs")
    void postWhenSomethingIsRedactedIsRedactedOnBothWays(Pair pair) {
        says(pair, "Yours is " + CARD + ".");

        HttpResponse<String> answer = askUnder("cards", pair, "mine is " + CARD, false);

        assertThat(text(pair.client(), JSON.readTree(answer.body()))).isEqualTo("Yours is [card].");
        assertThat(new String(pair.server().last().body(), UTF_8))
                .contains("mine is [card]")
                .doesNotContain("4111");
    }

    @ParameterizedTest
    @MethodSource("pairs")
    void streamWhenSomethingIsRedactedIsRedactedInTheClientsWords(Pair pair) {
        streams(pair, "Yours is 4111 11", "11 1111 ", "1111.");

        HttpResponse<String> answer = askUnder("cards", pair, "hello", true);

        assertThat(streamed(pair.client(), answer.body())).isEqualTo("Yours is [card].");
    }

    @ParameterizedTest
    @MethodSource("pairs")
    void postWhenTheUpstreamWorksBeforeTheVerdictIsHeldInTheClientsWords(Pair pair) throws Exception {
        says(pair, "In vain, all this.");
        double characters = gateway.metric("corral_optimistic_wasted_total", "characters");
        CompletableFuture<HttpResponse<String>> answer =
                CompletableFuture.supplyAsync(() -> askUnder("quick", pair, "<hold> <S9> " + pair, false));
        await().until(() -> guard.holding.get() == 1 && pair.server().received.size() == 1);
        await().pollDelay(Duration.ofMillis(200)).until(() -> true); // the answer is on its way to be held
        guard.release();

        assertThat(answer.get(20, TimeUnit.SECONDS).body())
                .contains(refused(pair.client()))
                .doesNotContain("In vain");
        assertThat(gateway.metric("corral_optimistic_wasted_total", "characters") - characters)
                .isEqualTo("In vain, all this.".length());
    }

    @ParameterizedTest
    @MethodSource("pairs")
    void postWhenTheUpstreamRefusesTellsItsErrorInTheClientsEnvelope(Pair pair) {
        pair.server()
                .answers(
                        404,
                        "application/json",
                        (switch (pair.upstream()) {
                                    case OPENAI ->
                                        "{\"error\":{\"message\":\"no such model\",\"type\":\"not_found_error\",\"code\":\"model_not_found\"}}";
                                    case ANTHROPIC ->
                                        "{\"type\":\"error\",\"error\":{\"type\":\"not_found_error\",\"message\":\"no such model\"}}";
                                    case OLLAMA -> "{\"error\":\"no such model\"}";
                                })
                                .getBytes(UTF_8));

        HttpResponse<String> answer = ask(pair, "hello", false);

        assertThat(answer.statusCode()).isEqualTo(404);
        JsonNode error = JSON.readTree(answer.body()).path("error");
        assertThat(
                        pair.client() == ChatApi.OLLAMA
                                ? error.asString()
                                : error.path("message").asString())
                .isEqualTo("no such model");
    }

    @ParameterizedTest
    @MethodSource("pairs")
    void streamWhenTheUpstreamFailsInTheMiddleTellsItInTheClientsWords(Pair pair) {
        List<byte[]> frames = new ArrayList<>(
                frames(pair.upstream(), "Hello to ").subList(0, pair.upstream() == ChatApi.ANTHROPIC ? 3 : 1));
        frames.add((switch (pair.upstream()) {
                    case OPENAI -> "data: {\"error\":{\"message\":\"out of memory\"}}\n\n";
                    case ANTHROPIC ->
                        event("error", "\"error\":{\"type\":\"overloaded_error\",\"message\":\"out of memory\"}");
                    case OLLAMA -> "{\"error\":\"out of memory\"}\n";
                })
                .getBytes(UTF_8));
        pair.server().streams(pair.upstream().streamType().toString(), Flux.fromIterable(frames));

        HttpResponse<String> answer = ask(pair, "hello", true);

        assertThat(streamed(pair.client(), answer.body())).isEqualTo("Hello to ");
        assertThat(values(answer.body()).getLast().path("error").toString()).contains("out of memory");
    }

    @ParameterizedTest
    @MethodSource("pairs")
    void streamWhenTheUpstreamBreaksOffIsAnErrorAndNoEnd(Pair pair) {
        pair.server()
                .streams(
                        pair.upstream().streamType().toString(),
                        Flux.fromIterable(frames(pair.upstream(), "Hello to ")
                                .subList(0, pair.upstream() == ChatApi.ANTHROPIC ? 3 : 1)));

        HttpResponse<String> answer = ask(pair, "hello", true);

        assertThat(answer.body()).doesNotContain("[DONE]", "message_stop", "\"done\":true");
        assertThat(values(answer.body()).getLast().path("error").toString()).contains("before it was complete");
    }

    @ParameterizedTest
    @MethodSource("pairs")
    void postWhenTheAnswerIsNoneOfTheUpstreamsApiIs502(Pair pair) {
        pair.server().answers(200, "application/json", "{\"hello\":true}".getBytes(UTF_8));

        HttpResponse<String> answer = ask(pair, "hello", false);

        assertThat(answer.statusCode()).isEqualTo(502);
        assertThat(answer.body()).contains("cannot be read");
    }

    @ParameterizedTest
    @EnumSource(ChatApi.class)
    void postWhenTheUpstreamSpeaksTheClientsApiGoesByteForByte(ChatApi api) {
        Pair same = new Pair(api, api);
        says(same, "Hello");
        String body = " " + request(name(api), "hello", false) + "\n";

        assertThat(ask(api, body).body()).isEqualTo(whole(api, "Hello"));
        assertThat(same.server().last().body()).isEqualTo(body.getBytes(UTF_8));
    }

    @Test
    void postWhenTheFirstUpstreamIsGoneAsksAnotherInItsOwnWords() {
        says(new Pair(ChatApi.ANTHROPIC, ChatApi.OPENAI), "From the spare one");

        HttpResponse<String> answer = ask(ChatApi.ANTHROPIC, request("fallback", "hello", false));

        assertThat(text(ChatApi.ANTHROPIC, JSON.readTree(answer.body()))).isEqualTo("From the spare one");
        assertThat(upstreams.get(ChatApi.OPENAI).last().uri()).isEqualTo("/v1/chat/completions");
    }

    @Test
    void postWhenOneUpstreamCannotCarryItGoesToOneThatCan() {
        says(new Pair(ChatApi.OPENAI, ChatApi.OPENAI), "Seeded");
        String body = request("shared", "hello", false).replace("{\"model\"", "{\"n\":2,\"model\"");
        for (int i = 0; i < 10; i++) {
            assertThat(ask(ChatApi.OPENAI, body).body()).contains("Seeded");
        }
        assertThat(upstreams.get(ChatApi.OPENAI).received).hasSize(10);
    }

    @ParameterizedTest
    @MethodSource("pairs")
    void postWhenArgumentsAreMalformedIsRefusedWhereTheyMustBeAnObject(Pair pair) {
        if (pair.client() != ChatApi.OPENAI) {
            return; // only there are they a text
        }
        String body = "{\"model\":" + quoted(pair.model()) + ",\"messages\":[{\"role\":\"user\",\"content\":\"hi\"},"
                + "{\"role\":\"assistant\",\"content\":null,\"tool_calls\":[{\"id\":\"c\",\"type\":\"function\",\"function\":"
                + "{\"name\":\"pay\",\"arguments\":\"{broken\"}}]},{\"role\":\"tool\",\"tool_call_id\":\"c\",\"content\":\"\"}]}";

        HttpResponse<String> answer = ask(pair.client(), body);

        assertThat(answer.statusCode()).isEqualTo(400);
        assertThat(answer.body())
                .contains(
                        "untranslatable",
                        "messages[1].tool_calls[0].function.arguments",
                        "'" + pair.model() + "'",
                        "no JSON");
        assertThat(pair.server().received).isEmpty();
    }

    @Test
    void postWhenTheUpstreamsCallHasMalformedArgumentsIs502WhereTheyMustBeAnObject() {
        upstreams
                .get(ChatApi.OPENAI)
                .answers(
                        200,
                        "application/json",
                        ("{\"choices\":[{\"index\":0,\"message\":{\"tool_calls\":[{\"id\":\"c\",\"function\":{\"name\":"
                                        + "\"pay\",\"arguments\":\"{broken\"}}]},\"finish_reason\":\"tool_calls\"}]}")
                                .getBytes(UTF_8));

        HttpResponse<String> answer = ask(ChatApi.ANTHROPIC, request("openai", "hello", false));

        assertThat(answer.statusCode()).isEqualTo(502);
        assertThat(answer.body()).contains("'pay'", "no JSON");
    }

    @Test
    void postWhenSomethingHasNoPlaceInTheUpstreamsApiNamesFieldAndUpstream() {
        HttpResponse<String> answer = ask(
                ChatApi.OLLAMA,
                "{\"model\":\"anthropic\",\"options\":{\"seed\":7},\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]}");

        assertThat(answer.statusCode()).isEqualTo(400);
        assertThat(JSON.readTree(answer.body()).path("error").asString())
                .startsWith(
                        "'options.seed' cannot be carried to the upstream 'anthropic', which speaks Anthropic's API");
    }

    @Test
    void postWhenItIsNoChatIsRefusedAndNamesBothApis() {
        HttpResponse<String> answer = gateway.post("/v1/embeddings", "{\"model\":\"ollama\",\"input\":\"hello\"}");

        assertThat(answer.statusCode()).isEqualTo(404);
        assertThat(answer.body()).contains("unsupported_path", "OpenAI's API", "'ollama' speaks Ollama's API");
        assertThat(upstreams.get(ChatApi.OLLAMA).received).isEmpty();
    }

    @Test
    void postWhenTheUpstreamHasAKeySeesItInItsOwnHeader() {
        says(new Pair(ChatApi.OPENAI, ChatApi.ANTHROPIC), "Hello");

        gateway.send(gateway.request("/v1/chat/completions")
                .header("Content-Type", "application/json")
                .header("Authorization", "Bearer the-clients")
                .POST(BodyPublishers.ofString(request("anthropic", "hello", false))));

        assertThat(upstreams.get(ChatApi.ANTHROPIC).last().headers().get("x-api-key"))
                .isEqualTo("sk-ant");
        assertThat(upstreams.get(ChatApi.ANTHROPIC).last().headers().get("Authorization"))
                .isNull();
    }

    @Test
    void postWhenThereAreToolsJudgesWhatTheClientSaidAndCarriesCallsAndResults() {
        upstreams
                .get(ChatApi.OLLAMA)
                .answers(
                        200,
                        "application/json",
                        ("{\"model\":\"llama\",\"message\":{\"role\":\"assistant\",\"content\":\"\",\"tool_calls\":["
                                        + "{\"function\":{\"name\":\"weather\",\"arguments\":{\"city\":\"Oslo\"}}},"
                                        + "{\"function\":{\"name\":\"weather\",\"arguments\":{\"city\":\"Rome\"}}}]},\"done\":true}")
                                .getBytes(UTF_8));

        JsonNode answer = JSON.readTree(ask(
                        ChatApi.ANTHROPIC,
                        "{\"model\":\"ollama\",\"max_tokens\":9,\"tools\":[{\"name\":\"weather\",\"input_schema\":{\"type\":"
                                + "\"object\"}}],\"messages\":[{\"role\":\"user\",\"content\":\"Oslo or Rome?\"}]}")
                .body());

        assertThat(answer.path("stop_reason").asString()).isEqualTo("tool_use");
        assertThat(answer.path("content")).hasSize(2);
        assertThat(answer.path("content").path(0).path("id").asString())
                .startsWith("call_")
                .isNotEqualTo(answer.path("content").path(1).path("id").asString());
        assertThat(answer.path("content").path(1).path("input").path("city").asString())
                .isEqualTo("Rome");
        assertThat(guard.asked.getLast().turns().getLast().parts())
                .filteredOn(Part.ToolCallPart.class::isInstance)
                .hasSize(2);
    }
}
