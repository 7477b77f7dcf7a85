package dev.corral.gateway.dialect;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import dev.corral.gateway.dialect.anthropic.AnthropicMessages;
import dev.corral.gateway.dialect.llamastack.LlamaStackApi;
import dev.corral.gateway.dialect.llamastack.LlamaStackInference;
import dev.corral.gateway.dialect.openai.OpenAiChat;
import dev.corral.gateway.dialect.responses.OpenAiResponses;
import dev.corral.guardmodels.conversation.Conversation;
import dev.corral.guardmodels.conversation.Image;
import dev.corral.guardmodels.conversation.Part.ImagePart;
import java.time.InstantSource;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class ImagePlacesTests {

    private static final String FILE = "data:image/png;base64,iVBORw==";

    static Stream<Arguments> requests() {
        return Stream.of(
                Arguments.of(new OpenAiChat(InstantSource.system()), """
                        {"model":"m","seed":1e2,"messages":[{"role":"user","content":[
                          {"type":"text","text":"a"},
                          {"type":"image_url","image_url":{"url":"https://e/a.png","detail":"low"}},
                          {"type":"image_url","image_url":"https://e/b.png"}]}]}"""),
                Arguments.of(new OpenAiResponses(InstantSource.system()), """
                        {"model":"m","input":[{"role":"user","content":[
                          {"type":"input_text","text":"a"},
                          {"type":"input_image","image_url":"https://e/a.png"}]}]}"""),
                Arguments.of(new AnthropicMessages(), """
                        {"model":"m","max_tokens":9,"messages":[{"role":"user","content":[
                          {"type":"image","source":{"type":"url","url":"https://e/a.png"}},
                          {"type":"text","text":"a"}]}]}"""),
                Arguments.of(new LlamaStackInference(LlamaStackApi.CHAT), """
                        {"model_id":"m","messages":[{"role":"user","content":[
                          {"type":"text","text":"a"},
                          {"type":"image","image":{"url":{"uri":"https://e/a.png"}}},
                          {"type":"image","image":{"url":"https://e/b.png"}}]}]}"""));
    }

    @ParameterizedTest
    @MethodSource("requests")
    void withImagesWhenReadAgainHasTheFilesAtTheSamePlaces(Dialect dialect, String request) {
        byte[] body = request.getBytes(UTF_8);
        List<ImagePart> named = images(dialect.read(body).conversation());
        Map<String, String> files = new HashMap<>();
        named.forEach(image -> files.put(image.where(), FILE));

        byte[] replaced = dialect.withImages(body, files);

        assertThat(named).isNotEmpty();
        assertThat(images(dialect.read(replaced).conversation()))
                .containsExactlyElementsOf(named.stream()
                        .map(image -> new ImagePart(new Image.Reference(FILE), image.where()))
                        .toList());
        assertThat(new String(replaced, UTF_8)).doesNotContain("https://");
    }

    @Test
    void withImagesWhenAnotherImageIsInTheRequestLeavesThatAlone() {
        byte[] replaced =
                new AnthropicMessages().withImages("""
                        {"messages":[{"content":[
                          {"type":"image","source":{"type":"url","url":"https://e/a.png"}},
                          {"type":"image","source":{"type":"url","url":"https://e/b.png"}}]}]}""".getBytes(UTF_8), Map.of("messages[0].content[1].source", FILE));

        assertThat(new String(replaced, UTF_8))
                .isEqualTo("{\"messages\":[{\"content\":["
                        + "{\"type\":\"image\",\"source\":{\"type\":\"url\",\"url\":\"https://e/a.png\"}},"
                        + "{\"type\":\"image\",\"source\":{\"type\":\"base64\",\"media_type\":\"image/png\",\"data\":\"iVBORw==\"}}"
                        + "]}]}");
    }

    @Test
    void replacedWhenThereIsNoImageFails() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> ImagePlaces.replaced(
                        StrictJson.request("{\"messages\":[]}".getBytes(UTF_8)),
                        Map.of("messages[0].content[1].source", FILE)))
                .withMessage("there is no image at messages[0].content[1].source");
    }

    private static List<ImagePart> images(Conversation conversation) {
        return conversation.turns().stream()
                .flatMap(turn -> turn.parts().stream())
                .filter(ImagePart.class::isInstance)
                .map(ImagePart.class::cast)
                .toList();
    }
}
