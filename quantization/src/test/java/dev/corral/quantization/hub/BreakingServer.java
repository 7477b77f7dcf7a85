package dev.corral.quantization.hub;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.InterruptedIOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CopyOnWriteArrayList;

/**
 * A server that sends a part of its content and then lets go of the connection in a way that no well-behaved server can:
 * the first requests as scripted, all later ones get what they ask for.
 */
final class BreakingServer implements AutoCloseable {

    /** What becomes of a connection after a part of the body. */
    enum End {
        CLOSED,
        RESET,
        SILENT
    }

    /** Answers one request with this many bytes of the body. */
    record Step(int bytes, End end) {}

    private final ServerSocket server = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
    private final byte[] content;
    private final List<Step> steps;
    private final List<Map<String, String>> requests = new CopyOnWriteArrayList<>();
    private final List<Socket> silent = new ArrayList<>();
    private long received;

    BreakingServer(byte[] content, Step... steps) throws IOException {
        this.content = content.clone();
        this.steps = List.of(steps);
        Thread.ofPlatform().daemon().start(this::serve);
    }

    int port() {
        return server.getLocalPort();
    }

    /** Headers of all requests so far, names in lower case. */
    List<Map<String, String>> requests() {
        return requests;
    }

    private void serve() {
        while (!server.isClosed()) {
            try {
                answer(server.accept());
            } catch (IOException e) {
                // the client or the test closed it
            }
        }
    }

    private void answer(Socket socket) throws IOException {
        BufferedReader reader = new BufferedReader(new InputStreamReader(socket.getInputStream(), ISO_8859_1));
        Map<String, String> headers = new TreeMap<>();
        reader.readLine();
        for (String line = reader.readLine(); line != null && !line.isEmpty(); line = reader.readLine()) {
            int colon = line.indexOf(':');
            headers.put(
                    line.substring(0, colon).toLowerCase(Locale.ROOT),
                    line.substring(colon + 1).strip());
        }
        Step step = requests.size() < steps.size() ? steps.get(requests.size()) : new Step(content.length, End.CLOSED);
        requests.add(headers);
        int start = Integer.parseInt(
                headers.getOrDefault("range", "bytes=0-").replace("bytes=", "").replace("-", ""));
        OutputStream out = socket.getOutputStream();
        String status = start == 0
                ? "200 OK\r\n"
                : "206 Partial Content\r\nContent-Range: bytes %d-%d/%d\r\n"
                        .formatted(start, content.length - 1, content.length);
        out.write(("HTTP/1.1 " + status + "ETag: \"v1\"\r\nConnection: close\r\nContent-Length: "
                        + (content.length - start) + "\r\n\r\n")
                .getBytes(ISO_8859_1));
        out.write(content, start, Math.min(step.bytes, content.length - start));
        out.flush();
        awaitReceived(Math.min(start + step.bytes, content.length));
        switch (step.end) {
            case CLOSED -> socket.close();
            case RESET -> {
                socket.setSoLinger(true, 0);
                socket.close();
            }
            case SILENT -> silent.add(socket);
        }
    }

    /** Says how much the client has: a reset throws away what is on its way. */
    synchronized void received(long bytes) {
        received = bytes;
        notifyAll();
    }

    private synchronized void awaitReceived(long bytes) throws IOException {
        try {
            while (received < bytes) {
                wait();
            }
        } catch (InterruptedException e) {
            throw new InterruptedIOException();
        }
    }

    @Override
    public void close() throws IOException {
        server.close();
        for (Socket socket : silent) {
            socket.close();
        }
    }
}
