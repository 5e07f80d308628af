/* The echo by a hub on io_uring (ring.h). Prints "ready: 127.0.0.1:PORT".
 *
 * Usage: bench-ring [lend]   As hub_recv and hub_send, the calls copy, so that the caller's buffer
 * is its own; "lend" works on the ring's buffers instead. */
#include <arpa/inet.h>
#include <hubbub/hub.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "tests/bench/peers/upper.h"
#include "tests/bench/ring.h"

static bool lends;
/* All connections share it: nothing switches between a receive and the copy that the send makes. */
static char buffer[RING_BUFFER];

static void
serve(struct link *link)
{
	ssize_t length;

	while ((length = ring_receive(link, buffer)) > 0) {
		upper(buffer, (size_t)length);
		if (ring_send(link, buffer, (size_t)length) != 0)
			return;
	}
}

static void
serve_lent(struct link *link)
{
	int64_t number;
	size_t length;
	char *bytes;

	while ((number = ring_receive_lent(link, &bytes, &length)) >= 0) {
		upper(bytes, length);
		if (ring_send_lent(link, (uint32_t)number) != 0)
			return;
	}
}

static void *
run(void *argument)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t length = sizeof address;
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;

	setsockopt(listener, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	if (bind(listener, (struct sockaddr *)&address, length) == 0 &&
		listen(listener, 4096) == 0 &&
		getsockname(listener, (struct sockaddr *)&address, &length) == 0) {
		fprintf(stderr, "ready: 127.0.0.1:%d\n", ntohs(address.sin_port));
		ring_run(listener, lends ? serve_lent : serve);
	}
	perror("bench-ring");
	return argument;
}

int
main(int argc, char **argv)
{
	lends = argc > 1 && strcmp(argv[1], "lend") == 0;
	hub_run(run, NULL, NULL);
	return 1;
}
