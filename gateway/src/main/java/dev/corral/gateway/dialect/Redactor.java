package dev.corral.gateway.dialect;

import dev.corral.policies.pattern.Redaction;
import dev.corral.policies.policy.ContentSource;

/** What a policy takes out of texts. */
public interface Redactor {

    /** The spans of one text. */
    Redaction redaction(String text, ContentSource source);

    /** UTF-16 units at the end of a growing text that may still become a part of a span. */
    int holdBack();
}
