package dev.corral.quantization.hub;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.ConnectException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpHeaders;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandler;
import java.net.http.HttpResponse.BodySubscribers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import java.util.function.LongConsumer;
import java.util.function.LongSupplier;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A client of one hub.
 *
 * <p>Trust. A hub keeps large files with other hosts and redirects to them, with the right to read signed into the
 * address. The token is for the hub alone: redirects are followed here, not by the HTTP client, and each request gets the
 * token only if it goes to the hub's own scheme, host and port. A redirect from https to http is not followed, and the
 * token is not sent at all to a hub that is neither https nor on this machine.
 *
 * <p>Resuming. A broken connection costs what was on its way: the next attempt asks for the rest by {@code Range}, with
 * {@code If-Range} where the server gave a strong entity tag, so that the rest of another content cannot be joined to what
 * is there. Servers that ignore ranges answer 200 and the download begins anew; 416 deletes the part. Whatever a server
 * does, a file takes its name only after its size and hash are those that the hub lists for the commit.
 *
 * <p>Attempts. Only what a network or an overloaded server does is tried again: broken connections, silence, 408, 429 and
 * 5xx. An attempt that brings new bytes is no failure, so a long download outlives any number of interruptions.
 */
public final class Hub implements AutoCloseable {

    private static final int MOST_REDIRECTS = 5;
    private static final int LISTING_BYTES = 32 << 20;
    private static final Duration LONGEST_RETRY_AFTER = Duration.ofMinutes(2);
    private static final Pattern CONTENT_RANGE = Pattern.compile("bytes (\\d{1,18})-\\d+/(\\d{1,18}|\\*)");

    private final HubAddress address;
    private final Optional<HubToken> token;
    private final String userAgent;
    private final Patience patience;
    private final HttpClient client;

    /** A client that asks on behalf of a token's account, or of nobody. */
    public Hub(HubAddress address, Optional<HubToken> token, String userAgent, Patience patience) {
        this.address = address;
        this.token = token;
        this.userAgent = userAgent;
        this.patience = patience;
        this.client = HttpClient.newBuilder()
                .version(HttpClient.Version.HTTP_1_1)
                .followRedirects(HttpClient.Redirect.NEVER)
                .connectTimeout(patience.connect())
                .build();
    }

    /** Is told how far a file is. */
    public interface Progress {

        /** Called again and again with the size that a file has by now; it falls when a download begins anew. */
        void at(RemoteFile file, long bytes);
    }

    /**
     * What a repository holds.
     *
     * @param revision a branch, a tag or a commit
     * @throws HubException if there is no such repository or revision, it is not for this account, or no hub answers
     */
    public Repository repository(RepositoryName name, String revision) {
        Refusals refusals = new Refusals(address, token, name);
        return repeating("the list of " + name + "'s files", () -> {
            BodyHandler<byte[]> handler = info -> info.statusCode() == 200
                    ? BodySubscribers.limiting(BodySubscribers.ofByteArray(), LISTING_BYTES)
                    : BodySubscribers.replacing(new byte[0]);
            HttpResponse<byte[]> answer = send(address.listing(name, revision), Map.of(), handler, () -> 0, _ -> {});
            if (answer.statusCode() == 200) {
                return RepositoryJson.parse(answer.body(), name, address.uri());
            }
            retryLater(answer);
            throw refusals.ofRepository(answer.statusCode(), answer.headers(), revision);
        });
    }

    /**
     * Brings a file, unless it is there already.
     *
     * @param directory where it goes, under its own name; exists
     * @throws HubException if it cannot be had; what came of it stays for the next time
     */
    public void download(Repository repository, RemoteFile file, Path directory, Progress progress) {
        try {
            PartialFile part = new PartialFile(directory, file);
            part.deleteOthers();
            if (isThere(directory.resolve(file.name()), file)) {
                progress.at(file, file.size());
                return;
            }
            boolean resumed = bring(repository, file, part, progress);
            if (!isWhole(part, file) && resumed) {
                part.delete();
                bring(repository, file, part, progress);
            }
            if (!isWhole(part, file)) {
                String found = file.hash().of(part.path());
                part.delete();
                throw new HubException(
                        "%s is not the file that %s lists: its %s is %s, expected %s. It was deleted; run the"
                                        .formatted(
                                                file.name(),
                                                address,
                                                file.hash().kind(),
                                                found,
                                                file.hash().hex())
                                + " same command again. If it repeats, something between the hub and here changes files.");
            }
            part.complete();
        } catch (IOException e) {
            throw new HubException(
                    "%s cannot be written in %s: %s; make room or name another folder with --models"
                            .formatted(file.name(), directory, e.getMessage()),
                    e);
        }
    }

    private static boolean isThere(Path path, RemoteFile file) throws IOException {
        return Files.isRegularFile(path)
                && Files.size(path) == file.size()
                && file.hash().of(path).equals(file.hash().hex());
    }

    private static boolean isWhole(PartialFile part, RemoteFile file) throws IOException {
        return file.hash().of(part.path()).equals(file.hash().hex());
    }

    /** Brings all bytes of a file; true if some of them were there, or came by more than one answer. */
    private boolean bring(Repository repository, RemoteFile file, PartialFile part, Progress progress)
            throws IOException {
        boolean resumed = false;
        long most = part.size();
        int failures = 0;
        while (true) {
            long before = part.size();
            if (before == file.size() && (before > 0 || Files.exists(part.path()))) {
                return true;
            }
            resumed |= before > 0;
            try {
                fetch(repository, file, part, progress);
                return resumed;
            } catch (InterruptedTransferException e) {
                failures = part.size() > most ? 1 : failures + 1;
                most = Math.max(most, part.size());
                giveUpOrPause(file.name(), failures, e);
            }
        }
    }

    private void fetch(Repository repository, RemoteFile file, PartialFile part, Progress progress) throws IOException {
        long offset = part.size();
        Map<String, String> headers = new LinkedHashMap<>();
        if (offset > 0) {
            headers.put("Range", "bytes=" + offset + "-");
            part.validator().ifPresent(tag -> headers.put("If-Range", tag));
        }
        AtomicLong received = new AtomicLong();
        AtomicReference<FileReceiver> receiver = new AtomicReference<>();
        HttpResponse<Boolean> answer;
        try {
            answer = send(
                    address.file(repository, file),
                    headers,
                    info -> {
                        if (!isContent(info.statusCode())) {
                            return BodySubscribers.replacing(false);
                        }
                        FileReceiver opened = receiver(info, file, part, offset, size -> {
                            received.set(size);
                            progress.at(file, size);
                        });
                        receiver.set(opened);
                        return opened;
                    },
                    received::get,
                    linked -> requireListed(file, linked));
        } catch (UncheckedIOException e) {
            throw e.getCause();
        } finally {
            if (receiver.get() != null) {
                receiver.get().close();
            }
        }
        if (answer.statusCode() == 416) {
            part.delete();
            throw new InterruptedTransferException("the server has no bytes after the first " + offset);
        }
        if (!isContent(answer.statusCode())) {
            retryLater(answer);
            if (!address.isOriginOf(answer.uri())) {
                throw new InterruptedTransferException("%s, where the hub keeps it, answered %d"
                        .formatted(answer.uri().getHost(), answer.statusCode()));
            }
            throw new Refusals(address, token, repository.name())
                    .ofFile(answer.statusCode(), answer.headers(), file.name());
        }
        if (part.size() != file.size()) {
            throw new InterruptedTransferException("it ended after %d of %d bytes".formatted(part.size(), file.size()));
        }
    }

    private static boolean isContent(int status) {
        return status == 200 || status == 206;
    }

    private FileReceiver receiver(
            HttpResponse.ResponseInfo info, RemoteFile file, PartialFile part, long offset, LongConsumer received) {
        boolean partial = info.statusCode() == 206;
        long start = partial ? offset : 0;
        OptionalLong length = info.headers().firstValueAsLong("Content-Length");
        if (!partial && length.isPresent() && length.getAsLong() != file.size()) {
            throw changed(file, "size", length.getAsLong() + " bytes", file.size() + " bytes");
        }
        try {
            if (partial && !continues(info.headers(), offset, file.size())) {
                part.delete();
                throw new InterruptedTransferException("the server sent another part than it was asked for");
            }
            Optional<String> tag = info.headers().firstValue("ETag").filter(value -> value.startsWith("\""));
            return new FileReceiver(part.open(start, tag), file.size(), received);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static boolean continues(HttpHeaders headers, long offset, long size) {
        Matcher range =
                CONTENT_RANGE.matcher(headers.firstValue("Content-Range").orElse(""));
        return range.matches()
                && Long.parseLong(range.group(1)) == offset
                && (range.group(2).equals("*") || Long.parseLong(range.group(2)) == size);
    }

    /** What the hub says of a large file when it redirects to it must be what it listed. */
    private void requireListed(RemoteFile file, HttpHeaders linked) {
        linked.firstValueAsLong("X-Linked-Size").ifPresent(size -> {
            if (size != file.size()) {
                throw changed(file, "size", size + " bytes", file.size() + " bytes");
            }
        });
        linked.firstValue("X-Linked-Etag").map(tag -> tag.replace("\"", "")).ifPresent(tag -> {
            if (file.hash() instanceof ContentHash.Sha256 listed && !tag.equals(listed.hex())) {
                throw changed(file, listed.kind(), tag, listed.hex());
            }
        });
    }

    private HubException changed(RemoteFile file, String what, String found, String listed) {
        return new HubException(
                "%s changed while it was downloaded: its %s at %s is %s, but %s is listed. Run the same command"
                                .formatted(file.name(), what, address, found, listed)
                        + " again.");
    }

    /** Sends a request and follows its redirects. */
    private <T> HttpResponse<T> send(
            URI start,
            Map<String, String> headers,
            BodyHandler<T> handler,
            LongSupplier received,
            Consumer<HttpHeaders> linked)
            throws InterruptedTransferException {
        URI uri = start;
        for (int redirects = 0; redirects <= MOST_REDIRECTS; redirects++) {
            HttpRequest.Builder request =
                    HttpRequest.newBuilder(uri).header("User-Agent", userAgent).header("Accept-Encoding", "identity");
            headers.forEach(request::header);
            if (address.isOriginOf(uri) && address.isPrivate()) {
                token.ifPresent(known -> request.header("Authorization", known.authorization()));
            }
            HttpResponse<T> answer = await(client.sendAsync(request.build(), handler), received, uri);
            if (!isRedirect(answer)) {
                return answer;
            }
            linked.accept(answer.headers());
            uri = target(uri, answer.headers());
        }
        throw new HubException(
                "%s redirects more than %d times: correct --hub or HF_ENDPOINT".formatted(address, MOST_REDIRECTS));
    }

    private static boolean isRedirect(HttpResponse<?> answer) {
        return switch (answer.statusCode()) {
            case 301, 302, 303, 307, 308 ->
                answer.headers().firstValue("Location").isPresent();
            default -> false;
        };
    }

    private URI target(URI from, HttpHeaders headers) {
        String location = headers.firstValue("Location").orElse("");
        URI to;
        try {
            to = from.resolve(location);
        } catch (IllegalArgumentException e) {
            throw new HubException(
                    "%s redirects to something that is no address: correct --hub or HF_ENDPOINT".formatted(address), e);
        }
        boolean web = HubAddress.isEncrypted(to) || "http".equalsIgnoreCase(to.getScheme());
        if (!web || to.getHost() == null || (HubAddress.isEncrypted(from) && !HubAddress.isEncrypted(to))) {
            throw new HubException("%s redirects from https to %s://%s, where others could read and change what is sent"
                    .formatted(address, to.getScheme(), to.getHost()));
        }
        return to;
    }

    /** Waits for an answer for as long as bytes come. */
    private <T> HttpResponse<T> await(CompletableFuture<HttpResponse<T>> answer, LongSupplier received, URI uri)
            throws InterruptedTransferException {
        long before = -1;
        while (true) {
            long now = received.getAsLong();
            if (now == before) {
                answer.cancel(true);
                throw new InterruptedTransferException("%s sent nothing for %d s"
                        .formatted(uri.getHost(), patience.silence().toSeconds()));
            }
            before = now;
            try {
                return answer.get(patience.silence().toMillis(), TimeUnit.MILLISECONDS);
            } catch (TimeoutException e) {
                // bytes may have come meanwhile
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                answer.cancel(true);
                throw new HubException("the download was interrupted; the same command goes on with it", e);
            } catch (ExecutionException e) {
                throw failure(Objects.requireNonNull(e.getCause()), uri);
            }
        }
    }

    private static InterruptedTransferException failure(Throwable cause, URI uri) {
        return switch (cause) {
            case HubException fatal -> throw fatal;
            case UncheckedIOException local -> throw local;
            case ConnectException _ -> new InterruptedTransferException("no connection to " + uri.getHost(), cause);
            case IOException broken when broken.getCause() instanceof HubException fatal -> throw fatal;
            case IOException broken when broken.getCause() instanceof UncheckedIOException local -> throw local;
            default ->
                new InterruptedTransferException(
                        "the connection to %s broke (%s)".formatted(uri.getHost(), describe(cause)), cause);
        };
    }

    private static String describe(Throwable cause) {
        return cause.getMessage() == null ? cause.getClass().getSimpleName() : cause.getMessage();
    }

    /** Overload passes: such an answer is as good as a broken connection. */
    private void retryLater(HttpResponse<?> answer) throws InterruptedTransferException {
        int status = answer.statusCode();
        if (status == 408 || status == 429 || status >= 500) {
            Optional<Duration> wish = answer.headers()
                    .firstValue("Retry-After")
                    .filter(value -> value.matches("\\d{1,6}"))
                    .map(seconds -> Duration.ofSeconds(Long.parseLong(seconds)));
            throw new InterruptedTransferException(
                    "%s answered %d".formatted(answer.uri().getHost(), status), wish);
        }
    }

    private <T> T repeating(String what, Attempt<T> attempt) {
        for (int failures = 1; ; failures++) {
            try {
                return attempt.run();
            } catch (InterruptedTransferException e) {
                giveUpOrPause(what, failures, e);
            }
        }
    }

    private void giveUpOrPause(String what, int failures, InterruptedTransferException why) {
        if (failures >= patience.attempts()) {
            throw new HubException(
                    "%s cannot be had from %s: %s, %d times in a row. Check the network (and the proxy: see"
                                    .formatted(what, address, why.getMessage(), failures)
                            + " docs/models.md), then run the same command again; it goes on where it stopped.",
                    why);
        }
        Duration pause = patience.pauseAfter(failures);
        Duration wished = why.retryAfter().orElse(pause);
        Duration chosen = wished.compareTo(pause) > 0 ? wished : pause;
        try {
            Thread.sleep(chosen.compareTo(LONGEST_RETRY_AFTER) < 0 ? chosen : LONGEST_RETRY_AFTER);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new HubException("the download was interrupted; the same command goes on with it", e);
        }
    }

    /** Something that is tried again when a connection breaks. */
    private interface Attempt<T> {
        T run() throws InterruptedTransferException;
    }

    @Override
    public void close() {
        client.shutdownNow();
    }
}
