package dev.corral.guardmodels.remote;

import dev.corral.guardmodels.prompt.GuardFamily;
import dev.corral.guardmodels.store.NamedHazards;
import dev.corral.guardmodels.store.OwnHazards;
import dev.corral.policies.assessment.Probability;
import java.net.URI;
import java.time.Duration;
import java.util.Optional;

/**
 * A guard on a server.
 *
 * @param url the server's base, such as {@code http://localhost:8000/v1}
 * @param model the name that the server knows the guard by
 * @param family one whose answers are generated
 * @param hazards what the guard was trained to tell apart
 * @param named which of them are to be told
 * @param connectTimeout for a connection
 * @param timeout from a request to the end of its answer
 * @param connections requests at the same time, at least 1
 * @param contextTokens the longest prompt and answer that the server takes; longer texts are judged in chunks
 * @param topLogprobs alternatives that are asked for with each token; 0 asks for no probabilities
 * @param recommendedThreshold for P(unsafe)
 */
public record RemoteSettings(
        URI url,
        String model,
        Api api,
        GuardFamily family,
        OwnHazards hazards,
        NamedHazards named,
        Optional<ApiKey> apiKey,
        Duration connectTimeout,
        Duration timeout,
        int connections,
        int contextTokens,
        int topLogprobs,
        Probability recommendedThreshold) {}
