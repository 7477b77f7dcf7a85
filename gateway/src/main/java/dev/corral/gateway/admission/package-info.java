/** What may come in at all: encodings and sizes, before anything is read. */
@org.jspecify.annotations.NullMarked
package dev.corral.gateway.admission;
