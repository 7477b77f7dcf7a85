/** Images that a request names: decoded from its text, or fetched without lending the gateway's network to strangers. */
@NullMarked
package dev.corral.gateway.image;

import org.jspecify.annotations.NullMarked;
