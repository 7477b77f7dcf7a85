package dev.corral.clients;

import java.util.function.IntFunction;

/**
 * A client library, and what an application sees of a block.
 *
 * @param name of the library
 * @param backend what the upstream says, in the library's own API or another
 * @param library the library with a gateway at a port for its server
 * @param refused how a refusal has ended, in the library's words
 * @param error the name of what it throws for HTTP 400
 */
record Client(String name, Backend backend, IntFunction<Library> library, String refused, String error) {

    Library at(int port) {
        return library.apply(port);
    }

    /** What an error is called in the library's language. */
    String nameOf(Throwable error) {
        return error instanceof ScriptError own ? own.type() : error.getClass().getSimpleName();
    }

    @Override
    public String toString() {
        return name + " in front of " + backend;
    }
}
