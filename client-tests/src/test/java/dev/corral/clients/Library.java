package dev.corral.clients;

/** What applications do with a client library. Retries and all else are as the library comes. */
interface Library {

    /** A whole answer. */
    Reply ask(String prompt);

    /** A streamed answer, read to its end. */
    Reply stream(String prompt);

    /** A whole answer to a request with the tool {@code weather}, which is not called. */
    Reply askWithTool(String prompt);

    /** A whole answer to a request with a picture of one pixel. */
    Reply askWithImage(String prompt);
}
