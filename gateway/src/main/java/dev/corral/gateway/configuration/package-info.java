/** What an operator can set, and what is said about settings that cannot be. */
@org.jspecify.annotations.NullMarked
package dev.corral.gateway.configuration;
