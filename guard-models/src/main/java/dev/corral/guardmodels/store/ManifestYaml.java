package dev.corral.guardmodels.store;

import dev.corral.guardmodels.prompt.GuardFamily;
import dev.corral.policies.assessment.Probability;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.snakeyaml.engine.v2.api.Dump;
import org.snakeyaml.engine.v2.api.DumpSettings;
import org.snakeyaml.engine.v2.api.Load;
import org.snakeyaml.engine.v2.api.LoadSettings;
import org.snakeyaml.engine.v2.common.FlowStyle;
import org.snakeyaml.engine.v2.exceptions.YamlEngineException;

/** {@code guard.yaml}, read strictly: all problems at once, an unknown key is one. */
final class ManifestYaml {

    private ManifestYaml() {}

    static GuardManifest parse(String yaml, String origin) {
        Object document;
        try {
            document = new Load(LoadSettings.builder().setLabel(origin).build()).loadFromString(yaml);
        } catch (YamlEngineException e) {
            throw new UnusableGuardException(origin + " is not valid YAML: " + e.getMessage(), e);
        }
        YamlSection root = YamlSection.root(document);
        GuardManifest manifest = manifest(root);
        List<String> problems = root.finish();
        if (!problems.isEmpty()) {
            throw new UnusableGuardException(problems.stream()
                    .map(problem -> "\n  - " + problem)
                    .collect(Collectors.joining("", origin + " cannot be used:", "")));
        }
        return manifest;
    }

    private static GuardManifest manifest(YamlSection root) {
        int format = root.integer("format", 1);
        if (format > GuardManifest.FORMAT) {
            root.problem("'format' is " + format + ", but this Corral reads only " + GuardManifest.FORMAT
                    + "; use a newer Corral or convert the guard again");
        }
        String id = root.text("id");
        if (!id.isEmpty() && !id.matches("[A-Za-z0-9.-]+")) {
            root.problem("'id' must be letters, digits, dots and hyphens: '" + id + "'");
        }
        GuardFamily family = root.choice(
                "family",
                Arrays.stream(GuardFamily.values())
                        .collect(Collectors.toMap(GuardFamily::id, f -> f, (a, _) -> a, LinkedHashMap::new)));
        Precision precision = root.choice(
                "precision",
                Arrays.stream(Precision.values())
                        .collect(Collectors.toMap(Precision::label, p -> p, (a, _) -> a, LinkedHashMap::new)));
        String licence = root.text("licence");
        String quality = root.text("quality");
        double threshold = root.number("recommended-threshold");
        if (!(threshold >= 0 && threshold <= 1)) {
            root.problem("'recommended-threshold' must be between 0 and 1: " + threshold);
            threshold = 0;
        }
        GuardManifest.Context context = context(root.section("context"));
        YamlSection modelSection = root.section("model");
        GuardManifest.Model model = new GuardManifest.Model(
                modelSection.integer("layers", 1),
                modelSection.integer("kv-heads", 1),
                modelSection.integer("head-size", 1),
                modelSection.integer("head-rows", 3));
        GuardManifest.Verdict verdict = verdict(root.section("verdict"), family, model.headRows());
        YamlSection made = root.section("made");
        return new GuardManifest(
                id,
                family,
                precision,
                licence,
                quality,
                new Probability(threshold),
                context,
                model,
                verdict,
                new GuardManifest.Made(made.text("tool"), made.text("recipe"), made.texts("source")));
    }

    private static GuardManifest.Context context(YamlSection section) {
        GuardManifest.Context context =
                new GuardManifest.Context(section.integer("tokens", 1), section.integer("overlap", 0));
        if (context.overlap() > 0 && context.overlap() > context.tokens() / 4) {
            section.problem("'overlap' must be at most a quarter of 'tokens': " + context.overlap() + " of "
                    + context.tokens());
        }
        return context;
    }

    private static GuardManifest.Verdict verdict(YamlSection section, GuardFamily family, int headRows) {
        GuardManifest.Verdict verdict = new GuardManifest.Verdict(
                section.integers("lead"),
                section.integers("continuation"),
                section.integer("safe", 0),
                section.integer("unsafe", 0),
                section.integersByKey("hazards"));
        Map<Integer, String> rows = new LinkedHashMap<>();
        Map<String, Integer> named = new LinkedHashMap<>();
        named.put("safe", verdict.safe());
        named.put("unsafe", verdict.unsafe());
        named.putAll(verdict.hazards());
        named.forEach((name, row) -> {
            String other = rows.putIfAbsent(row, name);
            if (other != null) {
                section.problem("'" + other + "' and '" + name + "' have the same row " + row);
            }
            if (row >= headRows) {
                section.problem("the row of '" + name + "' must be below head-rows " + headRows + ": " + row);
            }
        });
        for (String code : verdict.hazards().keySet()) {
            if (family.taxonomy().byCode(code).isEmpty()) {
                section.problem("hazard '" + code + "' is not known to family " + family.id());
            }
        }
        if (verdict.hazards().isEmpty()) {
            section.problem("'hazards' must name at least one");
        }
        if (verdict.continuation().isEmpty()) {
            section.problem("'continuation' must have at least one token: the hazards are read after it");
        }
        return verdict;
    }

    static String write(GuardManifest manifest) {
        Map<String, Object> root = new LinkedHashMap<>();
        root.put("format", GuardManifest.FORMAT);
        root.put("id", manifest.id());
        root.put("family", manifest.family().id());
        root.put("precision", manifest.precision().label());
        root.put("licence", manifest.licence());
        root.put("quality", manifest.quality());
        root.put("recommended-threshold", manifest.recommendedThreshold().value());
        Map<String, Object> context = new LinkedHashMap<>();
        context.put("tokens", manifest.context().tokens());
        context.put("overlap", manifest.context().overlap());
        root.put("context", context);
        Map<String, Object> model = new LinkedHashMap<>();
        model.put("layers", manifest.model().layers());
        model.put("kv-heads", manifest.model().kvHeads());
        model.put("head-size", manifest.model().headSize());
        model.put("head-rows", manifest.model().headRows());
        root.put("model", model);
        Map<String, Object> verdict = new LinkedHashMap<>();
        verdict.put("lead", manifest.verdict().lead());
        verdict.put("continuation", manifest.verdict().continuation());
        verdict.put("safe", manifest.verdict().safe());
        verdict.put("unsafe", manifest.verdict().unsafe());
        verdict.put("hazards", manifest.verdict().hazards());
        root.put("verdict", verdict);
        Map<String, Object> made = new LinkedHashMap<>();
        made.put("tool", manifest.made().tool());
        made.put("recipe", manifest.made().recipe());
        made.put("source", manifest.made().source());
        root.put("made", made);
        DumpSettings settings = DumpSettings.builder()
                .setDefaultFlowStyle(FlowStyle.AUTO)
                .setDereferenceAliases(true)
                .setWidth(120)
                .build();
        return new Dump(settings).dumpToString(root);
    }
}
