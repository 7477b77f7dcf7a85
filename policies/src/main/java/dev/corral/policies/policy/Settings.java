package dev.corral.policies.policy;

import dev.corral.policies.expression.Condition;
import dev.corral.policies.pattern.CardPattern;
import dev.corral.policies.pattern.ExpressionPattern;
import dev.corral.policies.pattern.IbanPattern;
import dev.corral.policies.pattern.KeywordPattern;
import dev.corral.policies.policy.Policy.HazardDefinition;
import dev.corral.policies.policy.Policy.HazardReference;
import dev.corral.policies.policy.Policy.NamedPattern;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/** What a policy says that no probability shows, by the keys that policies write, with dots. */
final class Settings {

    private final Map<String, List<String>> values = new LinkedHashMap<>();

    private Settings() {}

    static Map<String, List<String>> of(CompiledPolicy compiled) {
        Policy policy = compiled.policy();
        Settings settings = new Settings();
        settings.sorted("applies-to.tenant", policy.appliesTo().tenants());
        settings.sorted("applies-to.route", policy.appliesTo().routes());
        settings.sorted("shadow", policy.shadows());
        policy.hazards().forEach(settings::hazard);
        settings.sorted(
                "exclude", policy.excluded().stream().map(HazardReference::code).toList());
        policy.lists().forEach((name, list) -> settings.sorted("lists." + name, list));
        compiled.rules().forEach(settings::condition);
        settings.put("unscanned", policy.unscanned().word());
        settings.put("block.style", word(policy.blockStyle()));
        policy.blockMessage().ifPresent(messages -> settings.values.put("block.message", texts(messages)));
        settings.put("audit", word(policy.audit()));
        settings.guard("guards.text", policy.guards().text(), Optional.of(compiled.textTimeout()));
        settings.guard(
                "guards.vision",
                policy.guards().vision(),
                policy.guards().vision().timeout());
        settings.put("images.fetch", policy.images().fetch() ? "https" : "none");
        settings.sorted("images.hosts", policy.images().hosts());
        settings.put("images.pass", word(policy.images().pass()));
        settings.put("streaming.window", policy.streaming().window() + " characters");
        settings.put("streaming.first-window", policy.streaming().firstWindow() + " characters");
        policy.streaming().every().ifPresent(time -> settings.put("streaming.every", time(time)));
        settings.put(
                "optimistic",
                switch (policy.optimism()) {
                    case NEVER -> "false";
                    case WITHOUT_TOOLS -> "true";
                    case ALWAYS -> "true, with tools";
                });
        return settings.values;
    }

    /** The texts of a message as they are told, such as {@code de: "Nein."}. */
    static List<String> texts(Messages messages) {
        return messages.texts().entrySet().stream()
                .map(entry -> (entry.getKey().equals(Messages.ANY) ? "" : entry.getKey() + ": ")
                        + Problems.quote(entry.getValue()))
                .toList();
    }

    private void hazard(HazardDefinition hazard) {
        String key = "hazards." + hazard.code();
        put(key + ".name", hazard.name());
        hazard.description().ifPresent(text -> put(key + ".description", text));
        List<String> expressions = new ArrayList<>();
        List<String> keywords = new ArrayList<>();
        List<String> numbers = new ArrayList<>();
        for (NamedPattern named : hazard.patterns()) {
            switch (named.pattern()) {
                case ExpressionPattern expression -> expressions.add(expression.expression());
                case KeywordPattern words -> keywords.addAll(words.keywords());
                case CardPattern _ -> numbers.add("card");
                case IbanPattern _ -> numbers.add("iban");
            }
        }
        sorted(key + ".patterns", expressions);
        sorted(key + ".keywords", keywords);
        sorted(key + ".numbers", numbers);
        if (!hazard.patterns().isEmpty()) {
            put(key + ".replacement", hazard.replacement());
        }
    }

    /** Some texts that such a condition holds for, a search may not come upon. */
    private void condition(CompiledRule rule) {
        rule.condition()
                .filter(Condition::looksIntoTexts)
                .ifPresent(condition -> put("rules." + rule.id().orElse("") + ".condition", condition.text()));
    }

    private void guard(String key, GuardUse guard, Optional<Duration> timeout) {
        guard.use().ifPresent(reference -> put(key + ".use", reference.name()));
        timeout.ifPresent(time -> put(key + ".timeout", time(time)));
        put(key + ".unavailable", word(guard.unavailable()));
    }

    private void put(String key, String value) {
        values.put(key, List.of(value));
    }

    /** Values whose order means nothing. */
    private void sorted(String key, List<String> list) {
        if (!list.isEmpty()) {
            values.put(key, list.stream().distinct().sorted().toList());
        }
    }

    private static String word(Enum<?> constant) {
        return constant.name().toLowerCase(Locale.ROOT);
    }

    private static String time(Duration time) {
        return time.toMillis() % 1000 == 0 ? time.toSeconds() + "s" : time.toMillis() + "ms";
    }
}
