package dev.corral.quantization.hub;

import java.net.http.HttpHeaders;
import java.util.Optional;

/**
 * What to tell people when a hub says no (codes:
 * huggingface/huggingface_hub:src/huggingface_hub/utils/_http.py, {@code hf_raise_for_status}).
 */
record Refusals(HubAddress address, Optional<HubToken> token, RepositoryName name) {

    private static final String INVALID_TOKEN = "Invalid credentials in Authorization header";

    HubException ofRepository(int status, HttpHeaders headers, String revision) {
        if (code(headers).equals("RevisionNotFound")) {
            return new HubException("%s has no revision '%s': give a branch, a tag or a commit that %s/%s shows"
                    .formatted(name, revision, address, name));
        }
        return general(status, headers);
    }

    HubException ofFile(int status, HttpHeaders headers, String file) {
        if (status == 404 && !code(headers).equals("RepoNotFound")) {
            return new HubException("%s lists %s in %s, but does not have it: run the same command again"
                    .formatted(address, file, name));
        }
        return general(status, headers);
    }

    private HubException general(int status, HttpHeaders headers) {
        if (headers.firstValue("X-Error-Message").orElse("").equals(INVALID_TOKEN)) {
            return new HubException("%s does not know the token from %s: it is mistyped, expired or deleted. %s"
                    .formatted(address, origin(), howToSetIt()));
        }
        if (code(headers).equals("GatedRepo") || (status == 403 && token.isPresent())) {
            return gated();
        }
        if (code(headers).equals("RepoNotFound") || status == 401 || status == 403 || status == 404) {
            return new HubException("there is no repository %s at %s, or it is not public and %s. Correct the name; %s"
                    .formatted(name, address, asWhom(), decapitalised(howToSetIt())));
        }
        return new HubException("%s answered %d for %s, which Corral does not understand: correct --hub or HF_ENDPOINT"
                .formatted(address, status, name));
    }

    private HubException gated() {
        String accept = "%s/%s".formatted(address, name);
        if (token.isPresent() && address.isPrivate()) {
            return new HubException("""
                    %s is gated, and the account of the token from %s may not read it yet.
                      1. Accept its licence, signed in with that account: %s
                         Some owners look at each request: that page says when it was granted.
                      2. A fine-grained token must have the permission to read public gated repositories: %s/settings/tokens
                      3. Run the same command again.""".formatted(name, origin(), accept, address));
        }
        return new HubException("""
                %s is gated: its files are only for accounts that accepted its licence, and %s.
                  1. Accept the licence, signed in: %s
                  2. Make a token that may read: %s/settings/tokens
                  3. Give it to the same command: HF_TOKEN=... corral model pull %s
                     or store it for all tools: hf auth login""".formatted(name, asWhom(), accept, address, name));
    }

    private String asWhom() {
        if (token.isEmpty()) {
            return "no token was given";
        }
        return address.isPrivate()
                ? "the account of the token from " + origin() + " may not read it"
                : "the token from " + origin() + " was not sent, since " + address + " is not encrypted";
    }

    private String howToSetIt() {
        return "Make a token at %s/settings/tokens and set it as HF_TOKEN.".formatted(address);
    }

    private static String decapitalised(String sentence) {
        return Character.toLowerCase(sentence.charAt(0)) + sentence.substring(1);
    }

    private String origin() {
        return token.map(HubToken::origin).orElse("nowhere");
    }

    private static String code(HttpHeaders headers) {
        return headers.firstValue("X-Error-Code").orElse("");
    }
}
