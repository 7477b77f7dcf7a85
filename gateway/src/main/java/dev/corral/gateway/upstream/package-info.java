/** Where allowed traffic goes: the default route and the manners towards the backend. */
@org.jspecify.annotations.NullMarked
package dev.corral.gateway.upstream;
