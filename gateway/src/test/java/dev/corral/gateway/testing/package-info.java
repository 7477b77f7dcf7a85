/** What the tests of the gateway are made with. */
package dev.corral.gateway.testing;
