/* Both sockets get the smallest buffers; then bytes are sent until neither send nor sendfile takes
 * any more, for longer than the receiver's kernel needs to make room. */
#include "tests/support/full.h"

#include <fcntl.h>
#include <hubbub/hub.h>
#include <netinet/in.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <unistd.h>

void
full_stream(int ends[2])
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
	socklen_t length = sizeof address;
	int listener = socket(AF_INET, SOCK_STREAM, 0), small = 4096;
	int file = memfd_create("zeros", MFD_CLOEXEC);
	static char zeros[65536];
	bool had_room;
	off_t begin;

	/* With a large receive buffer the sender's window probes, every 200 ms, would be accepted
	 * and make room again. */
	setsockopt(listener, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
	listen(listener, 1);
	getsockname(listener, (struct sockaddr *)&address, &length);
	ends[0] = socket(AF_INET, SOCK_STREAM, 0);
	setsockopt(ends[0], SOL_SOCKET, SO_SNDBUF, &small, sizeof small);
	connect(ends[0], (struct sockaddr *)&address, length);
	fcntl(ends[0], F_SETFL, O_NONBLOCK);
	ends[1] = accept(listener, NULL, NULL);
	close(listener);
	ftruncate(file, 1);
	do {
		had_room = false;
		/* The last segment may have room for one of the two calls and none for the
		 * other. */
		while (send(ends[0], zeros, sizeof zeros, MSG_DONTWAIT) > 0 ||
			sendfile(ends[0], file, (begin = 0, &begin), 1) > 0)
			had_room = true;
		/* The kernel may move what was sent into the receive buffer meanwhile, which makes
		 * room again. */
		hub_sleep(250 * HUB_MILLISECOND);
	} while (had_room);
	close(file);
}
