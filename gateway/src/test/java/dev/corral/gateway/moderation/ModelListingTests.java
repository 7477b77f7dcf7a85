package dev.corral.gateway.moderation;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.http.HttpMethod;

class ModelListingTests {

    @ParameterizedTest
    @ValueSource(strings = {"/api/tags", "/api/ps", "/api/version", "/v1/health", "/v1/version/"})
    void servesWhenItAsksForTheUpstreamsStateIsTrue(String path) {
        assertThat(ModelListing.serves(HttpMethod.GET, path)).isTrue();
        assertThat(ModelListing.serves(HttpMethod.HEAD, path)).isTrue();
        assertThat(ModelListing.serves(HttpMethod.POST, path)).isFalse();
        assertThat(ModelListing.serves(HttpMethod.POST, "/api/show")).isTrue();
        assertThat(ModelListing.serves(HttpMethod.POST, "/api/show/x")).isFalse();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "/v1/models",
                "/v1/models/",
                "/v1/models/llama3.1:8b",
                "/team/v1/models/meta-llama/Llama-Guard-3-1B"
            })
    void servesWhenItIsAListingOfModelsIsTrue(String path) {
        assertThat(ModelListing.serves(HttpMethod.GET, path)).isTrue();
        assertThat(ModelListing.serves(HttpMethod.POST, path)).isFalse();
        assertThat(ModelListing.serves(HttpMethod.DELETE, path)).isFalse();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "/v1/models/../files",
                "/v1/../models",
                "/v1/models/..",
                "/v1/models/.",
                "/v1/models/%2e%2e/files",
                "/v1/models/a%2f..%2ffiles",
                "/v1/models;a=b",
                "/v1/models/a/b/c",
                "/v1/models\\..\\files",
                "/v1//models",
                "/v1/modelsx",
                "/v1/files"
            })
    void servesWhenItMayBeAnythingElseIsFalse(String path) {
        assertThat(ModelListing.serves(HttpMethod.GET, path)).isFalse();
    }
}
