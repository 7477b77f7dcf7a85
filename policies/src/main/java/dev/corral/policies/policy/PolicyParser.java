package dev.corral.policies.policy;

import dev.corral.policies.assessment.Probability;
import dev.corral.policies.expression.Condition;
import dev.corral.policies.policy.Policy.AppliesTo;
import dev.corral.policies.policy.Policy.GuardReference;
import dev.corral.policies.policy.Policy.Guards;
import dev.corral.policies.policy.Policy.HazardReference;
import dev.corral.policies.policy.Policy.Source;
import dev.corral.policies.policy.Policy.Threshold;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** Reads policy files. Never throws for what a file says: all that is wrong with it comes back as issues, at once. */
public final class PolicyParser {

    /*
     * Reading goes on after a mistake. Every reader reports what it cannot use and yields nothing, and the policy is built
     * from the rest: a draft. Drafts exist so that the compiler's checks can run beside the parser's, and an author sees
     * all mistakes of both in one go. A draft with errors never leaves this package.
     */

    static final String EXAMPLE = "Start with 'policy: my-policy' and 'version: 1'.";

    static final Fields.Keys POLICY = new Fields.Keys(
            List.of(
                    "$schema",
                    "policy",
                    "version",
                    "owner",
                    "description",
                    "extends",
                    "applies-to",
                    "shadow",
                    "hazards",
                    "exclude",
                    "lists",
                    "thresholds",
                    "thresholds-from",
                    "rules",
                    "unscanned",
                    "block",
                    "audit",
                    "guards",
                    "images",
                    "streaming",
                    "optimistic",
                    "tests"),
            EXAMPLE);
    private static final Fields.Keys THRESHOLDS =
            new Fields.Keys(List.of(), "Write '{ default: 0.5 }', or hazards such as '{ default: 0.5, S4: 0.1 }'.");
    private static final Fields.Keys APPLIES_TO =
            new Fields.Keys(List.of("tenant", "route"), "Write '{ tenant: acme }', or '{ route: \"medical-*\" }'.");
    private static final Fields.Keys BLOCK =
            new Fields.Keys(List.of("style", "message"), "Write '{ style: refusal }'.");
    static final Fields.Keys GUARDS =
            new Fields.Keys(List.of("text", "vision"), "Write '{ text: { timeout: 10s, unavailable: error } }'.");
    static final Fields.Keys GUARD =
            new Fields.Keys(List.of("use", "timeout", "unavailable"), "Write '{ timeout: 10s, unavailable: error }'.");
    private static final Fields.Keys IMAGES = new Fields.Keys(
            List.of("fetch", "hosts", "pass"), "Write '{ fetch: https, hosts: [images.example.com], pass: inline }'.");
    private static final Fields.Keys STREAMING = new Fields.Keys(
            List.of("window", "first-window", "every", "lookback"),
            "Write '{ window: 200 characters, first-window: 60 characters, every: 500ms }'.");

    private static final Fields.Keys OPTIMISTIC =
            new Fields.Keys(List.of("tools"), "Write true, or '{ tools: true }'.");

    private static final Map<String, Action> UNSCANNED =
            RuleParser.words(List.of(Action.BLOCK, Action.FLAG, Action.ALLOW), Action::word);
    private static final Map<String, BlockStyle> STYLES =
            RuleParser.words(List.of(BlockStyle.values()), style -> style.name().toLowerCase(Locale.ROOT));
    private static final Map<String, GuardUse.Unavailable> OUTCOMES = RuleParser.words(
            List.of(GuardUse.Unavailable.values()), outcome -> outcome.name().toLowerCase(Locale.ROOT));
    private static final Map<String, Boolean> FETCHES =
            RuleParser.words(List.of(false, true), yes -> yes ? "https" : "none");
    private static final Map<String, ImageUse.Pass> PASSES = RuleParser.words(
            List.of(ImageUse.Pass.values()), pass -> pass.name().toLowerCase(Locale.ROOT));
    private static final Map<String, Boolean> LOOKBACKS = Map.of("all", true);

    /** Where a file seems to have a condition: only a hint, before it is read. */
    private static final Pattern CONDITION = Pattern.compile("\\bcondition:|\\bwhen:\\s*[\"'>|]");

    private final Problems problems;
    private final Inheritance files;
    private final RuleParser rules;
    private final HazardParser hazards;

    private PolicyParser(Source source, Beside beside) {
        this.problems = new Problems(source.origin());
        this.files = new Inheritance(beside, problems);
        this.rules = new RuleParser(problems);
        this.hazards = new HazardParser(files, problems);
    }

    /**
     * Reads a policy that names no other files.
     *
     * @param source the whole text of the file
     * @param origin its name, for issues
     */
    public static ParsedPolicy parse(String source, String origin) {
        return parse(source, origin, Beside.NOTHING);
    }

    /**
     * Reads a policy.
     *
     * @param source the whole text of the file
     * @param origin its name, for issues
     * @param beside the files that it may name
     */
    public static ParsedPolicy parse(String source, String origin, Beside beside) {
        Draft draft = draft(new Source(origin, source), beside);
        return new ParsedPolicy(
                draft.problems().hasErrors() ? Optional.empty() : draft.policy(),
                draft.problems().issues());
    }

    /** What could be read, even where there are errors; only for checks that find more of them. */
    static Draft draft(Source source, Beside beside) {
        if (CONDITION.matcher(source.text()).find()) {
            Condition.prepare();
        }
        PolicyParser parser = new PolicyParser(source, beside);
        Optional<Policy> policy = parser.files
                .read(source)
                .map(node -> new Value("a policy", node, parser.problems))
                .flatMap(parser::policy);
        return new Draft(policy, List.copyOf(parser.files.sources()), parser.problems);
    }

    record Draft(Optional<Policy> policy, List<Source> sources, Problems problems) {}

    private Optional<Policy> policy(Value root) {
        return root.fields(POLICY).map(fields -> {
            Optional<Fields> thresholds = fields.optional("thresholds").flatMap(value -> value.fields(THRESHOLDS));
            List<Policy.Rule> rulesOfFile =
                    fields.optional("rules").map(rules::rules).orElse(List.of());
            Optional<Fields> block = fields.optional("block").flatMap(value -> value.fields(BLOCK));
            for (String named : List.of("$schema", "extends", "thresholds-from")) {
                fields.optional(named).ifPresent(Value::text);
            }
            return new Policy(
                    fields.required("policy", "policy: my-policy")
                            .flatMap(Value::identifier)
                            .orElse(""),
                    fields.required("version", "version: 1")
                            .flatMap(Value::ordinal)
                            .orElse(0),
                    fields.optional("owner").flatMap(Value::text),
                    fields.optional("description").flatMap(Value::text),
                    fields.optional("applies-to").map(this::appliesTo).orElse(AppliesTo.NAMED_ONLY),
                    fields.optional("shadow")
                            .flatMap(value -> value.texts("shadow"))
                            .orElse(List.of()),
                    fields.optional("hazards").map(hazards::hazards).orElse(List.of()),
                    fields.optional("exclude")
                            .map(value -> rules.references(value, "Write a list of hazards, such as [S13]."))
                            .orElse(List.of()),
                    fields.optional("lists").map(hazards::lists).orElse(Map.of()),
                    thresholds.flatMap(values -> values.optional("default")).flatMap(Value::threshold),
                    thresholds.map(this::thresholds).orElse(List.of()),
                    rulesOfFile,
                    fields.optional("unscanned")
                            .flatMap(value -> value.word(UNSCANNED))
                            .orElse(Action.BLOCK),
                    block.flatMap(values -> values.optional("style"))
                            .flatMap(value -> value.word(STYLES))
                            .orElse(BlockStyle.REFUSAL),
                    block.flatMap(values -> values.optional("message")).flatMap(rules::messages),
                    fields.optional("audit")
                            .flatMap(value -> value.word(RuleParser.AUDIT))
                            .orElse(AuditDetail.NONE),
                    fields.optional("guards").map(PolicyParser::guards).orElse(Guards.DEFAULT),
                    fields.optional("images").map(this::images).orElse(ImageUse.DEFAULT),
                    fields.optional("streaming").map(this::streaming).orElse(StreamingWindows.DEFAULT),
                    fields.optional("optimistic")
                            .map(value -> optimism(value, rulesOfFile))
                            .orElse(Optimism.NEVER),
                    fields.optional("tests")
                            .map(new TestParser(problems)::tests)
                            .orElse(List.of()),
                    files.sources());
        });
    }

    private List<Threshold> thresholds(Fields fields) {
        List<Threshold> thresholds = new ArrayList<>();
        fields.forEach((code, location, value) -> {
            if (!code.equals("default")) {
                Optional<Probability> threshold = value.threshold();
                // a hazard is checked even where its number is wrong
                thresholds.add(new Threshold(new HazardReference(code, location), threshold.orElse(Probability.ONE)));
            }
        });
        return thresholds;
    }

    private AppliesTo appliesTo(Value value) {
        Optional<Fields> fields = value.fields(APPLIES_TO);
        return new AppliesTo(
                fields.flatMap(keys -> keys.optional("tenant"))
                        .flatMap(tenants -> tenants.texts("tenant"))
                        .orElse(List.of()),
                fields.flatMap(keys -> keys.optional("route"))
                        .flatMap(routes -> routes.texts("route"))
                        .orElse(List.of()));
    }

    private static Guards guards(Value value) {
        Optional<Fields> fields = value.fields(GUARDS);
        return new Guards(
                fields.flatMap(guards -> guards.optional("text"))
                        .map(PolicyParser::guard)
                        .orElse(GuardUse.DEFAULT),
                fields.flatMap(guards -> guards.optional("vision"))
                        .map(PolicyParser::guard)
                        .orElse(GuardUse.DEFAULT));
    }

    private static GuardUse guard(Value value) {
        Optional<Fields> fields = value.fields(GUARD);
        return new GuardUse(
                fields.flatMap(guard -> guard.optional("use"))
                        .flatMap(use -> use.identifier().map(name -> new GuardReference(name, use.location()))),
                fields.flatMap(guard -> guard.optional("timeout")).flatMap(Value::duration),
                fields.flatMap(guard -> guard.optional("unavailable"))
                        .flatMap(unavailable -> unavailable.word(OUTCOMES))
                        .orElse(GuardUse.DEFAULT.unavailable()));
    }

    private ImageUse images(Value value) {
        Optional<Fields> fields = value.fields(IMAGES);
        Optional<Value> said = fields.flatMap(values -> values.optional("fetch"));
        Optional<Boolean> fetch =
                said.isEmpty() ? Optional.of(ImageUse.DEFAULT.fetch()) : said.flatMap(word -> word.word(FETCHES));
        Optional<Value> hosts = fields.flatMap(values -> values.optional("hosts"));
        Optional<Value> pass = fields.flatMap(values -> values.optional("pass"));
        if (fetch.equals(Optional.of(false))) {
            Stream.concat(hosts.stream(), pass.stream())
                    .forEach(unused -> problems.report(
                            Problem.NOTHING_FETCHED,
                            unused.node(),
                            unused.name() + " does nothing, because no image is fetched",
                            "Add 'fetch: https', or remove it."));
        }
        return new ImageUse(
                fetch.orElse(ImageUse.DEFAULT.fetch()),
                hosts.flatMap(names -> names.texts("host")).orElse(List.of()).stream()
                        .map(host -> host.toLowerCase(Locale.ROOT))
                        .toList(),
                pass.flatMap(word -> word.word(PASSES)).orElse(ImageUse.DEFAULT.pass()));
    }

    private Optimism optimism(Value value, List<Policy.Rule> rules) {
        Optimism optimism = value.isMapping()
                ? value.fields(OPTIMISTIC)
                                .flatMap(fields -> fields.required("tools", "{ tools: true }"))
                                .flatMap(Value::flag)
                                .orElse(false)
                        ? Optimism.ALWAYS
                        : Optimism.WITHOUT_TOOLS
                : value.flag().orElse(false) ? Optimism.WITHOUT_TOOLS : Optimism.NEVER;
        if (optimism != Optimism.NEVER) {
            rules.stream()
                    .filter(rule -> rule.action() == Action.REDACT)
                    .filter(rule -> rule.when().directions().contains(Direction.PROMPT))
                    .findFirst()
                    .ifPresent(rule -> problems.report(
                            Problem.OPTIMISTIC_REDACTION,
                            value.node(),
                            "the rule '" + rule.id()
                                    + "' redacts prompts, and an optimistic policy has sent them before",
                            "Remove 'optimistic', or let the rule be for 'direction: completion'."));
        }
        return optimism;
    }

    private StreamingWindows streaming(Value value) {
        Optional<Fields> fields = value.fields(STREAMING);
        fields.flatMap(values -> values.optional("lookback")).ifPresent(lookback -> lookback.word(LOOKBACKS));
        return new StreamingWindows(
                fields.flatMap(values -> values.optional("first-window"))
                        .flatMap(Value::characters)
                        .orElse(StreamingWindows.DEFAULT.firstWindow()),
                fields.flatMap(values -> values.optional("window"))
                        .flatMap(Value::characters)
                        .orElse(StreamingWindows.DEFAULT.window()),
                fields.flatMap(values -> values.optional("every")).flatMap(Value::duration));
    }
}
