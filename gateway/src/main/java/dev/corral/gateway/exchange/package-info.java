/** One request and its answer: what is known of it, how errors and whole answers reach the client. */
@org.jspecify.annotations.NullMarked
package dev.corral.gateway.exchange;
