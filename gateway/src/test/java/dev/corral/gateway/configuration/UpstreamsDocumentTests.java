package dev.corral.gateway.configuration;

import static org.assertj.core.api.Assertions.assertThat;

import dev.corral.gateway.testing.Completions;
import dev.corral.gateway.testing.ScriptedGuard;
import dev.corral.gateway.testing.ScriptedUpstream;
import dev.corral.gateway.testing.TestGateway;
import dev.corral.gateway.upstream.Preset;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.MatchResult;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;
import org.springframework.boot.context.properties.bind.Binder;
import org.springframework.boot.context.properties.source.MapConfigurationPropertySource;
import org.springframework.boot.convert.ApplicationConversionService;
import org.springframework.boot.env.YamlPropertySourceLoader;
import org.springframework.core.env.EnumerablePropertySource;
import org.springframework.core.io.ByteArrayResource;

/** {@code docs/upstreams.md} says what is: its tables, its settings, and where its examples send requests. */
class UpstreamsDocumentTests {

    private static final Path DOCUMENT = Path.of("../docs/upstreams.md");
    private static final Pattern EXAMPLE =
            Pattern.compile("(?ms)^```yaml\\n(?<yaml>.*?)^```\\n(```routes\\n(?<routes>.*?)^```\\n)?");

    private static String document() throws IOException {
        return Files.readString(DOCUMENT);
    }

    @Test
    void presetsWhenRenderedAreTheDocumentsTable() throws IOException {
        StringBuilder table =
                new StringBuilder("| preset | backend | base | speaks | key | |\n|---|---|---|---|---|---|\n");
        Preset.all().forEach((name, preset) -> {
            Preset.Key key = preset.key();
            List<String> notes = new ArrayList<>();
            preset.paths().forEach(path -> notes.add("serves `" + path.from() + "`, too"));
            if (!preset.listsModels()) {
                notes.add("lists no models");
            }
            if (!preset.note().isEmpty()) {
                notes.add(preset.note());
            }
            table.append("| `%s` | %s | %s | %s | `%s`%s%s | %s |\n"
                    .formatted(
                            name,
                            preset.title(),
                            preset.url() == null ? "yours" : "`" + preset.url() + "`",
                            spoken(preset),
                            key.header() + (key.scheme().isEmpty() ? "" : ": " + key.scheme()),
                            key.needed() ? ", needed" : "",
                            key.variable() == null ? "" : ", from `" + key.variable() + "`",
                            String.join("; ", notes)));
        });
        assertThat(document()).contains("<!-- presets -->\n\n" + table + "\n<!-- /presets -->");
    }

    /** The one that others are translated into first. */
    private static String spoken(Preset preset) {
        return Stream.concat(Stream.of(preset.dialect()), preset.also().stream().sorted())
                .map(api -> api.title().replace("'s API", ""))
                .collect(Collectors.joining(", "));
    }

    @Test
    void settingsWhenThereAreSomeAreInTheDocumentsTableWithTheirDefaults() throws IOException {
        String document = document();
        KnownProperties.all().stream()
                .filter(key -> key.matches("corral\\.(upstream\\..*|secrets-directory|models\\..*)"))
                .forEach(key -> assertThat(document).contains("\n| `" + key.replace("corral.upstream.", "") + "` | "));
        CorralProperties.Upstream defaults = new Binder(new MapConfigurationPropertySource(Map.of()))
                .bindOrCreate("corral", CorralProperties.class)
                .backends()
                .get(CorralProperties.ONLY_UPSTREAM);
        assertThat(document)
                .contains("| `models` | `" + String.join(",", defaults.models()) + "` |")
                .contains("| `weight` | `" + defaults.weight() + "` |")
                .contains("| `max-tokens` | `" + defaults.maxTokens() + "` |")
                .contains("| `connect-timeout` | `" + defaults.connectTimeout().toSeconds() + "s` |")
                .contains(
                        "| `response-timeout` | `" + defaults.responseTimeout().toSeconds() + "s` |")
                .contains("| `idle-timeout` | `" + defaults.idleTimeout().toSeconds() + "s` |")
                .contains("| `max-connections` | `" + defaults.maxConnections() + "` |")
                .contains("| `breaker.requests` | `" + defaults.breaker().requests() + "` |")
                .contains("| `breaker.failure-rate` | `" + defaults.breaker().failureRate() + "` |")
                .contains("| `breaker.pause` | `" + defaults.breaker().pause().toSeconds() + "s` |")
                .contains("| `breaker.probes` | `" + defaults.breaker().probes() + "` |");
    }

    @TestFactory
    Stream<DynamicTest> examplesWhenTheyAreRunSendRequestsWhereTheySay(@TempDir Path folder) throws IOException {
        List<MatchResult> examples = EXAMPLE.matcher(document()).results().toList();
        assertThat(examples).hasSizeGreaterThanOrEqualTo(7);
        return examples.stream()
                .map(example -> DynamicTest.dynamicTest(
                        example.group("yaml")
                                .lines()
                                .skip(2)
                                .findFirst()
                                .orElseThrow()
                                .strip(),
                        () -> run(example.group("yaml"), String.valueOf(example.group("routes")), folder)));
    }

    private static void run(String yaml, String routes, Path folder) throws IOException {
        Map<String, String> settings = settings(yaml);
        CorralProperties properties = new Binder(
                        List.of(new MapConfigurationPropertySource(settings)),
                        null,
                        ApplicationConversionService.getSharedInstance())
                .bindOrCreate("corral", CorralProperties.class);
        Map<String, ScriptedUpstream> servers = new LinkedHashMap<>();
        try {
            properties.backends().keySet().forEach(name -> {
                ScriptedUpstream server = new ScriptedUpstream();
                server.says("from " + name);
                servers.put(name, server);
                String key = properties.keyOf(name);
                settings.keySet().removeIf(setting -> setting.startsWith(key + ".values."));
                settings.put(key + ".url", server.url());
                settings.computeIfPresent(key + ".api-key-file", (_, _) -> write(folder.resolve(name)));
                settings.computeIfPresent("corral.secrets-directory", (_, _) -> {
                    if (yaml.contains("'" + name + "'")) {
                        write(folder.resolve(name));
                    }
                    return folder.toString();
                });
            });
            settings.put("GROQ_API_KEY", "sk-1");
            settings.put("AZURE_INFERENCE_CREDENTIAL", "sk-2");
            try (TestGateway gateway = TestGateway.start(new ScriptedGuard(), settings)) {
                routes.lines().filter(line -> line.contains(": ")).forEach(line -> follow(line, gateway, servers));
            }
        } finally {
            servers.values().forEach(ScriptedUpstream::close);
        }
    }

    /** {@code [PATH] MODEL: NAME, NAME, then NAME}: one of those before 'then', and when they are gone, the one behind it. */
    private static void follow(String line, TestGateway gateway, Map<String, ScriptedUpstream> servers) {
        Matcher route = Pattern.compile("(?<path>/\\S+ )?(?<model>.*): (?<first>.*?)(, then (?<then>.*))?")
                .matcher(line);
        assertThat(route.matches()).as(line).isTrue();
        String path = route.group("path") == null ? "" : route.group("path").strip();
        List<String> first = List.of(route.group("first").split(", "));
        if (route.group("then") == null) {
            assertThat(ask(gateway, path, route.group("model")))
                    .containsAnyOf(first.stream().map(name -> "from " + name).toArray(String[]::new));
        } else {
            first.forEach(name -> servers.get(name).close());
            assertThat(ask(gateway, path, route.group("model"))).contains("from " + route.group("then"));
        }
    }

    private static String ask(TestGateway gateway, String path, String model) {
        HttpResponse<String> answer = gateway.send(gateway.request(path + "/v1/chat/completions")
                .header("Content-Type", "application/json")
                .POST(BodyPublishers.ofString(
                        Completions.request("hello").replace("\"llama\"", Completions.quoted(model)))));
        assertThat(answer.statusCode()).as(answer.body()).isEqualTo(200);
        return answer.body();
    }

    private static Map<String, String> settings(String yaml) throws IOException {
        Map<String, String> settings = new LinkedHashMap<>();
        new YamlPropertySourceLoader()
                .load("example", new ByteArrayResource(yaml.getBytes(StandardCharsets.UTF_8)))
                .forEach(source -> {
                    EnumerablePropertySource<?> properties = (EnumerablePropertySource<?>) source;
                    for (String name : properties.getPropertyNames()) {
                        settings.put(name, String.valueOf(properties.getProperty(name)));
                    }
                });
        return settings;
    }

    private static String write(Path key) {
        try {
            return Files.writeString(key, "sk-from-a-file\n").toString();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
