package dev.corral.gateway.dialect.openai;

import dev.corral.gateway.dialect.ModeratedRequest;
import dev.corral.gateway.dialect.Paths;
import dev.corral.gateway.dialect.Redactor;
import dev.corral.gateway.dialect.StrictJson;
import java.time.InstantSource;
import org.springframework.http.HttpMethod;

/** OpenAI's completions of plain texts, from before there were chats; base models and code completion still use them. */
public final class OpenAiCompletions extends CompletionDialect {

    /** With a clock for the {@code created} of the gateway's own answers. */
    public OpenAiCompletions(InstantSource clock) {
        super(Form.TEXT, clock);
    }

    /** {@code POST …/completions} that is not of a chat, with or without a slash at its end. */
    @Override
    public boolean serves(HttpMethod method, String path) {
        return Paths.isPost(method, path, "/completions") && !Paths.ends(path, "/chat/completions");
    }

    @Override
    public ModeratedRequest read(byte[] body) {
        return CompletionRequestReader.read(body);
    }

    @Override
    public byte[] redactRequest(byte[] body, Redactor redactor) {
        return StrictJson.bytes(ChatRedaction.prompts(StrictJson.request(body), redactor));
    }
}
