package dev.corral.gateway.upstream;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.net.URI;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class PresetTests {

    private static URI base(String preset, Map<String, String> values) {
        return Preset.named(preset).orElseThrow().base(values);
    }

    @Test
    void allWhenReadKnowsEveryBackendAndAGenericOne() {
        assertThat(Preset.all())
                .containsOnlyKeys(
                        "anthropic",
                        "azure-ai",
                        "bedrock",
                        "databricks",
                        "dell-enterprise-hub",
                        "fireworks",
                        "groq",
                        "llama-cpp",
                        "llama-stack",
                        "lm-studio",
                        "ollama",
                        "openai",
                        "openrouter",
                        "tgi",
                        "together",
                        "vertex",
                        "vllm");
    }

    @Test
    void sourcesWhenReadAreThereForEveryFact() {
        Preset.all().forEach((name, preset) -> {
            Set<String> facts = new TreeSet<>(Set.of("dialect", "key", "lists-models"));
            if (preset.url() != null) {
                facts.add("url");
            }
            if (!preset.also().isEmpty()) {
                facts.add("also");
            }
            if (!preset.paths().isEmpty()) {
                facts.add("paths");
            }
            if (!preset.note().isEmpty()) {
                facts.add("note");
            }
            assertThat(preset.sources()).as(name).containsOnlyKeys(facts);
            assertThat(preset.sources().values())
                    .as(name)
                    .allMatch(source -> source.getScheme().equals("https"));
        });
    }

    @Test
    void presetsWhenTheyAreOnTheNetUseTlsAndNeedAKey() {
        Preset.all().values().stream()
                .filter(preset -> preset.url() != null)
                .forEach(preset -> assertThat(preset.key().needed())
                        .as(preset.title())
                        .isEqualTo(preset.url().startsWith("https://")));
    }

    @ParameterizedTest
    @CsvSource({
        "ollama, '', http://localhost:11434/v1",
        "groq, '', https://api.groq.com/openai/v1",
        "bedrock, region=us-west-2, https://bedrock-runtime.us-west-2.amazonaws.com/openai/v1",
        "azure-ai, resource=contoso, https://contoso.services.ai.azure.com/openai/v1",
        "databricks, workspace=dbc-1.cloud.databricks.com, https://dbc-1.cloud.databricks.com/serving-endpoints",
        "vertex, project=p-1;region=us-east5,"
                + " https://us-east5-aiplatform.googleapis.com/v1/projects/p-1/locations/us-east5/endpoints/openapi"
    })
    void baseWhenItsPlacesAreFilledIsAnAddress(String preset, String values, String base) {
        Map<String, String> filled = new TreeMap<>();
        for (String value : values.isEmpty() ? new String[0] : values.split(";")) {
            filled.put(value.split("=")[0], value.split("=")[1]);
        }
        assertThat(base(preset, filled)).hasToString(base);
    }

    @Test
    void baseWhenAValueIsMissingOrTooManyOrNoPartOfAnAddressSaysWhich() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> base("vertex", Map.of("region", "us-east5")))
                .withMessageContainingAll("values must be region, project", "[region]");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> base("ollama", Map.of("region", "us-east5")))
                .withMessageContaining("values must be left out");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> base("bedrock", Map.of("region", "evil.example/#")))
                .withMessageContaining("values.region must be letters");
    }
}
