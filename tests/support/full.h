/* A connection whose buffers are full, for tests of blocked sends. */
#ifndef HUBBUB_TESTS_FULL_H
#define HUBBUB_TESTS_FULL_H

/* Connects two sockets by TCP, whose first end takes no more bytes, by send or by sendfile, until
 * the second end receives. TCP, because sendfile to a Unix socket does not wait before Linux 6.5.
 * The caller closes both. Switches; for coroutines only. */
void full_stream(int ends[2]);

#endif
