package dev.corral.guardmodels.remote;

import dev.corral.policies.assessment.Assessment.Reason;
import java.io.IOException;
import java.net.ConnectException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandler;
import java.net.http.HttpResponse.BodyHandlers;
import java.net.http.HttpTimeoutException;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * One path of a server: JSON goes there, JSON comes back.
 *
 * <p>A request is sent again, once, where the connection broke before anything was answered: a server may close an idle
 * connection at the moment when it is used. What was answered is never asked again. Redirects are not followed, since
 * they would carry texts and key to another place than the one that was configured.
 */
final class Endpoint implements AutoCloseable {

    /** The longest answer, in bytes: a verdict with the probabilities of all its tokens has a few thousand. */
    static final int MAX_ANSWER = 1 << 20;

    private static final JsonMapper JSON = new JsonMapper();

    private final HttpClient client;
    private final HttpRequest.Builder requests;
    private final URI address;
    private final long timeoutMillis;

    Endpoint(RemoteSettings settings) {
        this.client = HttpClient.newBuilder()
                .version(HttpClient.Version.HTTP_1_1)
                .followRedirects(HttpClient.Redirect.NEVER)
                .connectTimeout(settings.connectTimeout())
                .build();
        this.address = URI.create(
                settings.url().toString().replaceAll("/+$", "") + settings.api().path());
        this.timeoutMillis = settings.timeout().toMillis();
        this.requests = HttpRequest.newBuilder(address)
                .header("Content-Type", "application/json")
                .header("Accept", "application/json");
        settings.apiKey().ifPresent(key -> requests.header("Authorization", key.header("Bearer")));
    }

    /** The answer's JSON. */
    JsonNode post(JsonNode body) throws RemoteFailure, InterruptedException {
        HttpRequest request = requests.copy()
                .POST(BodyPublishers.ofByteArray(JSON.writeValueAsBytes(body)))
                .build();
        HttpResponse<byte[]> response = send(request, true);
        check(response.statusCode());
        try {
            return JSON.readTree(response.body());
        } catch (JacksonException e) {
            throw failed("answered with something that is not JSON or not whole (" + response.body().length
                    + " bytes); is this the address of an OpenAI-compatible API?");
        }
    }

    private HttpResponse<byte[]> send(HttpRequest request, boolean again) throws RemoteFailure, InterruptedException {
        AtomicBoolean answered = new AtomicBoolean();
        BodyHandler<byte[]> limited = BodyHandlers.limiting(BodyHandlers.ofByteArray(), MAX_ANSWER);
        CompletableFuture<HttpResponse<byte[]>> exchange = client.sendAsync(request, head -> {
            answered.set(true);
            return limited.apply(head);
        });
        try {
            return exchange.get(timeoutMillis, TimeUnit.MILLISECONDS);
        } catch (InterruptedException e) {
            exchange.cancel(true);
            throw e;
        } catch (TimeoutException e) {
            exchange.cancel(true);
            throw new RemoteFailure(
                    Reason.TIMEOUT, "the guard at " + address + " did not answer within " + timeoutMillis + " ms");
        } catch (ExecutionException e) {
            Throwable cause = Objects.requireNonNullElse(e.getCause(), e);
            if (cause instanceof HttpTimeoutException) {
                throw new RemoteFailure(Reason.TIMEOUT, "the guard at " + address + " takes no connection in time");
            }
            if (again && cause instanceof IOException && !answered.get()) {
                return send(request, false);
            }
            throw failure(cause, answered.get());
        }
    }

    private RemoteFailure failure(Throwable cause, boolean answered) {
        if (cause instanceof ConnectException) {
            return failed("cannot be reached; is it started, and the address right?");
        }
        return answered
                ? failed("broke off its answer, or made it longer than " + MAX_ANSWER + " bytes")
                : failed("closed the connection without an answer ("
                        + cause.getClass().getSimpleName() + ")");
    }

    private void check(int status) throws RemoteFailure {
        switch (status) {
            case 200 -> {}
            case 401, 403 -> throw failed("refused the request (" + status + "); give it the right API key");
            case 404, 405 ->
                throw failed("has no such path or model (" + status + "); check address, API and the model's name");
            case 400, 413, 422 ->
                throw failed("does not take the request (" + status
                        + "); check that context and the number of logprobs are within what it allows");
            case 429, 503 ->
                throw new RemoteFailure(
                        Reason.OVERLOADED, "the guard at " + address + " is overloaded (" + status + ")");
            default ->
                throw failed(
                        status >= 300 && status < 400
                                ? "redirects (" + status + "), which is not followed; give the address itself"
                                : "answered with status " + status);
        }
    }

    private RemoteFailure failed(String what) {
        return new RemoteFailure(Reason.FAILED, "the guard at " + address + " " + what);
    }

    @Override
    public void close() {
        client.shutdownNow();
    }
}
