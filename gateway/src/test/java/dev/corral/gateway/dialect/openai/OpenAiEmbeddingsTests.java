package dev.corral.gateway.dialect.openai;

import static dev.corral.gateway.testing.Quoted.json;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.corral.gateway.dialect.DialectException;
import dev.corral.gateway.dialect.ModeratedRequest;
import dev.corral.gateway.dialect.WireResponse;
import dev.corral.guardmodels.conversation.Part.OpaquePart;
import dev.corral.guardmodels.conversation.Part.TextPart;
import dev.corral.guardmodels.conversation.Role;
import dev.corral.guardmodels.conversation.Turn;
import java.util.List;
import org.junit.jupiter.api.Test;

class OpenAiEmbeddingsTests {

    private final OpenAiEmbeddings dialect = new OpenAiEmbeddings();

    @Test
    void readWhenThereAreSeveralInputsJudgesEachAlone() {
        ModeratedRequest request =
                dialect.read(json("{'model':'nomic','input':['a',[1,2]],'encoding_format':'base64','dimensions':256}"));

        assertThat(request.judgements())
                .extracting(judged -> judged.turns())
                .containsExactly(
                        List.of(new Turn(Role.USER, List.of(new TextPart("a", "input[0]")))),
                        List.of(new Turn(Role.USER, List.of(new OpaquePart("input of tokens", "input[1]")))));
    }

    @Test
    void readWhenTheInputIsMissingSaysSo() {
        assertThatExceptionOfType(DialectException.class)
                .isThrownBy(() -> dialect.read(json("{'model':'nomic'}")))
                .withMessageContaining("'input' is missing");
    }

    @Test
    void readAnswerWhenItIsNumbersHasNothingToJudge() {
        assertThat(dialect.readAnswer(
                                json("{'object':'list','data':[{'object':'embedding','index':0,'embedding':[0.1,-2]},"
                                        + "{'object':'embedding','index':1,'embedding':'AAAAPw=='}],'model':'nomic',"
                                        + "'usage':{'prompt_tokens':1,'total_tokens':1}}"))
                        .choices())
                .isEmpty();
    }

    @Test
    void readAnswerWhenSomethingElseIsThereIsOpaque() {
        assertThat(dialect.readAnswer(json("{'data':[{'embedding':'how to kill','note':'x'}]}"))
                        .choices())
                .containsExactly(new Turn(
                        Role.ASSISTANT,
                        List.of(
                                new OpaquePart("embedding", "data[0].embedding"),
                                new OpaquePart("field 'note'", "data[0].note"))));
    }

    @Test
    void refusalWhenBlockedIsAnErrorThatNobodyRetries() {
        WireResponse refusal = dialect.refusal(dialect.read(json("{'input':'a'}")), "42", "No.");

        assertThat(refusal.status()).isEqualTo(400);
        assertThat(new String(refusal.body(), UTF_8))
                .isEqualTo("{\"error\":{\"message\":\"No.\",\"type\":\"invalid_request_error\",\"param\":\"input\","
                        + "\"code\":\"content_policy_violation\"}}");
    }
}
