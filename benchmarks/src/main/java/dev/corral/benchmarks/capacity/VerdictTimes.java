package dev.corral.benchmarks.capacity;

import static dev.corral.benchmarks.capacity.Decoder.PREFIX_TOKENS;
import static dev.corral.benchmarks.capacity.Decoder.ROWS;
import static dev.corral.benchmarks.figures.Race.timed;

import dev.corral.benchmarks.figures.Race;
import dev.corral.benchmarks.figures.Row;
import dev.corral.benchmarks.figures.Row.Bar;
import dev.corral.benchmarks.figures.Sample;
import dev.corral.benchmarks.figures.Table;
import dev.corral.benchmarks.figures.Unit;
import dev.corral.benchmarks.products.Products;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/** How long verdicts take, beside the products that they are made of. */
final class VerdictTimes {

    static final List<Integer> NEW_TOKENS = List.of(16, 64, 128, 512, 2048);

    private static final String PRODUCTS = "its products alone";
    /** The length that limits are set for: a short question and the end of the template. */
    private static final int USUAL_TOKENS = 64;

    private static final int PAST_TOKENS = 1_000;
    private static final int TURNS = 10;
    private static final int TURN_TOKENS = 100;
    private static final int STREAM_TOKENS = 1_000;
    private static final int WINDOW_TOKENS = 50;
    /** What the template and the verdict append to a text. */
    private static final int TAIL_TOKENS = 60;

    private static final Bar USUAL_BAR = new Bar.OfRatio(1.35);
    private static final Bar PAST_BAR = new Bar.OfRatio(1.3);
    private static final Bar STREAM_BAR = new Bar.OfRatio(2.5);

    private final Decoder decoder;
    private final Products products;
    private final Race race;
    private final Table table;

    VerdictTimes(Decoder decoder, Products products, Race race, Table table) {
        this.decoder = decoder;
        this.products = products;
        this.race = race;
        this.table = table;
    }

    /** All rows. */
    void all() throws InterruptedException {
        for (int tokens : NEW_TOKENS) {
            withPrefix(tokens);
        }
        for (int tokens : NEW_TOKENS) {
            cold(tokens);
        }
        withPast();
        conversation();
        stream();
    }

    /** The rows that have limits. */
    void limited() throws InterruptedException {
        withPrefix(USUAL_TOKENS);
        withPast();
        stream();
    }

    private void withPrefix(int tokens) throws InterruptedException {
        String id = "prefix-" + tokens;
        String what = "%,d new tokens, prefix cached".formatted(tokens);
        if (!fits(id, what, PREFIX_TOKENS + tokens)) {
            return;
        }
        try (Products.Pass pass = products.pass(tokens, ROWS)) {
            List<Sample> samples =
                    race.run(fresh(() -> new int[][] {decoder.userPrefix(), decoder.tokens(tokens)}), timed(pass::run));
            Row row = Row.of(id, what, Unit.MILLISECONDS, samples.get(0)).comparedWith(PRODUCTS, samples.get(1));
            table.add(tokens == USUAL_TOKENS ? row.heldTo(USUAL_BAR) : row);
        }
    }

    private void cold(int tokens) throws InterruptedException {
        int all = PREFIX_TOKENS + tokens;
        String id = "cold-" + tokens;
        String what = "%,d new tokens, nothing cached: %,d read".formatted(tokens, all);
        if (!fits(id, what, all)) {
            return;
        }
        try (Products.Pass pass = products.pass(all, ROWS)) {
            List<Sample> samples = race.run(fresh(() -> new int[][] {decoder.tokens(all)}), timed(pass::run));
            table.add(Row.of(id, what, Unit.MILLISECONDS, samples.get(0)).comparedWith(PRODUCTS, samples.get(1)));
        }
    }

    /** A conversation of 1,000 tokens goes on; its last turn was judged just before. */
    private void withPast() throws InterruptedException {
        String id = "past-" + USUAL_TOKENS;
        String what = "%d new tokens, prefix and %,d past tokens cached".formatted(USUAL_TOKENS, PAST_TOKENS);
        if (!fits(id, what, PREFIX_TOKENS + PAST_TOKENS + USUAL_TOKENS)) {
            return;
        }
        int[] past = decoder.tokens(PAST_TOKENS);
        Race.Runner next = () -> {
            decoder.judge(decoder.userPrefix(), past, decoder.tokens(USUAL_TOKENS));
            return fresh(() -> new int[][] {decoder.userPrefix(), past, decoder.tokens(USUAL_TOKENS)})
                    .nanos();
        };
        List<Sample> samples =
                race.run(next, fresh(() -> new int[][] {decoder.userPrefix(), decoder.tokens(USUAL_TOKENS)}));
        table.add(Row.of(id, what, Unit.MILLISECONDS, samples.get(0))
                .comparedWith("without the past", samples.get(1))
                .heldTo(PAST_BAR));
    }

    /** The last turn of a conversation all of whose turns were judged, each once, in their order. */
    private void conversation() throws InterruptedException {
        String id = "turn-" + TURNS;
        // a role's turns are judged after a prefix of their own: the other role's last turn is new there, too
        int tokens = 2 * TURN_TOKENS + TAIL_TOKENS;
        String what = "turn %d of a conversation: %d new tokens".formatted(TURNS, tokens);
        if (!fits(id, what, PREFIX_TOKENS + TURNS * TURN_TOKENS + TAIL_TOKENS)) {
            return;
        }
        try (Products.Pass pass = products.pass(tokens, ROWS)) {
            List<Sample> samples = race.run(this::lastTurn, timed(pass::run));
            table.add(Row.of(id, what, Unit.MILLISECONDS, samples.get(0)).comparedWith(PRODUCTS, samples.get(1)));
        }
    }

    private long lastTurn() throws InterruptedException {
        int[] turns = new int[0];
        long nanos = 0;
        for (int turn = 1; turn <= TURNS; turn++) {
            int[] prefix = turn % 2 == 1 ? decoder.userPrefix() : decoder.agentPrefix();
            turns = Decoder.join(turns, decoder.tokens(TURN_TOKENS));
            int[] sofar = turns;
            nanos = fresh(() -> new int[][] {prefix, sofar, decoder.tokens(TAIL_TOKENS)})
                    .nanos();
        }
        return nanos;
    }

    /** An answer that grows window by window, each judged with everything before it. */
    private void stream() throws InterruptedException {
        String id = "stream-" + STREAM_TOKENS;
        String what = "stream of %,d tokens in windows of %d, all together".formatted(STREAM_TOKENS, WINDOW_TOKENS);
        if (!fits(id, what, PREFIX_TOKENS + STREAM_TOKENS + TAIL_TOKENS)) {
            return;
        }
        try (Products.Pass window = products.pass(WINDOW_TOKENS + TAIL_TOKENS, ROWS)) {
            List<Sample> samples = race.run(
                    this::windows,
                    fresh(() -> new int[][] {
                        decoder.agentPrefix(), decoder.tokens(STREAM_TOKENS), decoder.tokens(TAIL_TOKENS)
                    }),
                    timed(() -> {
                        for (int end = WINDOW_TOKENS; end <= STREAM_TOKENS; end += WINDOW_TOKENS) {
                            window.run();
                        }
                    }));
            Row row = Row.of(id, what, Unit.MILLISECONDS, samples.get(0));
            table.add(row.comparedWith("the whole text at once", samples.get(1)).heldTo(STREAM_BAR));
            table.add(Row.of(id + "-products", "the same", Unit.MILLISECONDS, samples.get(0))
                    .comparedWith(PRODUCTS, samples.get(2)));
        }
    }

    private long windows() throws InterruptedException {
        int[] text = decoder.tokens(STREAM_TOKENS);
        long nanos = 0;
        for (int end = WINDOW_TOKENS; end <= STREAM_TOKENS; end += WINDOW_TOKENS) {
            int[] sofar = Arrays.copyOf(text, end);
            nanos += fresh(() -> new int[][] {decoder.agentPrefix(), sofar, decoder.tokens(TAIL_TOKENS)})
                    .nanos();
        }
        return nanos;
    }

    /** Tokens that are made before the clock starts. */
    private interface Prompt {
        int[][] parts();
    }

    private Race.Runner fresh(Prompt prompt) {
        return () -> {
            int[][] parts = prompt.parts();
            return timed(() -> decoder.judge(parts)).nanos();
        };
    }

    private boolean fits(String id, String what, int tokens) {
        Optional<String> reason = tokens <= decoder.contextTokens()
                ? Optional.empty()
                : Optional.of("the guard's context is %,d tokens".formatted(decoder.contextTokens()));
        reason.ifPresent(why -> table.leaveOut(id, what, why));
        return reason.isEmpty();
    }
}
