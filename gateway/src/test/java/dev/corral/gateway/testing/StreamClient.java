package dev.corral.gateway.testing;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.Socket;

/** A client that reads only when it is told to. */
public final class StreamClient implements AutoCloseable {

    private final Socket socket;
    private final ByteArrayOutputStream read = new ByteArrayOutputStream();

    private StreamClient(Socket socket) {
        this.socket = socket;
    }

    /** Sends a chat request and reads nothing. */
    public static StreamClient post(int port, String body) throws IOException {
        byte[] bytes = body.getBytes(UTF_8);
        StreamClient client = open(port, "Content-Length: " + bytes.length);
        client.socket.getOutputStream().write(bytes);
        client.socket.getOutputStream().flush();
        return client;
    }

    /** Announces a body of this length, and sends none of it. */
    public static StreamClient announce(int port, long length) throws IOException {
        return open(port, "Content-Length: " + length);
    }

    /** Begins a body in chunks. */
    public static StreamClient chunked(int port) throws IOException {
        return open(port, "Transfer-Encoding: chunked");
    }

    private static StreamClient open(int port, String header) throws IOException {
        Socket socket = new Socket("127.0.0.1", port);
        socket.setSoTimeout(20_000);
        socket.getOutputStream()
                .write(("POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                                + header + "\r\n\r\n")
                        .getBytes(UTF_8));
        socket.getOutputStream().flush();
        return new StreamClient(socket);
    }

    /** Sends so many chunks, or as many as the other side takes. */
    public void chunks(byte[] chunk, int count) {
        try {
            for (int i = 0; i < count; i++) {
                socket.getOutputStream().write((Integer.toHexString(chunk.length) + "\r\n").getBytes(UTF_8));
                socket.getOutputStream().write(chunk);
                socket.getOutputStream().write("\r\n".getBytes(UTF_8));
            }
            socket.getOutputStream().flush();
        } catch (IOException _) { // hung up on us, which is its right
        }
    }

    /** Reads until this was seen; what is read includes the head and the sizes of chunks. */
    public void awaitBody(String expected) throws IOException {
        InputStream in = socket.getInputStream();
        while (!read.toString(UTF_8).contains(expected)) {
            int next = in.read();
            if (next < 0) {
                throw new IOException("ended before '" + expected + "': " + read.toString(UTF_8));
            }
            read.write(next);
        }
    }

    @Override
    public void close() throws IOException {
        socket.close();
    }
}
