/* A client sends lines, and gets a line for each:
 *
 *	ping		pong
 *	echo TEXT	TEXT
 *	quit		bye, and the connection ends
 *
 * and "error: ..." for any other line. What follows a line that is too long cannot be understood,
 * so the connection ends. Answers to lines that came together leave together. */
#include "protocol.h"

#include <errno.h>
#include <hubbub/hub.h>
#include <stdbool.h>
#include <string.h>

/* Answers a line. Returns whether the connection goes on. */
static bool
answer(struct hub_stream *stream, const char *line, size_t length)
{
	bool goes_on = true;

	if (strlen(line) != length)
		hub_stream_printf(stream, "error: the line has a NUL\n");
	else if (strcmp(line, "ping") == 0)
		hub_stream_printf(stream, "pong\n");
	else if (strncmp(line, "echo ", 5) == 0)
		hub_stream_printf(stream, "%s\n", line + 5);
	else if ((goes_on = strcmp(line, "quit") != 0))
		hub_stream_printf(stream, "error: there are ping, echo TEXT and quit\n");
	else
		hub_stream_printf(stream, "bye\n");
	return goes_on;
}

void
protocol_serve(int client, const struct protocol *protocol)
{
	struct hub_stream_options options = {.longest = protocol->longest_line};
	struct hub_stream *stream = hub_stream_new(client, &options);
	bool goes_on = true;
	size_t length;
	char *line;

	if (stream == NULL)
		return;
	while (goes_on && (line = hub_stream_read_line(stream, &length)) != NULL) {
		protocol->begins(client);
		goes_on = answer(stream, line, length);
		protocol->ends(client);
	}
	if (goes_on && errno == EMSGSIZE)
		hub_stream_printf(
			stream, "error: a line has at most %zu bytes\n", protocol->longest_line);
	hub_stream_close(stream);
}
