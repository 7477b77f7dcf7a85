package dev.corral.gateway.configuration;

import java.lang.reflect.ParameterizedType;
import java.lang.reflect.RecordComponent;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.springframework.boot.context.properties.bind.DataObjectPropertyName;
import org.springframework.boot.diagnostics.FailureAnalyzedException;
import org.springframework.context.ApplicationContextInitializer;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.core.env.EnumerablePropertySource;
import org.springframework.core.env.PropertySource;

/** Stops the start where a {@code corral.*} setting would be ignored: a misspelt limit is no limit. */
public final class KnownProperties implements ApplicationContextInitializer<ConfigurableApplicationContext> {

    private static final String PREFIX = "corral.";

    /** What Kubernetes puts into the environment of every pod beside a service named {@code corral}. */
    private static final Pattern SERVICE_LINK = Pattern.compile("CORRAL_(SERVICE_|PORT_\\d+_).*");

    /** Stands for a name of the operator's own, such as an upstream's. */
    private static final String ANY_NAME = "*";

    private static final Pattern LIST_INDEX = Pattern.compile("\\[\\d+]$");

    private static final List<String> KEYS =
            keys(CorralProperties.class, PREFIX).toList();

    @Override
    public void initialize(ConfigurableApplicationContext context) {
        for (PropertySource<?> source : context.getEnvironment().getPropertySources()) {
            if (source instanceof EnumerablePropertySource<?> enumerable) {
                Arrays.stream(enumerable.getPropertyNames())
                        .filter(KnownProperties::isOurs)
                        .filter(name -> KEYS.stream().noneMatch(key -> isSpelling(name, key)))
                        .findFirst()
                        .ifPresent(name -> {
                            throw unknown(name, source.getName());
                        });
            }
        }
        String port = context.getEnvironment().getProperty("corral.port", "");
        if (port.startsWith("tcp://")) {
            throw new FailureAnalyzedException(
                    "CORRAL_PORT is '" + port + "'. Kubernetes sets it so for a service that is named 'corral'.",
                    "Set enableServiceLinks: false in the pod's spec, or give the service another name.");
        }
    }

    /** Every key, in the order of {@link CorralProperties}. */
    static List<String> all() {
        return KEYS;
    }

    private static boolean isOurs(String name) {
        return name.startsWith(PREFIX)
                || (name.startsWith("CORRAL_") && !SERVICE_LINK.matcher(name).matches());
    }

    private static FailureAnalyzedException unknown(String name, String source) {
        Optional<String> close = KEYS.stream()
                .min(Comparator.comparingInt(key -> distance(plain(key), plain(name))))
                .filter(key -> distance(plain(key), plain(name)) <= 4);
        return new FailureAnalyzedException(
                "There is no setting '" + name + "' (from " + source + ")."
                        + close.map(key -> " Did you mean '" + key + "'?").orElse(""),
                "Correct or remove it. There are: " + String.join(", ", KEYS) + ".");
    }

    private static Stream<String> keys(Class<?> type, String prefix) {
        return Arrays.stream(type.getRecordComponents()).flatMap(component -> keys(component, prefix));
    }

    private static Stream<String> keys(RecordComponent component, String prefix) {
        String key = prefix + DataObjectPropertyName.toDashedForm(component.getName());
        return component.getGenericType() instanceof ParameterizedType generic && component.getType() == Map.class
                ? keysOf((Class<?>) generic.getActualTypeArguments()[1], key + "." + ANY_NAME)
                : keysOf(component.getType(), key);
    }

    private static Stream<String> keysOf(Class<?> type, String key) {
        return type.isRecord() ? keys(type, key + ".") : Stream.of(key);
    }

    /** Whether a setting's name is a way to write a key: as a property, or as a variable of the environment. */
    private static boolean isSpelling(String name, String key) {
        if (name.startsWith(PREFIX)) {
            String[] parts = LIST_INDEX.matcher(name).replaceAll("").split("\\.", -1);
            String[] expected = key.split("\\.", -1);
            return parts.length == expected.length
                    && IntStream.range(0, parts.length)
                            .allMatch(i -> expected[i].equals(ANY_NAME)
                                    || plain(parts[i]).equals(plain(expected[i])));
        }
        // a variable has one separator for all that a property separates by dots, hyphens and brackets
        String variable = Arrays.stream(key.split("\\.", -1))
                .map(part -> part.equals(ANY_NAME)
                        ? "[A-Z0-9]+"
                        : part.replace("-", "_?").toUpperCase(Locale.ROOT))
                .collect(Collectors.joining("_"));
        return name.matches(variable + "(_\\d+_?)?");
    }

    /** Settings are the same whether written {@code max-answer-size}, {@code maxAnswerSize} or {@code MAX_ANSWER_SIZE}. */
    private static String plain(String key) {
        return key.replaceAll("[-_.]", "").toLowerCase(Locale.ROOT);
    }

    /** The number of letters to insert, remove or replace. */
    private static int distance(String a, String b) {
        int[] row = new int[b.length() + 1];
        Arrays.setAll(row, i -> i);
        for (int i = 1; i <= a.length(); i++) {
            int diagonal = row[0];
            row[0] = i;
            for (int j = 1; j <= b.length(); j++) {
                int replaced = diagonal + (a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1);
                diagonal = row[j];
                row[j] = Math.min(replaced, 1 + Math.min(row[j], row[j - 1]));
            }
        }
        return row[b.length()];
    }
}
