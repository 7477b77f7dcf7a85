package dev.corral.gateway.upstream;

import dev.corral.gateway.configuration.CorralProperties;
import dev.corral.gateway.dialect.DialectException;
import dev.corral.gateway.dialect.GatewayError;
import dev.corral.guardmodels.conversation.Conversation;
import dev.corral.guardmodels.conversation.Part;
import java.net.URI;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Pattern;
import org.springframework.boot.context.properties.bind.Bindable;

/** What is known of models by their names: by {@code corral.models}, otherwise by {@code models.yaml}. */
public final class ModelFacts {

    /** The file. */
    record Facts(Around around, List<Fact> known) {

        Facts {
            known = List.copyOf(known);
        }
    }

    /** What providers put around a model's own name, as regular expressions. */
    record Around(String before, String after) {}

    /**
     * One kind of model.
     *
     * @param name a regular expression for a whole name, as {@link #plain} writes it
     * @param source where it is written down
     */
    record Fact(String name, boolean images, URI source) {}

    private record Known(Pattern name, boolean images) {}

    private static final List<Known> KNOWN = known(facts());

    private final List<NamePattern> vision;
    private final List<NamePattern> text;

    /** With what the operator knows beside. */
    public ModelFacts(CorralProperties.Models models) {
        this.vision = models.vision().stream().map(NamePattern::new).toList();
        this.text = models.text().stream().map(NamePattern::new).toList();
    }

    static Facts facts() {
        return Resource.read("models", Bindable.of(Facts.class));
    }

    /** Whether a model takes images; empty where that is not known. */
    public Optional<Boolean> takesImages(String model) {
        if (vision.stream().anyMatch(pattern -> pattern.matches(model))) {
            return Optional.of(true);
        }
        if (text.stream().anyMatch(pattern -> pattern.matches(model))) {
            return Optional.of(false);
        }
        String plain = plain(model);
        return KNOWN.stream()
                .filter(known -> known.name().matcher(plain).matches())
                .map(Known::images)
                .findFirst();
    }

    /**
     * Refuses what a model cannot take, before anybody works on it.
     *
     * @throws DialectException with 400 for an image to a model that is known to take text only
     */
    public void check(String model, Conversation conversation) {
        conversation.turns().stream()
                .flatMap(turn -> turn.parts().stream())
                .filter(Part.ImagePart.class::isInstance)
                .map(Part.ImagePart.class::cast)
                .findFirst()
                .filter(_ -> takesImages(model).filter(takes -> !takes).isPresent())
                .ifPresent(image -> {
                    throw new DialectException(new GatewayError(
                            400,
                            "invalid_request_error",
                            "image_not_supported",
                            image.where(),
                            "the model '" + model
                                    + "' takes text only: leave the image out, or ask a model with vision,"
                                    + " such as Llama 3.2 11B Vision or Llama 4",
                            null));
                });
    }

    /** A name as {@code models.yaml} writes it. */
    static String plain(String model) {
        return model.substring(model.lastIndexOf('/') + 1)
                .toLowerCase(Locale.ROOT)
                .replaceAll("[^a-z0-9]+", "-")
                .replaceAll("\\bv(\\d+)p(\\d+)\\b", "$1-$2")
                .replaceAll("-v(?=\\d)", "-");
    }

    private static List<Known> known(Facts facts) {
        return facts.known().stream()
                .map(fact -> new Known(
                        Pattern.compile(facts.around().before() + "(" + fact.name() + ")"
                                + facts.around().after()),
                        fact.images()))
                .toList();
    }
}
