/* A server of lines, with one hub: each line that comes goes back in capitals, by a stream. Prints
 * "ready: 127.0.0.1:PORT". */
#include <arpa/inet.h>
#include <hubbub/hub.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "tests/bench/peers/upper.h"

static void
serve(int client, void *context)
{
	struct hub_stream *stream = hub_stream_new(client, NULL);
	size_t length;
	char *line;

	(void)context;
	if (stream == NULL)
		return;
	while ((line = hub_stream_read_line(stream, &length)) != NULL) {
		upper(line, length);
		/* The NUL behind the line has been its newline. */
		line[length] = '\n';
		if (hub_stream_write(stream, line, length + 1) < 0)
			break;
	}
	hub_stream_close(stream);
}

static void *
run(void *argument)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t length = sizeof address;
	int listener = hub_socket(AF_INET, SOCK_STREAM, 0);
	struct hub_server *server = NULL;

	if (bind(listener, (struct sockaddr *)&address, length) != 0 ||
		listen(listener, 4096) != 0 ||
		getsockname(listener, (struct sockaddr *)&address, &length) != 0 ||
		(server = hub_stream_server_new(listener, serve, NULL, NULL)) == NULL) {
		perror("bench-lines");
		exit(1);
	}
	fprintf(stderr, "ready: 127.0.0.1:%d\n", ntohs(address.sin_port));
	hub_server_start(server);
	hub_sleep(HUB_FOREVER);
	return argument;
}

int
main(void)
{
	return hub_run(run, NULL, NULL) == 0 ? 0 : 1;
}
