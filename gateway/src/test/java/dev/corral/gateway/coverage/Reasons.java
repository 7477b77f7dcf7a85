package dev.corral.gateway.coverage;

import java.util.List;

/** Everything that passes unjudged, and why. */
final class Reasons {

    static final String PREFACE = """
            # What is judged
            `CoverageTests` puts a harmful text into every place of every API that may hold text: the requests that Corral reads,
            the answers and the events of streams that it passes on, and in each object a field that nobody knows. It sends each
            through a whole gateway, with a guard that finds the text, and writes down here what became of it. The test
            fails where something passes without a reason, and where this page is not what it writes. To write it anew:
            ```console
            $ ./corral test --all -pl gateway -am -Dtest=CoverageTests -Dsurefire.failIfNoSpecifiedTests=false -Dcoverage.write=true
            ```
            What the APIs may hold is in `gateway/src/test/resources/schemas`, with sources and licences.

            | what becomes of it | |
            |---|---|
            | judged | by the guard, with all other texts of its turn |
            | unscanned | no guard can read it, and the policy's `unscanned` decides: by default it is blocked |
            | refused | the request or the answer is, unless the value is one that the API knows |
            | word | a word of at most 256 characters passes, for a reason that follows; with a blank in it, or longer, it is judged |
            | short | up to 256 characters pass, for a reason that follows; longer, it is judged |
            | name | up to 256 characters pass, for a reason that follows; longer, it is refused |
            | passes | it always does, for a reason that follows |

            `[]` is an item of a list, `(text)` a kind of object, `{key}` and `{value}` a field of any name, `*` a field that the API does
            not have, and `…` all that is below. Kinds that are alike are one row. Where several forms share a place, each
            fate is told.

            ## Reasons
            | reason | |
            |---|---|
            """;

    private static final String REQUESTS = ".*: requests";
    private static final String ANSWERS = ".*: (whole answers|events of streams|errors)";

    static final List<Reason> ALL = List.of(
            new Reason(
                    "unread",
                    "Moderations: requests",
                    "\\*|input\\[]\\(text\\)\\.\\*",
                    "nothing is passed on from here, and what is not known is not read"),
            new Reason(
                    "settings",
                    "Llama Stack's shields: requests",
                    "params\\..*",
                    "settings of a shield; nothing is passed on from here"),
            new Reason(
                    "asker",
                    "LiteLLM's guardrail: requests",
                    "\\*|model|litellm_.*|request_data\\..*|request_headers\\..*|additional_provider_specific_params\\..*",
                    "about who asks, and no content; nothing is passed on from here"),
            new Reason("model", REQUESTS, "model|model_id", "a model's name, which the upstream looks up"),
            new Reason(
                    "stop",
                    REQUESTS,
                    "stop(\\[])?|stop_sequences\\[]|options\\.stop\\[]|sampling_params\\..*",
                    "where to stop, which is compared with an answer and read by nobody"),
            new Reason("notes", REQUESTS, "metadata\\..*", "notes on a request, which no model reads"),
            new Reason(
                    "keeping",
                    REQUESTS,
                    ".*cache_control(\\([a-z]+\\))?\\..*|prompt_cache_.*|keep_alive",
                    "how long something is kept"),
            new Reason(
                    "tool choice",
                    REQUESTS,
                    "(tool_choice|function_call)([.(].*)?|tool_config\\..*",
                    "chooses among tools, whose definitions are judged"),
            new Reason(
                    "identifier",
                    REQUESTS,
                    "(user|safety_identifier|container(\\..*)?)|"
                            + ".*\\b(id|call_id|tool_call_id|tool_use_id|approval_request_id|tool_id|created_by|namespace)",
                    "an identifier, which is compared and read by nobody"),
            new Reason("token number", REQUESTS, "logit_bias\\.\\{key}", "a token's number"),
            new Reason(
                    "choice",
                    REQUESTS,
                    "(think|format|modalities\\[]|verbosity|reasoning_effort|service_tier|truncation|include\\[]|encoding_format"
                            + "|inference_geo|speed|tool_prompt_format|stream_options\\..*|reasoning\\..*|thinking\\(.*|logprobs\\.\\*"
                            + "|response_format\\(.*\\)\\.type|text\\.(format\\(.*\\)\\.type|verbosity))"
                            + "|.*\\.(phase|status|stop_reason|media_type|citations\\.\\*|caller\\(.*|acknowledged_safety_checks\\[]\\..*)"
                            + "|.*\\.tool_calls\\[](\\([a-z]+\\))?\\.type|tool_calls\\[]\\.type",
                    "a choice among words that the API knows; servers refuse others, or leave them alone"),
            new Reason(
                    "alternatives",
                    ANSWERS,
                    ".*top_logprobs\\[]\\.(token|\\{key}|\\*)|.*logprobs\\[]\\.\\*",
                    "alternatives to one token, which were not said"),
            new Reason(
                    "echo",
                    ANSWERS,
                    "(\\(response\\.[a-z_]+\\)\\.response\\.)?(metadata|tool_choice|text|reasoning|user|truncation|safety_identifier"
                            + "|prompt_cache_key|prompt_cache_retention|service_tier|previous_response_id|include)([.(\\[].*)?",
                    "repeats the request, where it is judged"),
            new Reason(
                    "server",
                    ANSWERS,
                    "(.*[.)\\]])?(id|item_id|call_id|tool_id|skill_id|created_by|namespace|server_label|phase|role|status|type|object"
                            + "|model|remote_model|remote_host|created_at|expires_at|version|system_fingerprint|service_tier"
                            + "|finish_reason|stop_reason|stop_sequence|done_reason|reason|event_type|parse_status|metric|unit"
                            + "|inference_geo|speed)"
                            + "|(.*[.)\\]])?(usage|[a-z_]+_details|cache_creation|server_tool_use|metrics\\[]|container|skills\\[]"
                            + "|caller\\([a-z_0-9]+\\))\\.\\*",
                    "an identifier, a state or a count of the server's making, not of the model's"));

    private Reasons() {}
}
