package dev.corral.guardmodels.store;

import dev.corral.guardmodels.prompt.Category;
import dev.corral.guardmodels.prompt.GuardFamily;
import dev.corral.policies.taxonomy.CustomHazard;
import dev.corral.policies.taxonomy.Hazard;
import dev.corral.policies.taxonomy.StandardHazard;
import dev.corral.policies.taxonomy.Taxonomy;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * What a guard tells apart, and what its prompt says of each.
 *
 * @param categories one for each hazard, in the same order
 */
public record HazardCatalogue(Taxonomy taxonomy, List<Category> categories) {

    public HazardCatalogue {
        categories = List.copyOf(categories);
    }

    /** What a family was trained for. */
    public static HazardCatalogue of(GuardFamily family) {
        return new HazardCatalogue(
                family.taxonomy(), Category.of(family.taxonomy().hazards()));
    }

    /** Those with these codes, in the same order. */
    HazardCatalogue only(Set<String> codes) {
        return new HazardCatalogue(
                new Taxonomy(
                        taxonomy.name(),
                        taxonomy.hazards().stream()
                                .filter(hazard -> codes.contains(hazard.code()))
                                .toList()),
                categories.stream()
                        .filter(category -> codes.contains(category.code()))
                        .toList());
    }

    /** Reads {@code name} and {@code hazards}; empty where they have problems, which are noted. */
    static Optional<HazardCatalogue> read(YamlSection section, GuardFamily family) {
        String name = section.filled("name");
        List<YamlSection> entries = section.sections("hazards");
        List<Hazard> hazards = new ArrayList<>();
        List<Category> categories = new ArrayList<>();
        Map<String, Integer> lines = new LinkedHashMap<>();
        for (YamlSection entry : entries) {
            String code = entry.filled("code");
            String displayName = entry.filled("name");
            Optional<String> prompt = entry.optionalText("prompt");
            prompt.ifPresent(text -> check(text, entry, family));
            if (code.isEmpty() || displayName.isEmpty()) {
                continue;
            }
            Integer other = lines.putIfAbsent(code, entry.line());
            if (other != null) {
                entry.problem("hazard '" + code + "' stands in line " + other + " already; give it another code");
                continue;
            }
            try {
                hazards.add(hazard(code, displayName));
                categories.add(new Category(code, prompt.orElse(displayName + ".")));
            } catch (IllegalArgumentException e) {
                entry.problem(String.valueOf(e.getMessage()));
            }
        }
        if (hazards.isEmpty() || name.isEmpty()) {
            return Optional.empty();
        }
        return Optional.of(new HazardCatalogue(new Taxonomy(name, hazards), categories));
    }

    private static void check(String prompt, YamlSection entry, GuardFamily family) {
        if (!family.promptHasCategories()) {
            entry.problem("'prompt' would be ignored: the prompt of family " + family.id()
                    + " does not list its hazards; remove it");
        } else if (prompt.isBlank()) {
            entry.problem("'prompt' must not be blank; leave it out, and the prompt has the name and a full stop");
        }
    }

    /** A hazard that everybody knows by this code and name, or one of the customer's own. */
    private static Hazard hazard(String code, String displayName) {
        Optional<StandardHazard> standard =
                StandardHazard.byCode(code).filter(known -> known.displayName().equals(displayName));
        return standard.isPresent() ? standard.get() : new CustomHazard(code, displayName);
    }

    /** What {@link #read} reads. */
    Map<String, Object> toYaml() {
        List<Map<String, String>> entries = new ArrayList<>();
        for (int i = 0; i < categories.size(); i++) {
            Hazard hazard = taxonomy.hazards().get(i);
            Map<String, String> entry = new LinkedHashMap<>();
            entry.put("code", hazard.code());
            entry.put("name", hazard.displayName());
            if (!categories.get(i).text().equals(hazard.displayName() + ".")) {
                entry.put("prompt", categories.get(i).text());
            }
            entries.add(entry);
        }
        Map<String, Object> section = new LinkedHashMap<>();
        section.put("name", taxonomy.name());
        section.put("hazards", entries);
        return section;
    }
}
