/** Ollama's own API. Its streams are lines of JSON, and answers are streams unless a request says otherwise. */
@NullMarked
package dev.corral.gateway.dialect.ollama;

import org.jspecify.annotations.NullMarked;
