/* What tests of streams read, said into the trace (tests/support/trace.h). For coroutines. */
#ifndef HUBBUB_TESTS_UNIT_HUB_IO_STREAMS_H
#define HUBBUB_TESTS_UNIT_HUB_IO_STREAMS_H

#include "hub/io/stream.h"

/* The stream's next line, or the error. */
void say_line(struct hub_stream *stream);

/* What is received from a socket at once. */
void say_bytes(int fd);

#endif
