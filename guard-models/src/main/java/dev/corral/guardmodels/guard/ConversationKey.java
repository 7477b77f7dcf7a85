package dev.corral.guardmodels.guard;

import dev.corral.guardmodels.conversation.Conversation;
import dev.corral.guardmodels.conversation.Image;
import dev.corral.guardmodels.conversation.Part;
import dev.corral.guardmodels.conversation.Part.ImagePart;
import dev.corral.guardmodels.conversation.Part.OpaquePart;
import dev.corral.guardmodels.conversation.Part.TextPart;
import dev.corral.guardmodels.conversation.Part.ToolCallPart;
import dev.corral.guardmodels.conversation.Part.ToolDefinitionPart;
import dev.corral.guardmodels.conversation.Part.ToolResultPart;
import dev.corral.guardmodels.conversation.Turn;
import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.IdentityHashMap;

/**
 * SHA-256 of a guard and of the SHA-256 of each turn that it can see. Every text goes in with its length before it, in UTF-16
 * as it stands, so that two conversations have the same bytes only if they are the same: a boundary cannot be moved by
 * what a client writes, and broken surrogates do not fall together. The place of a text in the request is left out, that
 * of a part that cannot be read goes in, because the assessment names it.
 */
record ConversationKey(long a, long b, long c, long d) {

    private static final int BUFFER = 8192;

    /** Makes keys; reads a turn that several conversations share once only. Not safe for use by threads. */
    static final class Maker {

        private final byte[] fingerprint;
        private final IdentityHashMap<Turn, byte[]> turns = new IdentityHashMap<>();

        Maker(byte[] fingerprint) {
            this.fingerprint = fingerprint;
        }

        ConversationKey key(Conversation conversation) {
            Encoder encoder = new Encoder();
            encoder.digest.update(fingerprint);
            for (Turn turn : conversation.turns()) {
                encoder.digest.update(turns.computeIfAbsent(turn, ConversationKey::digest));
            }
            ByteBuffer key = ByteBuffer.wrap(encoder.finish());
            return new ConversationKey(key.getLong(), key.getLong(), key.getLong(), key.getLong());
        }
    }

    private static byte[] digest(Turn turn) {
        Encoder encoder = new Encoder();
        encoder.text(turn.role().name());
        encoder.number(turn.parts().size());
        turn.parts().forEach(part -> part(part, encoder));
        return encoder.finish();
    }

    private static void part(Part any, Encoder encoder) {
        switch (any) {
            case TextPart part -> encoder.texts("text", part.text());
            case ToolCallPart call -> encoder.texts("call", call.name(), call.arguments());
            case ToolResultPart result -> encoder.texts("result", result.text());
            case ToolDefinitionPart definition -> encoder.texts("definition", definition.text());
            case ImagePart image -> image(image, encoder);
            case OpaquePart part -> encoder.texts("opaque", part.what(), part.where());
        }
    }

    private static void image(ImagePart part, Encoder encoder) {
        switch (part.image()) {
            case Image.Reference reference -> encoder.texts("image", reference.url(), part.where());
            case Image.File file -> encoder.texts("image file", file.sha256(), part.where());
            case Image.Unavailable unavailable -> encoder.texts("no image", unavailable.why(), part.where());
        }
    }

    private static final class Encoder {

        private final MessageDigest digest;
        private final ByteBuffer buffer = ByteBuffer.allocate(BUFFER);

        private Encoder() {
            try {
                digest = MessageDigest.getInstance("SHA-256");
            } catch (NoSuchAlgorithmException e) {
                throw new IllegalStateException("every Java has SHA-256", e);
            }
        }

        private void texts(String... texts) {
            Arrays.stream(texts).forEach(this::text);
        }

        private void text(String text) {
            number(text.length());
            for (int i = 0; i < text.length(); i++) {
                room(Character.BYTES);
                buffer.putChar(text.charAt(i));
            }
        }

        private void number(int number) {
            room(Integer.BYTES);
            buffer.putInt(number);
        }

        private void room(int bytes) {
            if (buffer.remaining() < bytes) {
                flush();
            }
        }

        private void flush() {
            digest.update(buffer.flip());
            buffer.clear();
        }

        private byte[] finish() {
            flush();
            return digest.digest();
        }
    }
}
