package dev.corral.gateway.dialect.llamastack;

import dev.corral.gateway.dialect.Fields;
import dev.corral.gateway.dialect.ModeratedRequest;
import dev.corral.gateway.dialect.StrictJson;
import dev.corral.guardmodels.conversation.Conversation;
import dev.corral.guardmodels.conversation.Part;
import dev.corral.guardmodels.conversation.Role;
import dev.corral.guardmodels.conversation.Turn;
import java.util.ArrayList;
import java.util.List;

/** Reads the bodies of requests for inference. */
final class LlamaStackRequests {

    private static final int MAX_MODEL_NAME = 256;

    private static final List<String> SETTINGS =
            List.of("tool_choice", "tool_prompt_format", "tool_config", "logprobs");

    private LlamaStackRequests() {}

    static ModeratedRequest chat(byte[] body) {
        Fields fields = new Fields(StrictJson.request(body), "");
        return request(fields, LlamaStackContent.messages(fields));
    }

    static ModeratedRequest completion(byte[] body) {
        Fields fields = new Fields(StrictJson.request(body), "");
        return request(
                fields,
                List.of(new Turn(Role.USER, LlamaStackContent.content(fields.take("content"), Role.USER, "content"))));
    }

    private static ModeratedRequest request(Fields fields, List<Turn> turns) {
        String model = fields.name("model_id", MAX_MODEL_NAME) + fields.name("model", MAX_MODEL_NAME);
        boolean stream = fields.flag("stream");
        List<Part> system = new ArrayList<>(fields.definition("tools"));
        system.addAll(fields.words("response_format"));
        SETTINGS.forEach(name -> system.addAll(fields.setting(name)));
        system.addAll(fields.phrases("sampling_params"));
        system.addAll(fields.rest());
        List<Turn> all = new ArrayList<>();
        if (!system.isEmpty()) {
            all.add(new Turn(Role.SYSTEM, system));
        }
        all.addAll(turns);
        return new ModeratedRequest(new Conversation(all), model, stream);
    }
}
