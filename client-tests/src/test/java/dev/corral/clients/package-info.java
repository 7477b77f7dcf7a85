/** Applications of others, as their client libraries make them. */
package dev.corral.clients;
