package dev.corral.guardmodels.onnx;

import ai.onnxruntime.OrtEnvironment;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Semaphore;
import org.jspecify.annotations.Nullable;

/** What was read, for calls that begin alike: as many caches at work as there are lanes, and idle ones that remember. */
final class KeyValueCaches implements AutoCloseable {

    /*
     * Keys. The tokens are the key: a call goes on from the cache that shares the longest beginning with it. So a
     * conversation's next turn and a stream's next window cost what is new in them, and nobody has to hand a state around,
     * to close it, or to tell how much of a text is still the same after it was split into tokens again.
     *
     * Taking over. Whoever goes on in place overwrites what the cache held beyond the shared beginning. That is the right
     * thing for the next turn, which loses the template's tail. For a text that shares little with a long conversation it
     * would be theft: it gets a cache of its own, into which the shared beginning is copied; so does a call that begins
     * like a pinned prefix only.
     *
     * Memory. Idle caches stay within a limit of bytes. What goes first is what is cheapest to read again, aged by what
     * was thrown away since (GreedyDual; Young, "The k-server dual and loose competitiveness for paging", 1994): texts
     * that come once replace each other, and a long conversation goes only when as many tokens were thrown away as it has.
     * Plain recency would let a hundred short prompts flush every conversation; admission by frequency, as Caffeine does
     * it, would turn a new conversation away because it was seen only once. As many caches as there are lanes are always
     * kept.
     *
     * Races. A cache is at work for one call or idle in the list, and it is copied from and freed only while whoever does
     * it has taken it out of the list or holds the lock.
     */

    private static final int FIRST_CAPACITY = 512;

    /** Tokens after a conversation that its next turn throws away: a template's tail and the forced answer. */
    private static final int TAIL = 128;

    /** Tokens that two texts may begin with by chance. */
    private static final int CHANCE = 16;

    private final OrtEnvironment environment;
    private final ModelShape shape;
    private final int lanes;
    private final long limit;
    private final Semaphore free;
    private final List<KeyValueCache> pinned = new CopyOnWriteArrayList<>();
    private final List<Idle> idle = new ArrayList<>();
    private final List<KeyValueCache> all = new ArrayList<>();
    private long thrownAway;

    /** A cache that nobody works with; the one with the least worth goes first. */
    private record Idle(KeyValueCache cache, long worth) {}

    /** A cache to work with; null is one still to be made. What it should begin with lies in {@code source}. */
    private record Choice(
            @Nullable KeyValueCache cache, @Nullable Idle source) {}

    /**
     * No caches yet.
     *
     * @param lanes calls that may be at work at once
     * @param limit bytes that caches beyond those of the lanes may take
     */
    KeyValueCaches(OrtEnvironment environment, ModelShape shape, int lanes, long limit) {
        this.environment = environment;
        this.shape = shape;
        this.lanes = lanes;
        this.limit = limit;
        this.free = new Semaphore(lanes, true);
    }

    /**
     * Waits for a lane, and gives it a cache that holds as much of what the tokens begin with as is known.
     *
     * @throws ModelException if there is no memory for it
     */
    KeyValueCache take(int[] tokens) throws InterruptedException {
        free.acquire();
        Choice choice = choose(tokens);
        KeyValueCache cache = choice.cache;
        try {
            if (cache == null) {
                cache = create();
            }
            startFrom(cache, choice.source == null ? null : choice.source.cache, tokens);
            cache.ensureCapacity(tokens.length);
            return cache;
        } catch (RuntimeException e) {
            if (cache == null) {
                free.release();
            } else {
                giveBack(cache);
            }
            throw e;
        } finally {
            if (choice.source != null) {
                putBack(choice.source);
            }
        }
    }

    private synchronized Choice choose(int[] tokens) {
        Idle nearest = idle.stream()
                .max(Comparator.comparingInt(candidate -> candidate.cache.commonPrefix(tokens)))
                .orElse(null);
        if (nearest == null) {
            return new Choice(null, null);
        }
        int common = nearest.cache.commonPrefix(tokens);
        int shared = common - pinnedPrefix(tokens);
        int lost = nearest.cache.length() - common;
        if ((shared >= CHANCE && lost <= TAIL) || lost <= shared) {
            idle.remove(nearest);
            return new Choice(nearest.cache, null);
        }
        boolean room = all.size() < lanes || bytes() + firstBytes() <= limit;
        KeyValueCache cache = room ? null : removeCheapest();
        return shared >= CHANCE && idle.remove(nearest) ? new Choice(cache, nearest) : new Choice(cache, null);
    }

    private KeyValueCache removeCheapest() {
        Idle cheapest = idle.stream().min(Comparator.comparingLong(Idle::worth)).orElseThrow();
        idle.remove(cheapest);
        thrownAway = Math.max(thrownAway, cheapest.worth);
        return cheapest.cache;
    }

    private KeyValueCache create() {
        KeyValueCache cache = new KeyValueCache(environment, shape, firstCapacity());
        synchronized (this) {
            all.add(cache);
        }
        return cache;
    }

    private void startFrom(KeyValueCache cache, @Nullable KeyValueCache source, int[] tokens) {
        int held = cache.commonPrefix(tokens);
        List<KeyValueCache> sources = new ArrayList<>(pinned);
        if (source != null) {
            sources.add(source);
        }
        for (KeyValueCache candidate : sources) {
            int common = candidate.commonPrefix(tokens);
            if (common > held) {
                cache.startFrom(candidate, common);
                held = common;
            }
        }
        cache.rewind(held);
    }

    /** Ends a call's work; what the cache holds is remembered. */
    void giveBack(KeyValueCache cache) {
        synchronized (this) {
            idle.add(new Idle(cache, thrownAway + cache.length() - pinnedPrefix(cache)));
            shrink();
        }
        free.release();
    }

    private synchronized void putBack(Idle source) {
        idle.add(source);
        shrink();
    }

    private void shrink() {
        while (all.size() > lanes && bytes() > limit && !idle.isEmpty()) {
            KeyValueCache cheapest = removeCheapest();
            all.remove(cheapest);
            cheapest.close();
        }
    }

    private long bytes() {
        return all.stream().mapToLong(KeyValueCache::bytes).sum();
    }

    private long firstBytes() {
        return KeyValueCache.bytes(shape, firstCapacity());
    }

    private int firstCapacity() {
        return Math.min(FIRST_CAPACITY, shape.contextTokens());
    }

    /** Whether these very tokens are pinned. */
    boolean isPinned(int[] tokens) {
        return pinned.stream()
                .anyMatch(prefix -> prefix.length() == tokens.length && pinnedPrefix(tokens) == tokens.length);
    }

    /** Keeps a copy of the first tokens of a cache, outside of the limit, until the end. */
    void pin(KeyValueCache cache, int tokenCount) {
        KeyValueCache copy = new KeyValueCache(environment, shape, tokenCount);
        copy.startFrom(cache, tokenCount);
        pinned.add(copy);
    }

    private int pinnedPrefix(int[] tokens) {
        return pinned.stream()
                .mapToInt(prefix -> prefix.commonPrefix(tokens))
                .max()
                .orElse(0);
    }

    private int pinnedPrefix(KeyValueCache cache) {
        return pinned.stream()
                .mapToInt(prefix -> prefix.commonPrefix(cache))
                .max()
                .orElse(0);
    }

    @Override
    public synchronized void close() {
        all.forEach(KeyValueCache::close);
        pinned.forEach(KeyValueCache::close);
    }
}
