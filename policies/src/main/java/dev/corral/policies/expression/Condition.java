package dev.corral.policies.expression;

import com.google.re2j.Pattern;
import com.google.re2j.PatternSyntaxException;
import dev.cel.checker.CelStandardDeclarations;
import dev.cel.checker.CelStandardDeclarations.StandardFunction;
import dev.cel.common.CelAbstractSyntaxTree;
import dev.cel.common.CelIssue;
import dev.cel.common.CelOptions;
import dev.cel.common.CelValidationException;
import dev.cel.common.CelValidationResult;
import dev.cel.common.ast.CelConstant;
import dev.cel.common.ast.CelExpr;
import dev.cel.common.ast.CelExpr.CelCall;
import dev.cel.common.types.CelType;
import dev.cel.common.types.ListType;
import dev.cel.common.types.MapType;
import dev.cel.common.types.SimpleType;
import dev.cel.compiler.CelCompiler;
import dev.cel.compiler.CelCompilerFactory;
import dev.cel.parser.CelStandardMacro;
import dev.cel.runtime.CelEvaluationException;
import dev.cel.runtime.CelRuntime;
import dev.cel.runtime.CelRuntimeFactory;
import dev.corral.policies.pattern.ExpressionPattern;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SortedSet;
import java.util.TreeSet;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.Stream;

/** A checked condition. Immutable, and safe for use by many threads. */
public final class Condition {

    /*
     * Total: of CEL's functions only those are here that cannot fail: comparisons, logic, membership and the tests of
     * texts. There is no arithmetic, no conversion, no index and no loop, so a condition that was accepted has an answer
     * for every subject, and costs at most as much as it is long. Expressions of 'matches' are written out, so that they
     * are checked when the policy is loaded.
     *
     * Steps: probability and unsafe may only be compared with numbers. So an answer changes only at these numbers, and a
     * policy can see to it that a stronger finding is never treated more kindly than a weaker one.
     */

    private static final int LONGEST = 2_000;
    private static final int MOST_TERMS = 200;
    private static final Set<String> COMPARISONS = Set.of("_<_", "_<=_", "_>_", "_>=_");

    private static final Set<String> TEXT_FUNCTIONS = Set.of("startsWith", "endsWith", "contains", "matches", "size");

    private static final String CONTENT_HASH = "content_hash";

    private static final Map<String, CelType> VARIABLES = variables();
    private static final CelOptions OPTIONS = CelOptions.current()
            .maxExpressionCodePointSize(LONGEST)
            .maxParseRecursionDepth(50)
            .enableHeterogeneousNumericComparisons(true)
            .build();

    private static final AtomicBoolean PREPARED = new AtomicBoolean();

    private final String text;
    private final CelRuntime.Program program;
    private final Map<String, List<String>> lists;
    private final Set<String> variables;
    private final SortedSet<Double> probabilitySteps;
    private final SortedSet<Double> unsafeSteps;
    private final boolean namesContentHash;
    private final boolean looksIntoTexts;
    private final SortedSet<String> texts;
    private final Set<String> listNames;

    private Condition(String text, CelRuntime.Program program, Map<String, List<String>> lists, Survey survey) {
        this.text = text;
        this.program = program;
        this.lists = lists;
        this.variables = Set.copyOf(survey.variables);
        this.probabilitySteps = survey.steps("probability");
        this.unsafeSteps = survey.steps("unsafe");
        this.namesContentHash = survey.variables.contains(CONTENT_HASH);
        this.looksIntoTexts = survey.looksIntoTexts;
        this.texts = Collections.unmodifiableSortedSet(survey.texts);
        this.listNames = Set.copyOf(survey.listNames);
    }

    /**
     * Something wrong in a condition.
     *
     * @param offset of the place, in code points from the start
     * @param kind what kind of mistake
     * @param message a sentence without its full stop
     */
    public record Mistake(int offset, Kind kind, String message) {

        /** Kinds of mistakes. */
        public enum Kind {
            /** Not CEL. */
            SYNTAX,
            UNKNOWN_VARIABLE,
            WRONG_TYPE,
            /** A loop, or too long. */
            COST,
            /** Something that policies may not do with what exists. */
            FORBIDDEN
        }
    }

    /** Either a condition, or what is wrong with it. */
    public sealed interface Result {

        record Checked(Condition condition) implements Result {}

        record Wrong(List<Mistake> mistakes) implements Result {

            public Wrong {
                mistakes = List.copyOf(mistakes);
            }
        }
    }

    /** The names that a condition may use, in the order of the documentation. */
    public static Set<String> variableNames() {
        return VARIABLES.keySet();
    }

    /**
     * Checks a condition.
     *
     * @param lists the values of {@code lists}
     */
    public static Result check(String text, Map<String, List<String>> lists) {
        if (text.codePointCount(0, text.length()) > LONGEST) {
            return wrong(0, Mistake.Kind.COST, "a condition must not be longer than " + LONGEST + " characters");
        }
        CelValidationResult result = Environment.COMPILER.compile(text, "condition");
        if (result.hasError()) {
            return new Result.Wrong(result.getErrors().stream()
                    .map(issue -> mistake(text, issue))
                    .distinct()
                    .toList());
        }
        try {
            CelAbstractSyntaxTree tree = result.getAst();
            if (!tree.getResultType().equals(SimpleType.BOOL)) {
                return wrong(
                        0,
                        Mistake.Kind.WRONG_TYPE,
                        "a condition must be true or false, and this is of the type "
                                + tree.getResultType().name());
            }
            Survey survey = new Survey(tree, lists);
            survey.visit(tree.getExpr());
            if (!survey.mistakes.isEmpty()) {
                return new Result.Wrong(survey.mistakes);
            }
            return new Result.Checked(new Condition(text, Environment.RUNTIME.createProgram(tree), lists, survey));
        } catch (CelValidationException | CelEvaluationException e) {
            return wrong(0, Mistake.Kind.SYNTAX, String.valueOf(e.getMessage()));
        }
    }

    /** As it was written. */
    public String text() {
        return text;
    }

    /** Whether it looks at this variable. */
    public boolean uses(String variable) {
        return variables.contains(variable);
    }

    /**
     * Whether it looks into texts, by {@code startsWith} and its like. Otherwise it compares them only, with {@link #texts}
     * and lists.
     */
    public boolean looksIntoTexts() {
        return looksIntoTexts;
    }

    /** The texts that it names, and some that its expressions match. */
    public SortedSet<String> texts() {
        return texts;
    }

    /** The lists that it names. */
    public Set<String> listNames() {
        return listNames;
    }

    /** Where the answer may change with the probability. */
    public SortedSet<Double> probabilitySteps() {
        return probabilitySteps;
    }

    /** Where the answer may change with P(unsafe). */
    public SortedSet<Double> unsafeSteps() {
        return unsafeSteps;
    }

    /** Whether it holds. */
    public boolean holds(Subject subject) {
        Map<String, Object> values = new LinkedHashMap<>();
        values.put("hazard", subject.hazard());
        values.put("probability", subject.probability());
        values.put("unsafe", subject.unsafe());
        values.put("direction", subject.direction());
        values.put("source", subject.source());
        values.put("tool", subject.tool());
        values.put("route", subject.route());
        values.put("tenant", subject.tenant());
        values.put("model", subject.model());
        values.put("language", subject.language());
        if (namesContentHash) {
            values.put(CONTENT_HASH, subject.contentHash().get());
        }
        values.put("lists", lists);
        try {
            return Boolean.TRUE.equals(program.eval(values));
        } catch (CelEvaluationException e) {
            throw new IllegalStateException("a checked condition has an answer for everything: " + text, e);
        }
    }

    /**
     * Begins, in the background, what conditions need, so that most of it is there once a file was read. Whoever checks a
     * condition meanwhile waits for it.
     */
    public static void prepare() {
        if (PREPARED.compareAndSet(false, true)) {
            Thread.ofPlatform()
                    .daemon()
                    .name("conditions")
                    .start(() -> check("hazard == 'S1' && unsafe < 0.5", Map.of()));
        }
    }

    /** Made at the first condition: it costs half a second, which files without conditions need not spend. */
    private static final class Environment {

        static final CelCompiler COMPILER = compiler();
        static final CelRuntime RUNTIME =
                CelRuntimeFactory.plannerRuntimeBuilder().setOptions(OPTIONS).build();

        private Environment() {}

        private static CelCompiler compiler() {
            var builder = CelCompilerFactory.standardCelCompilerBuilder()
                    .setOptions(OPTIONS)
                    .setStandardEnvironmentEnabled(false)
                    .setStandardMacros(CelStandardMacro.STANDARD_MACROS)
                    .setStandardDeclarations(CelStandardDeclarations.newBuilder()
                            .includeFunctions(
                                    StandardFunction.LOGICAL_AND,
                                    StandardFunction.LOGICAL_OR,
                                    StandardFunction.LOGICAL_NOT,
                                    StandardFunction.NOT_STRICTLY_FALSE,
                                    StandardFunction.CONDITIONAL,
                                    StandardFunction.EQUALS,
                                    StandardFunction.NOT_EQUALS,
                                    StandardFunction.LESS,
                                    StandardFunction.LESS_EQUALS,
                                    StandardFunction.GREATER,
                                    StandardFunction.GREATER_EQUALS,
                                    StandardFunction.IN,
                                    StandardFunction.SIZE,
                                    StandardFunction.STARTS_WITH,
                                    StandardFunction.ENDS_WITH,
                                    StandardFunction.CONTAINS,
                                    StandardFunction.MATCHES)
                            .build());
            VARIABLES.forEach(builder::addVar);
            return builder.build();
        }
    }

    private static Map<String, CelType> variables() {
        Map<String, CelType> variables = new LinkedHashMap<>();
        variables.put("hazard", SimpleType.STRING);
        variables.put("probability", SimpleType.DOUBLE);
        variables.put("unsafe", SimpleType.DOUBLE);
        for (String name :
                List.of("direction", "source", "tool", "route", "tenant", "model", "language", CONTENT_HASH)) {
            variables.put(name, SimpleType.STRING);
        }
        variables.put("lists", MapType.create(SimpleType.STRING, ListType.create(SimpleType.STRING)));
        return variables;
    }

    private static Result wrong(int offset, Mistake.Kind kind, String message) {
        return new Result.Wrong(List.of(new Mistake(offset, kind, message)));
    }

    private static Mistake mistake(String text, CelIssue issue) {
        int line = Math.max(1, issue.getSourceLocation().getLine());
        int column = Math.max(0, issue.getSourceLocation().getColumn());
        int offset = Arrays.stream(text.split("\n", -1))
                        .limit(line - 1L)
                        .mapToInt(l -> l.codePointCount(0, l.length()) + 1)
                        .sum()
                + column;
        String message = issue.getMessage().replace(" (in container '')", "");
        if (message.startsWith("undeclared reference to '")) {
            String name = message.substring(message.indexOf('\'') + 1, message.lastIndexOf('\''));
            return VARIABLES.containsKey(name) || !name.matches("[A-Za-z_][A-Za-z0-9_]*") || isFunction(text, name)
                    ? new Mistake(offset, Mistake.Kind.FORBIDDEN, operation(name) + " cannot be used in a condition")
                    : new Mistake(offset, Mistake.Kind.UNKNOWN_VARIABLE, "there is no variable '" + name + "'");
        }
        if (message.startsWith("found no matching overload")) {
            String applied = message.substring(message.indexOf("applied to '") + 12);
            return new Mistake(
                    offset,
                    Mistake.Kind.WRONG_TYPE,
                    operation(message.substring(message.indexOf('\'') + 1, message.indexOf("' applied")))
                            + " does not work on " + applied.substring(0, applied.indexOf('\'')));
        }
        return new Mistake(offset, Mistake.Kind.SYNTAX, "this is not CEL: " + message);
    }

    private static boolean isFunction(String text, String name) {
        return text.matches("(?s).*\\b" + name + "\\s*\\(.*");
    }

    private static String operation(String function) {
        return "'" + function.replaceAll("^@|^_|_$|[@_]", "").replace("[]", "[…]") + "'";
    }

    /** Walks over an expression, and gathers what only whole expressions show. */
    private static final class Survey {

        private final CelAbstractSyntaxTree tree;
        private final Map<String, List<String>> lists;
        private final List<Mistake> mistakes = new ArrayList<>();
        private final Map<String, SortedSet<Double>> steps = new LinkedHashMap<>();
        private final Set<String> variables = new HashSet<>();
        private final SortedSet<String> texts = new TreeSet<>();
        private final Set<String> listNames = new LinkedHashSet<>();
        private int terms;
        private boolean looksIntoTexts;

        Survey(CelAbstractSyntaxTree tree, Map<String, List<String>> lists) {
            this.tree = tree;
            this.lists = lists;
        }

        SortedSet<Double> steps(String variable) {
            return steps.getOrDefault(variable, new TreeSet<>());
        }

        void visit(CelExpr expression) {
            if (++terms == MOST_TERMS + 1) {
                report(expression, Mistake.Kind.COST, "a condition must not have more than " + MOST_TERMS + " terms");
            }
            switch (expression.getKind()) {
                case CALL -> call(expression, expression.call());
                case IDENT -> identifier(expression);
                case SELECT -> select(expression);
                case LIST -> expression.list().elements().forEach(this::visit);
                case COMPREHENSION ->
                    report(
                            expression,
                            Mistake.Kind.COST,
                            "a condition must not loop (all, exists, map, filter): what it costs must not depend on what"
                                    + " it is asked about");
                case MAP, STRUCT -> report(expression, Mistake.Kind.FORBIDDEN, "a condition must not build maps");
                case CONSTANT -> {
                    if (isConstant(expression, CelConstant.Kind.STRING_VALUE)) {
                        texts.add(expression.constant().stringValue());
                    }
                }
                case NOT_SET -> {}
            }
        }

        private void call(CelExpr expression, CelCall call) {
            List<CelExpr> arguments =
                    Stream.concat(call.target().stream(), call.args().stream()).toList();
            if (COMPARISONS.contains(call.function()) && arguments.size() == 2) {
                Optional<String> graded = graded(arguments.get(0)).or(() -> graded(arguments.get(1)));
                if (graded.isPresent()) {
                    Optional<Double> number = number(arguments.get(0)).or(() -> number(arguments.get(1)));
                    if (number.isEmpty()) {
                        report(
                                expression,
                                Mistake.Kind.FORBIDDEN,
                                "'" + graded.get() + "' may only be compared with a number, by <, <=, > or >=");
                    } else {
                        steps.computeIfAbsent(graded.get(), _ -> new TreeSet<>())
                                .add(number.get());
                    }
                    return;
                }
            }
            looksIntoTexts |= TEXT_FUNCTIONS.contains(call.function());
            if (call.function().equals("matches")) {
                expressionOf(expression, arguments.getLast());
            }
            arguments.forEach(this::visit);
        }

        private void expressionOf(CelExpr call, CelExpr pattern) {
            if (!isConstant(pattern, CelConstant.Kind.STRING_VALUE)) {
                report(call, Mistake.Kind.COST, "the expression of 'matches' must be written out");
                return;
            }
            try {
                String expression = pattern.constant().stringValue();
                Pattern.compile(expression);
                texts.addAll(examples(expression));
            } catch (PatternSyntaxException e) {
                report(pattern, Mistake.Kind.SYNTAX, "this is not a regular expression of RE2: " + e.getDescription());
            }
        }

        private static List<String> examples(String expression) {
            try {
                return ExpressionPattern.of(expression).examples();
            } catch (ExpressionPattern.Malformed _) {
                return List.of();
            }
        }

        private void identifier(CelExpr expression) {
            String name = expression.ident().name();
            variables.add(name);
            if (graded(expression).isPresent()) {
                report(
                        expression,
                        Mistake.Kind.FORBIDDEN,
                        "'" + name + "' may only be compared with a number, by <, <=, > or >=");
            } else if (name.equals("lists")) {
                report(expression, Mistake.Kind.FORBIDDEN, "'lists' must be followed by a list's name: lists.name");
            }
        }

        private void select(CelExpr expression) {
            CelExpr operand = expression.select().operand();
            if (!operand.getKind().equals(CelExpr.ExprKind.Kind.IDENT)
                    || !operand.ident().name().equals("lists")
                    || expression.select().testOnly()) {
                report(expression, Mistake.Kind.FORBIDDEN, "only 'lists' has fields");
            } else if (!lists.containsKey(expression.select().field())) {
                report(
                        expression,
                        Mistake.Kind.UNKNOWN_VARIABLE,
                        "there is no list '" + expression.select().field() + "'");
            } else {
                listNames.add(expression.select().field());
            }
        }

        private static Optional<String> graded(CelExpr expression) {
            return expression.getKind().equals(CelExpr.ExprKind.Kind.IDENT)
                            && Set.of("probability", "unsafe")
                                    .contains(expression.ident().name())
                    ? Optional.of(expression.ident().name())
                    : Optional.empty();
        }

        private static Optional<Double> number(CelExpr expression) {
            if (isConstant(expression, CelConstant.Kind.DOUBLE_VALUE)) {
                return Optional.of(expression.constant().doubleValue());
            }
            return isConstant(expression, CelConstant.Kind.INT64_VALUE)
                    ? Optional.of((double) expression.constant().int64Value())
                    : Optional.empty();
        }

        private static boolean isConstant(CelExpr expression, CelConstant.Kind kind) {
            return expression.getKind().equals(CelExpr.ExprKind.Kind.CONSTANT)
                    && expression.constant().getKind().equals(kind);
        }

        private void report(CelExpr expression, Mistake.Kind kind, String message) {
            int offset = Optional.ofNullable(tree.getSource().getPositionsMap().get(expression.id()))
                    .orElse(0);
            mistakes.add(new Mistake(offset, kind, message));
        }
    }
}
