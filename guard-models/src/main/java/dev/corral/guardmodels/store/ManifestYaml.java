package dev.corral.guardmodels.store;

import dev.corral.guardmodels.onnx.VisionShape;
import dev.corral.guardmodels.prompt.GuardFamily;
import dev.corral.policies.assessment.Probability;
import dev.corral.policies.taxonomy.Hazard;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import org.snakeyaml.engine.v2.api.Dump;
import org.snakeyaml.engine.v2.api.DumpSettings;
import org.snakeyaml.engine.v2.common.FlowStyle;

/** {@code guard.yaml}, read strictly: all problems at once, an unknown key is one. */
final class ManifestYaml {

    private ManifestYaml() {}

    static GuardManifest parse(String yaml, String origin) {
        YamlSection root = YamlSection.parse(yaml, origin);
        GuardManifest manifest = manifest(root);
        root.finish(origin);
        return manifest;
    }

    private static GuardManifest manifest(YamlSection root) {
        int format = root.integer("format", 1);
        if (format > GuardManifest.FORMAT) {
            root.problem(
                    "format",
                    "'format' is " + format + ", but this Corral reads only " + GuardManifest.FORMAT
                            + "; use a newer Corral or convert the guard again");
        }
        String id = root.text("id");
        if (!id.isEmpty() && !id.matches("[A-Za-z0-9.-]+")) {
            root.problem("id", "'id' must be letters, digits, dots and hyphens: '" + id + "'");
        }
        GuardFamily family = root.choice(
                "family",
                Arrays.stream(GuardFamily.values())
                        .collect(Collectors.toMap(GuardFamily::id, f -> f, (a, _) -> a, LinkedHashMap::new)));
        Precision precision = precision(root);
        String licence = root.text("licence");
        String quality = root.text("quality");
        double threshold = root.number("recommended-threshold");
        if (!(threshold >= 0 && threshold <= 1)) {
            root.problem("recommended-threshold", "'recommended-threshold' must be between 0 and 1: " + threshold);
            threshold = 0;
        }
        GuardManifest.Context context = context(root.section("context"));
        YamlSection modelSection = root.section("model");
        GuardManifest.Model model = new GuardManifest.Model(
                modelSection.integer("layers", 1),
                modelSection.integer("kv-heads", 1),
                modelSection.integer("head-size", 1),
                modelSection.integer("head-rows", 3));
        Optional<YamlSection> taxonomy = root.optionalSection("taxonomy");
        // problems of the hazards are noted once, where they stand: the family's stand in for them
        Optional<HazardCatalogue> own = taxonomy.flatMap(section -> HazardCatalogue.read(section, family));
        HazardCatalogue hazards = own.orElseGet(() -> HazardCatalogue.of(family));
        YamlSection verdictSection = root.section("verdict");
        GuardManifest.Verdict verdict = verdict(verdictSection, model.headRows());
        if (own.isPresent()) {
            requireRows(verdict, hazards, verdictSection);
        }
        if (own.isPresent() == taxonomy.isPresent()) {
            requireKnown(verdict, hazards, own.isPresent() ? "'taxonomy'" : "family " + family.id(), verdictSection);
        }
        Optional<GuardManifest.Vision> vision = root.optionalSection("vision").map(ManifestYaml::vision);
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
                hazards,
                verdict,
                vision,
                new GuardManifest.Made(
                        made.text("tool"), made.text("recipe"), made.optionalText("original"), made.texts("source")));
    }

    private static Precision precision(YamlSection section) {
        return section.choice(
                "precision",
                Arrays.stream(Precision.values())
                        .collect(Collectors.toMap(Precision::label, p -> p, (a, _) -> a, LinkedHashMap::new)));
    }

    private static GuardManifest.Vision vision(YamlSection section) {
        return new GuardManifest.Vision(
                precision(section),
                new VisionShape(
                        section.integer("tile-size", 1),
                        section.integer("tiles", 1),
                        section.integer("tile-tokens", 1),
                        section.integer("layers", 1),
                        section.integer("image-token", 1)));
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

    private static GuardManifest.Verdict verdict(YamlSection section, int headRows) {
        GuardManifest.Verdict verdict = new GuardManifest.Verdict(
                section.integers("lead"),
                section.integers("continuation"),
                section.integer("safe", 0),
                section.integer("unsafe", 0),
                section.integersByKey("hazards"),
                section.has("tokens") ? section.integers("tokens") : List.of(),
                section.optionalSection("list").map(ManifestYaml::listing));
        Map<Integer, String> rows = new LinkedHashMap<>();
        Map<String, Integer> named = new LinkedHashMap<>();
        named.put("safe", verdict.safe());
        named.put("unsafe", verdict.unsafe());
        named.putAll(verdict.hazards());
        verdict.listing().ifPresent(listing -> {
            named.put("list.more", listing.more());
            named.put("list.end", listing.end());
            if (!listing.names().keySet().containsAll(verdict.hazards().keySet())) {
                section.problem("list", "'verdict.list.names' must have the tokens of every hazard of 'hazards'");
            }
        });
        named.forEach((name, row) -> {
            String other = rows.putIfAbsent(row, name);
            if (other != null) {
                section.problem("'" + other + "' and '" + name + "' have the same row " + row);
            }
            if (row >= headRows) {
                section.problem("the row of '" + name + "' must be below head-rows " + headRows + ": " + row);
            }
        });
        if (!verdict.tokens().isEmpty() && Set.copyOf(verdict.tokens()).size() != headRows) {
            section.problem(
                    "'tokens' must be a token for each of the %d head-rows: %s".formatted(headRows, verdict.tokens()));
        }
        if (verdict.hazards().isEmpty()) {
            section.problem("'hazards' must name at least one");
        }
        if (verdict.continuation().isEmpty()) {
            section.problem("'continuation' must have at least one token: the hazards are read after it");
        }
        return verdict;
    }

    private static GuardManifest.Listing listing(YamlSection section) {
        GuardManifest.Listing listing = new GuardManifest.Listing(
                section.integerListsByKey("names"),
                section.integers("another"),
                section.integer("more", 0),
                section.integer("end", 0));
        listing.names().forEach((code, tokens) -> {
            if (tokens.isEmpty()) {
                section.problem("the name of '" + code + "' must have at least one token");
            }
        });
        if (listing.another().isEmpty()) {
            section.problem("'another' must have at least one token: the next hazard is read after it");
        }
        return listing;
    }

    private static void requireKnown(
            GuardManifest.Verdict verdict, HazardCatalogue hazards, String where, YamlSection section) {
        for (String code : verdict.hazards().keySet()) {
            if (hazards.taxonomy().byCode(code).isEmpty()) {
                section.problem("hazard '" + code + "' is not known to " + where);
            }
        }
    }

    private static void requireRows(GuardManifest.Verdict verdict, HazardCatalogue hazards, YamlSection section) {
        for (Hazard hazard : hazards.taxonomy().hazards()) {
            if (!verdict.hazards().containsKey(hazard.code())) {
                section.problem("hazard '" + hazard.code()
                        + "' of 'taxonomy' has no row in 'hazards'; add its row, or remove it from 'taxonomy'");
            }
        }
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
        if (!manifest.hazards().equals(HazardCatalogue.of(manifest.family()))) {
            root.put("taxonomy", manifest.hazards().toYaml());
        }
        Map<String, Object> verdict = new LinkedHashMap<>();
        verdict.put("lead", manifest.verdict().lead());
        verdict.put("continuation", manifest.verdict().continuation());
        verdict.put("safe", manifest.verdict().safe());
        verdict.put("unsafe", manifest.verdict().unsafe());
        verdict.put("hazards", manifest.verdict().hazards());
        if (!manifest.verdict().tokens().isEmpty()) {
            verdict.put("tokens", manifest.verdict().tokens());
        }
        manifest.verdict().listing().ifPresent(listing -> {
            Map<String, Object> list = new LinkedHashMap<>();
            list.put("names", listing.names());
            list.put("another", listing.another());
            list.put("more", listing.more());
            list.put("end", listing.end());
            verdict.put("list", list);
        });
        root.put("verdict", verdict);
        manifest.vision().ifPresent(eyes -> {
            Map<String, Object> vision = new LinkedHashMap<>();
            vision.put("precision", eyes.precision().label());
            vision.put("tile-size", eyes.shape().tileSize());
            vision.put("tiles", eyes.shape().tiles());
            vision.put("tile-tokens", eyes.shape().tileTokens());
            vision.put("layers", eyes.shape().layers());
            vision.put("image-token", eyes.shape().imageToken());
            root.put("vision", vision);
        });
        Map<String, Object> made = new LinkedHashMap<>();
        made.put("tool", manifest.made().tool());
        made.put("recipe", manifest.made().recipe());
        manifest.made().original().ifPresent(original -> made.put("original", original));
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
