package dev.corral.gateway.image;

import dev.corral.guardmodels.conversation.Conversation;
import dev.corral.guardmodels.conversation.Image;
import dev.corral.guardmodels.conversation.Part;
import dev.corral.guardmodels.conversation.Part.ImagePart;
import dev.corral.guardmodels.conversation.Turn;
import dev.corral.guardmodels.image.ImageFormat;
import dev.corral.policies.policy.ImageUse;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/** Gets the files of a conversation's images. */
public final class ImageIntake {

    private static final int AT_ONCE = 4;

    private final ImageFetcher fetcher;
    private final int maxImages;

    /**
     * An intake for conversations.
     *
     * @param maxImages of one conversation; there is no file of a further one
     */
    public ImageIntake(ImageFetcher fetcher, int maxImages) {
        this.fetcher = fetcher;
        this.maxImages = maxImages;
    }

    /**
     * A conversation none of whose images is a mere reference.
     *
     * @param fetched what came from elsewhere, by the place of its part: a {@code data:} address with the file that the
     *     conversation has
     */
    public record Arrived(Conversation conversation, Map<String, String> fetched) {

        public Arrived {
            fetched = Map.copyOf(fetched);
        }
    }

    /** Decodes what is inside of the request, and fetches what the policy allows to. */
    public Mono<Arrived> take(Conversation conversation, ImageUse use) {
        List<ImagePart> parts = parts(List.of(conversation));
        return images(parts, use).map(images -> arrived(conversation, parts, images));
    }

    /** The same of conversations of one request, which may begin alike: an image of several of them is fetched once. */
    public Mono<List<Conversation>> take(List<Conversation> conversations, ImageUse use) {
        List<ImagePart> parts = parts(conversations).stream().distinct().toList();
        return images(parts, use).map(images -> {
            Map<ImagePart, Image> files = new HashMap<>();
            for (int i = 0; i < parts.size(); i++) {
                files.put(parts.get(i), images.get(i));
            }
            return conversations.stream()
                    .map(conversation -> with(
                            conversation,
                            parts(List.of(conversation)).stream()
                                    .map(part -> files.getOrDefault(part, part.image()))
                                    .toList()))
                    .toList();
        });
    }

    private static List<ImagePart> parts(List<Conversation> conversations) {
        return conversations.stream()
                .flatMap(conversation -> conversation.turns().stream())
                .flatMap(turn -> turn.parts().stream())
                .filter(ImagePart.class::isInstance)
                .map(ImagePart.class::cast)
                .toList();
    }

    private Mono<List<Image>> images(List<ImagePart> parts, ImageUse use) {
        return Flux.range(0, parts.size())
                .flatMapSequential(
                        i -> i < maxImages
                                ? file(parts.get(i).image(), use)
                                : Mono.just(new Image.Unavailable("the request has more than " + maxImages
                                        + " images; send fewer, or raise corral.images.max-per-request")),
                        AT_ONCE,
                        1)
                .collectList();
    }

    /** The same of a conversation in which there is nothing to be fetched any more. */
    public Conversation inside(Conversation conversation) {
        return with(
                conversation,
                parts(List.of(conversation)).stream()
                        .map(part -> part.image() instanceof Image.Reference(String url) && DataUri.is(url)
                                ? DataUri.read(url)
                                : part.image())
                        .toList());
    }

    private Mono<Image> file(Image image, ImageUse use) {
        if (!(image instanceof Image.Reference(String url))) {
            return Mono.just(image);
        }
        if (DataUri.is(url)) {
            return Mono.fromSupplier(() -> DataUri.read(url));
        }
        return use.fetch()
                ? fetcher.fetch(url, use)
                : Mono.just(
                        new Image.Unavailable("the policy does not have images fetched; send it inside of the request"
                                + " as data:image/png;base64,..., or allow it with 'images: { fetch: https }'"));
    }

    private static Arrived arrived(Conversation conversation, List<ImagePart> parts, List<Image> images) {
        Map<String, String> fetched = new LinkedHashMap<>();
        for (int i = 0; i < images.size(); i++) {
            if (images.get(i) instanceof Image.File file
                    && parts.get(i).image() instanceof Image.Reference(String url)
                    && !DataUri.is(url)) {
                String type = ImageFormat.of(file.bytes()).orElseThrow().mediaType();
                fetched.put(parts.get(i).where(), DataUri.of(type, file.bytes()));
            }
        }
        return new Arrived(with(conversation, images), fetched);
    }

    /** The same parts, with these images in their order. */
    private static Conversation with(Conversation conversation, List<Image> images) {
        var next = images.iterator();
        return new Conversation(conversation.turns().stream()
                .map(turn -> new Turn(
                        turn.role(),
                        turn.parts().stream()
                                .<Part>map(part -> part instanceof ImagePart image
                                        ? new ImagePart(next.next(), image.where())
                                        : part)
                                .toList()))
                .toList());
    }
}
