package dev.corral.clients;

import java.util.List;

/**
 * What an application gets from its client library.
 *
 * @param text of the answer, or of the refusal where the library has a field of its own for it; empty for none
 * @param calls the arguments of the tools to be called
 * @param ending why the answer ended, in the library's words; empty where it has none
 */
record Reply(String text, List<String> calls, String ending) {

    Reply {
        calls = List.copyOf(calls);
    }
}
