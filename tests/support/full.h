/* Streams into which nothing more can be sent. */
#ifndef HUBBUB_TESTS_FULL_H
#define HUBBUB_TESTS_FULL_H

/* Makes ends a TCP connection whose first end takes nothing more, by send or by sendfile, until the
 * second one receives; the caller closes both. Of TCP, because sendfile does not wait for a Unix
 * stream before Linux 6.5. For coroutines, whose hub goes on meanwhile. */
void full_stream(int ends[2]);

#endif
