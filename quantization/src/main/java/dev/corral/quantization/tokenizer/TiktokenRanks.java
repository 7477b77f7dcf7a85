package dev.corral.quantization.tokenizer;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import dev.corral.quantization.checkpoint.CheckpointException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Meta's {@code tokenizer.model} of Llama 3: a line for each token, its bytes in base64 and its rank, which is its id
 * (openai/tiktoken:tiktoken/load.py).
 *
 * <p>Tiktoken joins whichever neighbours make the token of the lowest rank; a {@code tokenizer.json} lists the pairs that
 * may be joined. One pair a token is enough for the same ids. While a text is being joined, the parts of any stretch of
 * it are what joining that stretch alone would have at some time, as long as nothing was joined across its ends. So a
 * token can only come of the two parts that it comes of when its own bytes are joined, and never of two others, though
 * those may be tokens as well. A token that does not come of its bytes at all is found only where it is a whole word,
 * which both kinds of tokenizer look up first.
 */
public final class TiktokenRanks {

    private static final long MOST_BYTES = 32 << 20;
    private static final int MOST_TOKEN_BYTES = 1024;
    private static final int NO_TOKEN = Integer.MAX_VALUE;

    /** Tokens by rank, a Latin-1 character for each of their bytes. */
    private final List<String> tokens;

    private final Map<String, Integer> ranks;

    private TiktokenRanks(List<String> tokens, Map<String, Integer> ranks) {
        this.tokens = tokens;
        this.ranks = ranks;
    }

    /**
     * Reads a file.
     *
     * @throws CheckpointException if it is no such file, naming the line
     */
    public static TiktokenRanks read(Path file) throws IOException {
        long size = Files.size(file);
        if (size > MOST_BYTES) {
            throw new CheckpointException(
                    "%s has %d bytes, more than any tokenizer.model; give the one of the model's own folder"
                            .formatted(file, size));
        }
        List<String> lines = Files.readAllLines(file, ISO_8859_1);
        String[] byRank = new String[lines.size()];
        Map<String, Integer> ranks = HashMap.newHashMap(lines.size());
        for (int i = 0; i < byRank.length; i++) {
            String line = lines.get(i);
            String place = "%s, line %d".formatted(file, i + 1);
            int space = line.indexOf(' ');
            String token = decode(line.substring(0, Math.max(space, 0)), place);
            int rank = rank(line.substring(space + 1), byRank.length, place);
            if (byRank[rank] != null) {
                throw new CheckpointException(
                        "%s: rank %d is there twice; give the tokenizer.model of the model's own folder"
                                .formatted(place, rank));
            }
            Integer before = ranks.put(token, rank);
            if (before != null) {
                throw new CheckpointException(
                        "%s: the token of rank %d is there already, with rank %d; give the tokenizer.model of the model's own folder"
                                .formatted(place, rank, before));
            }
            byRank[rank] = token;
        }
        for (int code = 0; code < ByteAlphabet.CHARACTERS.size(); code++) {
            if (!ranks.containsKey(Character.toString(code))) {
                throw new CheckpointException(
                        "%s has no token for the byte %d, so some texts would have no tokens; is it whole?"
                                .formatted(file, code));
            }
        }
        return new TiktokenRanks(List.copyOf(Arrays.asList(byRank)), ranks);
    }

    private static String decode(String base64, String place) {
        byte[] bytes;
        try {
            bytes = Base64.getDecoder().decode(base64);
        } catch (IllegalArgumentException e) {
            bytes = new byte[0];
        }
        if (bytes.length == 0 || bytes.length > MOST_TOKEN_BYTES) {
            throw new CheckpointException(
                    "%s must be a token in base64, a space and its rank: is this a tokenizer.model of Llama 3?"
                            .formatted(place));
        }
        return new String(bytes, ISO_8859_1);
    }

    private static int rank(String text, int count, String place) {
        // nine digits fit into an int
        int rank = text.matches("[0-9]{1,9}") ? Integer.parseInt(text) : count;
        if (rank >= count) {
            throw new CheckpointException("%s: the rank must be a number below that of the lines, %d: '%s'"
                    .formatted(place, count, text.length() > 20 ? text.substring(0, 20) + "…" : text));
        }
        return rank;
    }

    /** How many tokens there are, without special ones. */
    public int size() {
        return tokens.size();
    }

    /** The tokenizer that gives the same ids. */
    public Llama3Tokenizer tokenizer() {
        List<String> merges = new ArrayList<>();
        for (String token : tokens) {
            halves(token)
                    .ifPresent(halves -> merges.add(
                            ByteAlphabet.spell(halves.getFirst()) + " " + ByteAlphabet.spell(halves.getLast())));
        }
        return new Llama3Tokenizer(tokens.stream().map(ByteAlphabet::spell).toList(), merges);
    }

    /** The two tokens that a token comes of; empty for a byte, and for what does not come of its bytes. */
    private Optional<List<String>> halves(String token) {
        List<String> parts =
                new ArrayList<>(token.chars().mapToObj(Character::toString).toList());
        List<Integer> joined = new ArrayList<>();
        for (int i = 0; i + 1 < parts.size(); i++) {
            joined.add(joined(parts, i));
        }
        while (parts.size() > 2) {
            Integer lowest = Collections.min(joined);
            if (lowest == NO_TOKEN) {
                return Optional.empty();
            }
            int best = joined.indexOf(lowest);
            joined.subList(best, best + 1).clear();
            parts.set(best, parts.get(best) + parts.remove(best + 1));
            if (best > 0) {
                joined.set(best - 1, joined(parts, best - 1));
            }
            if (best < joined.size()) {
                joined.set(best, joined(parts, best));
            }
        }
        return parts.size() == 2 ? Optional.of(List.copyOf(parts)) : Optional.empty();
    }

    /** The rank of a part and the next one as one token. */
    private int joined(List<String> parts, int first) {
        return ranks.getOrDefault(parts.get(first) + parts.get(first + 1), NO_TOKEN);
    }
}
