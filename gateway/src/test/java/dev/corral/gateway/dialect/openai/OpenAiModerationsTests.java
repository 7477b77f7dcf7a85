package dev.corral.gateway.dialect.openai;

import static dev.corral.gateway.testing.Quoted.json;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.corral.gateway.dialect.DialectException;
import dev.corral.gateway.dialect.Verdict;
import dev.corral.gateway.dialect.VerdictRequest;
import dev.corral.gateway.dialect.WireResponse;
import dev.corral.guardmodels.conversation.Conversation;
import dev.corral.guardmodels.conversation.Part;
import dev.corral.guardmodels.conversation.Part.ImagePart;
import dev.corral.guardmodels.conversation.Part.TextPart;
import dev.corral.guardmodels.conversation.Role;
import dev.corral.guardmodels.conversation.Turn;
import dev.corral.policies.assessment.Assessment;
import dev.corral.policies.assessment.Coverage;
import dev.corral.policies.assessment.Probability;
import dev.corral.policies.policy.BlockStyle;
import dev.corral.policies.policy.Decision;
import dev.corral.policies.policy.Finding;
import dev.corral.policies.taxonomy.Hazard;
import dev.corral.policies.taxonomy.StandardHazard;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class OpenAiModerationsTests {

    private final OpenAiModerations moderations = new OpenAiModerations();

    @Test
    void servesWhenThePathIsThatOfModerations() {
        assertThat(moderations.serves("/v1/moderations")).isTrue();
        assertThat(moderations.serves("/v1/moderations/")).isTrue();
        assertThat(moderations.serves("/other/v1/moderations")).isFalse();
        assertThat(moderations.serves("/v1/chat/completions")).isFalse();
    }

    @Test
    void readWhenTheInputIsATextHasOneInput() {
        VerdictRequest request = read("{'model':'omni-moderation-latest','input':'Hello'}");

        assertThat(request.model()).isEqualTo("omni-moderation-latest");
        assertThat(request.inputs()).containsExactly(input(new TextPart("Hello", "input")));
    }

    @Test
    void readWhenTheInputIsAListOfTextsHasOneInputForEach() {
        assertThat(read("{'input':['a','']}").inputs())
                .containsExactly(input(new TextPart("a", "input[0]")), input(new TextPart("", "input[1]")));
    }

    @Test
    void readWhenTheInputIsAListOfPartsHasOneInput() {
        assertThat(read("{'model':null,'input':[{'type':'text','text':'a'},{'type':'text','text':'b'}]}")
                        .inputs())
                .containsExactly(input(new TextPart("a", "input[0].text"), new TextPart("b", "input[1].text")));
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', textBlock = """
            ``                                     |          | it is empty
            []                                     |          | must be a JSON object
            {}                                     | input    | and not empty
            {'input':null}                         | input    | and not empty
            {'input':[]}                           | input    | and not empty
            {'input':7}                            | input    | must be a text
            {'input':{}}                           | input    | must be a text
            {'input':[1,2]}                        | input[0] | must be a text
            {'input':['a',{'type':'text','text':'b'}]} | input[1] | not both
            {'input':['a',null]}                   | input[1] | not both
            {'input':[{'type':'image_url','image_url':7}]} | input[0] | of type image_url with a url
            {'input':[{'type':'text'}]}            | input[0] | must be a text
            {'input':[{'text':'a'}]}               | input[0] | must be a text
            {'input':'a','model':7}                | model    | must be a text
            {'input':'\\ud83d'}                    | input    | half of a surrogate pair
            """)
    void readWhenTheRequestIsMalformedSaysWhatAndWhere(String body, String param, String message) {
        assertThatExceptionOfType(DialectException.class)
                .isThrownBy(() -> read(body))
                .withMessageContaining(message)
                .satisfies(e -> {
                    assertThat(e.error().status()).isEqualTo(400);
                    assertThat(e.error().param()).isEqualTo(param);
                });
    }

    @Test
    void readWhenAPartIsAnImageIsAnImage() {
        assertThat(read("{'input':[{'type':'image_url','image_url':{'url':'data:,'}},{'type':'text','text':'b'}]}")
                        .inputs())
                .containsExactly(
                        input(new ImagePart("data:,", "input[0].image_url"), new TextPart("b", "input[1].text")));
    }

    @Test
    void readWhenTheTaxonomyIsUnknownSaysWhichThereAre() {
        assertThatExceptionOfType(DialectException.class)
                .isThrownBy(() -> moderations.read(json("{'input':'a'}"), "taxonomy=azure"))
                .withMessage("the parameter 'taxonomy' must be hazards or openai, but is 'azure'");
    }

    @Test
    void writeWhenTheTaxonomyIsOpenAisHasItsCategories() {
        Map<Hazard, Probability> hazards = new LinkedHashMap<>();
        hazards.put(StandardHazard.S3, new Probability(0.25));
        hazards.put(StandardHazard.S12, new Probability(0.5));
        Coverage coverage = new Coverage(
                new Coverage.Extent(1, 1),
                new Coverage.Extent(0, 1),
                List.of(new Coverage.Unscanned("image", "input[1].image_url", "this guard reads text only")));
        Finding found = new Finding(StandardHazard.S12, new Probability(0.5), new Probability(0.5));
        Verdict verdict = new Verdict(
                input(new TextPart("a", "input")),
                new Assessment.Scored(new Probability(0.75), hazards, coverage),
                new Decision.Flag(List.of(), List.of(found), ""));

        String written = new String(
                moderations
                        .write(
                                moderations.read(json("{'input':'a'}"), "taxonomy=openai"),
                                "42",
                                "guard",
                                List.of(verdict))
                        .body(),
                UTF_8);

        assertThat(written)
                .startsWith("""
                        {"id":"modr-42","model":"guard","results":[{"flagged":true,"categories":{"harassment":false,\
                        "harassment/threatening":false,"sexual":true,"hate":false,"hate/threatening":false,"illicit":false,\
                        "illicit/violent":false,"self-harm/intent":false,"self-harm/instructions":false,"self-harm":false,\
                        "sexual/minors":false,"violence":false,"violence/graphic":false},"category_scores":{"harassment":0.0,\
                        "harassment/threatening":0.0,"sexual":0.75,""")
                .contains(
                        "\"category_applied_input_types\":{\"harassment\":[],\"harassment/threatening\":[],\"sexual\":[\"text\"],")
                .endsWith("""
                        "unsafe_score":0.75,"hazards":{"S3":0.25,"S12":0.5},"unscanned":[{"what":"image",\
                        "where":"input[1].image_url","why":"this guard reads text only"}]}]}""");
    }

    @Test
    void readWhenThereAreTooManyInputsSaysHowManyThereMayBe() {
        assertThat(read("{'input':['a'" + ",'a'".repeat(63) + "]}").inputs()).hasSize(64);
        assertThatExceptionOfType(DialectException.class)
                .isThrownBy(() -> read("{'input':['a'" + ",'a'".repeat(64) + "]}"))
                .withMessageContaining("has 65 items, but at most 64");
    }

    @Test
    void writeWhenThereAreSeveralResultsKeepsTheirOrderAndRealScores() {
        Map<Hazard, Probability> hazards = new LinkedHashMap<>();
        hazards.put(StandardHazard.S1, new Probability(0.75));
        hazards.put(StandardHazard.S10, new Probability(0.125));
        Assessment.Scored unsafe = new Assessment.Scored(new Probability(0.875), hazards, Coverage.ofText(5));
        Assessment.Scored safe = new Assessment.Scored(Probability.ZERO, Map.of(), Coverage.ofText(5));

        Conversation input = input(new TextPart("a", "input"));
        Finding found = new Finding(StandardHazard.S1, new Probability(0.75), new Probability(0.5));
        Decision block = new Decision.Block(List.of(), List.of(found), "", "", BlockStyle.ERROR);
        Decision allow = new Decision.Allow(List.of(), List.of(), "");

        WireResponse response = moderations.write(
                read("{'input':['a','a']}"),
                "42",
                "llama-guard-3-1b",
                List.of(new Verdict(input, unsafe, block), new Verdict(input, safe, allow)));

        assertThat(response.status()).isEqualTo(200);
        assertThat(new String(response.body(), UTF_8)).isEqualTo("""
                {"id":"modr-42","model":"llama-guard-3-1b","results":[\
                {"flagged":true,"categories":{"Violent Crimes":true,"Hate":false},\
                "category_scores":{"Violent Crimes":0.75,"Hate":0.125},\
                "category_applied_input_types":{"Violent Crimes":["text"],"Hate":["text"]},\
                "unsafe_score":0.875,"hazards":{"S1":0.75,"S10":0.125}},\
                {"flagged":false,"categories":{},"category_scores":{},"category_applied_input_types":{},\
                "unsafe_score":0.0,"hazards":{}}]}""");
    }

    private VerdictRequest read(String body) {
        return moderations.read(json(body), "");
    }

    private static Conversation input(Part... parts) {
        return new Conversation(List.of(new Turn(Role.USER, List.of(parts))));
    }
}
