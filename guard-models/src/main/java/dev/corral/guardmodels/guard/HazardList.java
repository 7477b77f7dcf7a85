package dev.corral.guardmodels.guard;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.corral.guardmodels.prompt.Category;
import dev.corral.guardmodels.store.GuardManifest;
import dev.corral.policies.taxonomy.CustomHazard;
import dev.corral.policies.taxonomy.Hazard;
import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HexFormat;
import java.util.List;
import java.util.stream.Collectors;

/**
 * What a guard is asked for: each hazard has a place in the list of its prompt.
 *
 * <p>A place is a code such as {@code S5}. The guard answers with codes, and its head has a row for the codes of the
 * hazards that it was trained for and for no others; so there are as many places as these, and another hazard can be
 * asked for only at the place of one that is not asked for. The guard's own keep their places, because it was trained to
 * answer {@code S9} for weapons; others take the free ones in the list's order. What it answers is read back by the same
 * table, so that policies know a hazard by its own code, wherever it stands.
 *
 * @param hazards what is looked for
 * @param categories the line of the prompt for each of them, in the same order; its code is the place
 */
record HazardList(List<Hazard> hazards, List<Category> categories) {

    HazardList {
        hazards = List.copyOf(hazards);
        categories = List.copyOf(categories);
    }

    /** The guard's own. */
    static HazardList of(GuardManifest manifest) {
        return new HazardList(manifest.taxonomy().hazards(), manifest.categories());
    }

    /** The places, in the order of the hazards. */
    List<String> codes() {
        return categories.stream().map(Category::code).toList();
    }

    /**
     * Other hazards at these places.
     *
     * @throws IllegalArgumentException if there are more than places, or one is neither of these nor a customer's own
     */
    HazardList asking(List<Hazard> asked) {
        Deque<CustomHazard> others = new ArrayDeque<>();
        for (Hazard hazard : asked) {
            if (hazard instanceof CustomHazard custom && !hazards.contains(hazard)) {
                others.add(custom);
            } else if (!hazards.contains(hazard)) {
                throw new IllegalArgumentException("the guard does not know hazard " + hazard.code());
            }
        }
        List<Hazard> listed = new ArrayList<>();
        List<Category> lines = new ArrayList<>();
        for (int i = 0; i < hazards.size(); i++) {
            if (asked.contains(hazards.get(i))) {
                listed.add(hazards.get(i));
                lines.add(categories.get(i));
            } else if (!others.isEmpty()) {
                listed.add(others.getFirst());
                lines.add(Category.at(categories.get(i).code(), others.removeFirst()));
            }
        }
        if (!others.isEmpty()) {
            throw new IllegalArgumentException("the guard's list has room for " + hazards.size()
                    + " hazards, and there is no place for "
                    + others.stream().map(Hazard::code).collect(Collectors.joining(", ")));
        }
        return new HazardList(listed, lines);
    }

    /** Changes with the hazards and with every character that the prompt has of them. */
    String digest() {
        try {
            MessageDigest digest = MessageDigest.getInstance("SHA-256");
            for (int i = 0; i < hazards.size(); i++) {
                Hazard hazard = hazards.get(i);
                String description = hazard instanceof CustomHazard custom
                        ? custom.description().orElse("")
                        : "";
                for (String text : List.of(
                        hazard.code(),
                        hazard.displayName(),
                        description,
                        categories.get(i).code(),
                        categories.get(i).text())) {
                    byte[] bytes = text.getBytes(UTF_8);
                    digest.update(ByteBuffer.allocate(Integer.BYTES)
                            .putInt(bytes.length)
                            .flip());
                    digest.update(bytes);
                }
            }
            return HexFormat.of().formatHex(digest.digest(), 0, 16);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java has SHA-256", e);
        }
    }
}
