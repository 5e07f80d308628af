/* What tests/unit/hub/blocking_descriptors.c needs of calls that block elsewhere. */
#include <fcntl.h>
#include <hubbub/hub.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "tests/support/full.h"

/* The simulated kernel's; and what blocking_descriptors.c calls by the name connect. */
int kernel_connect(int fd, const struct sockaddr *address, socklen_t length);
int connect_in_world(int fd, const struct sockaddr *address, socklen_t length);

int
connect_in_world(int fd, const struct sockaddr *address, socklen_t length)
{
	return fcntl(fd, F_GETFL) & O_NONBLOCK ? kernel_connect(fd, address, length)
					       : hub_connect(fd, address, length);
}

void
full_stream(int ends[2])
{
	static const char zeros[65536];
	struct sockaddr_in address;
	socklen_t length = sizeof address;
	int listener = hub_create_server("127.0.0.1", "0", 0);

	getsockname(listener, (struct sockaddr *)&address, &length);
	ends[0] = hub_socket(AF_INET, SOCK_STREAM, 0);
	hub_connect(ends[0], (struct sockaddr *)&address, length);
	ends[1] = hub_accept(listener, NULL, NULL);
	hub_close(listener);
	/* What is on its way makes room once it has arrived. */
	for (int i = 0; i < 2; i++) {
		while (hub_send(ends[0], zeros, sizeof zeros, MSG_DONTWAIT) > 0)
			continue;
		hub_sleep(HUB_SECOND);
	}
}
