#include "tests/unit/hub/io/streams.h"

#include <errno.h>
#include <hubbub/hub.h>

#include "tests/support/trace.h"

void
say_line(struct hub_stream *stream)
{
	char *line = hub_stream_read_line(stream, NULL);

	if (line != NULL)
		trace_say("'%s'", line);
	else
		trace_error("line", errno);
}

void
say_bytes(int fd)
{
	char bytes[200];
	ssize_t length = hub_recv(fd, bytes, sizeof bytes, 0);

	trace_say("'%.*s'", (int)length, bytes);
}
