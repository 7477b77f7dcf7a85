package dev.corral.gateway;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.corral.gateway.testing.RecordingAuditSink;
import dev.corral.gateway.testing.ScriptedGuard;
import dev.corral.gateway.testing.ScriptedUpstream;
import dev.corral.gateway.testing.TestGateway;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Rules that are for one tool: for its definition, its calls and its results, in every API that has tools. */
class ToolRuleTests {

    @TempDir
    static Path folder;

    private static final ScriptedUpstream upstream = new ScriptedUpstream();
    private static final RecordingAuditSink audit = new RecordingAuditSink();
    private static TestGateway gateway;

    @BeforeAll
    static void start() throws Exception {
        Path policy = folder.resolve("tools.yaml");
        Files.writeString(policy, """
                policy: tools
                version: 1
                unscanned: block
                rules:
                  - { id: shell-result, when: { hazard: any, tool: shell, source: tool-result }, then: flag }
                  - { id: shell, when: { hazard: any, tool: shell }, then: block }
                  - { id: search, when: { hazard: any, tool: "search*" }, then: allow }
                  - { id: rest, when: { hazard: any }, then: block }
                """);
        gateway = TestGateway.start(
                new ScriptedGuard(),
                audit,
                Map.of("corral.upstream.url", upstream.url(), "corral.policy.file", policy.toString()));
    }

    @AfterAll
    static void stop() {
        gateway.close();
        upstream.close();
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', textBlock = """
            # the definition of a tool
            /v1/chat/completions | {'messages':[{'role':'user','content':'a'}],'tools':[{'type':'function','function':{'name':'shell','description':'<S9>'}}]} | shell
            /v1/chat/completions | {'messages':[{'role':'user','content':'a'}],'tools':[{'type':'function','function':{'name':'search','description':'<S9>'}}]} | search
            /v1/chat/completions | {'messages':[{'role':'user','content':'a'}],'functions':[{'name':'search','description':'<S9>'}]} | search
            /v1/chat/completions | {'messages':[{'role':'user','content':'a'}],'tools':[{'type':'function','function':{'name':'search','description':'<S9>'}},{'type':'function','function':{'name':'shell'}}]} | shell
            /v1/chat/completions | {'messages':[{'role':'user','content':'a'}],'tools':[{'type':'function','function':{'name':'other','description':'<S9>'}}]} | rest
            /v1/responses | {'input':'a','tools':[{'type':'function','name':'search','description':'<S9>'}]} | search
            /v1/responses | {'input':'a','tools':[{'type':'search_of_ours','description':'<S9>'}]} | search
            /v1/messages | {'max_tokens':1,'messages':[{'role':'user','content':'a'}],'tools':[{'name':'search','description':'<S9>'}]} | search
            /api/chat | {'messages':[{'role':'user','content':'a'}],'tools':[{'type':'function','function':{'name':'search','description':'<S9>'}}]} | search
            /v1/inference/chat-completion | {'messages':[{'role':'user','content':'a'}],'tools':[{'tool_name':'search','description':'<S9>'}]} | search
            # the result of a tool, whose name is with the call
            /v1/chat/completions | {'messages':[{'role':'assistant','tool_calls':[{'id':'1','type':'function','function':{'name':'search','arguments':'{}'}},{'id':'2','type':'function','function':{'name':'shell','arguments':'{}'}}]},{'role':'tool','tool_call_id':'1','content':'<S9>'}]} | search
            /v1/chat/completions | {'messages':[{'role':'assistant','tool_calls':[{'id':'1','type':'function','function':{'name':'search','arguments':'{}'}},{'id':'2','type':'function','function':{'name':'shell','arguments':'{}'}}]},{'role':'tool','tool_call_id':'2','content':'<S9>'}]} | shell-result
            /v1/chat/completions | {'messages':[{'role':'assistant','tool_calls':[{'id':'1','type':'function','function':{'name':'search','arguments':'{}'}}]},{'role':'tool','tool_call_id':'1','content':'a'},{'role':'assistant','tool_calls':[{'id':'1','type':'function','function':{'name':'shell','arguments':'{}'}}]},{'role':'tool','tool_call_id':'1','content':'<S9>'}]} | shell-result
            /v1/chat/completions | {'messages':[{'role':'tool','tool_call_id':'1','content':'<S9>'}]} | rest
            /v1/chat/completions | {'messages':[{'role':'function','name':'search','content':'<S9>'}]} | search
            /v1/responses | {'input':[{'type':'function_call','call_id':'1','name':'search','arguments':'{}'},{'type':'function_call_output','call_id':'1','output':'<S9>'}]} | search
            /v1/messages | {'max_tokens':1,'messages':[{'role':'assistant','content':[{'type':'tool_use','id':'1','name':'search','input':{}}]},{'role':'user','content':[{'type':'tool_result','tool_use_id':'1','content':'<S9>'}]}]} | search
            /api/chat | {'messages':[{'role':'tool','tool_name':'search','content':'<S9>'}]} | search
            /v1/inference/chat-completion | {'messages':[{'role':'assistant','content':'','tool_calls':[{'call_id':'1','tool_name':'shell','arguments':{}}]},{'role':'tool','call_id':'1','content':'<S9>'}]} | shell-result
            # a call
            /v1/chat/completions | {'messages':[{'role':'assistant','tool_calls':[{'id':'1','type':'function','function':{'name':'search','arguments':'<S9>'}}]}]} | search
            /v1/messages | {'max_tokens':1,'messages':[{'role':'assistant','content':[{'type':'tool_use','id':'1','name':'shell','input':{'a':'<S9>'}}]}]} | shell
            """)
    void filterWhenATextIsOfAToolTakesTheRuleForThatTool(String path, String body, String rule) {
        upstream.answers(500, "application/json", "{\"error\":{\"message\":\"a\"}}".getBytes(UTF_8));
        audit.events.clear();

        gateway.post(path, body.replace('\'', '"'));

        await().until(() -> !audit.events.isEmpty());
        assertThat(audit.events.getFirst().decided().getFirst().rules()).isEqualTo(List.of(rule));
    }
}
